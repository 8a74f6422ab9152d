import { expect } from "chai";
import type { LastOutcome } from "#shared/ports/log.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { LogWatch, WATCH_MS } from "../runtime/log-watch.ts";
import type { LogState } from "../runtime/log-watch.ts";

describe("LogWatch", () => {
  function logWatchFixture() {
    const clock = new FakeClock();
    let outcome: LastOutcome = { kind: "ok", first: 1, last: 0, bytes: 0, bytesMax: 1_000 };
    let watermark = 0;
    const watch = new LogWatch({
      clock,
      log: { last: () => Promise.resolve(outcome) },
      assigned: () => [[3, watermark]],
    });
    return {
      watch,
      reach: async (seconds: number): Promise<number | undefined> => {
        const firstAt = clock.now() - seconds * 1_000;
        outcome = { kind: "ok", first: 40, last: 500, bytes: 90, firstAt };
        watch.look();
        await Promise.resolve();
        return [...watch.states()][0]![1].reachSeconds;
      },
      /**
       * Performs `looks` reads without a scrape, each with `waits` entries that are not archived.
       */
      lookUnread: async (looks: number, waits: number): Promise<void> => {
        for (let last = 1; last <= looks; last++) {
          clock.advance(WATCH_MS);
          outcome = { kind: "ok", first: 1, last, bytes: last * 10, bytesMax: 1_000 };
          watch.look();
          await Promise.resolve();
          watermark = last - waits;
        }
      },
      leaderless: async (): Promise<LogState> => {
        clock.advance(WATCH_MS);
        outcome = { kind: "ok", first: 1, last: 9, bytes: 90, bytesMax: 1_000, hasLeader: false };
        watch.look();
        await Promise.resolve();
        return [...watch.states()][0]![1];
      },
      look: async (
        last: number | undefined,
        archived: number,
        passMs = WATCH_MS,
      ): Promise<LogState> => {
        clock.advance(passMs);
        outcome =
          last === undefined
            ? { kind: "unknown", reason: "no leader" }
            : { kind: "ok", first: 1, last, bytes: last * 10, bytesMax: 1_000 };
        watch.look();
        await Promise.resolve();
        watermark = archived;
        return [...watch.states()][0]![1];
      },
    };
  }

  it("log-watch.1: counts the age of waiting entries from the read that first saw them", async () => {
    const { look } = logWatchFixture();
    expect(await look(10, 10)).to.include({ lagEntries: 0, lagSeconds: 0 });
    expect(await look(30, 10)).to.include({ lagEntries: 20, lagSeconds: 0 });
    expect(await look(50, 10)).to.include({ lagEntries: 40, lagSeconds: WATCH_MS / 1_000 });
    // What the first read saw is archived; what the second saw is not.
    expect(await look(50, 30)).to.include({ lagEntries: 20, lagSeconds: WATCH_MS / 1_000 });
    expect(await look(50, 50)).to.include({ lagEntries: 0, lagSeconds: 0 });
  });

  it("log-watch.6, E6: reads a partition as soon as its watermark is known, and no other one again", async () => {
    const clock = new FakeClock();
    const read: number[] = [];
    const assigned: [number, number][] = [];
    const watch = new LogWatch({
      clock,
      log: {
        last: (p) => {
          read.push(p);
          return Promise.resolve({ kind: "ok", first: 1, last: 0, bytes: 0 });
        },
      },
      assigned: () => assigned,
    });
    watch.start();
    for (const p of [3, 5]) {
      assigned.push([p, 0]);
      watch.onLoaded();
      await Promise.resolve();
      expect(Array.from(watch.states(), ([known]) => known)).to.include(p);
    }
    expect(read).to.deep.equal([3, 5]);
    watch.stop();
  });

  it("log-watch.3: reports a log that ends below its archive, from the second read on", async () => {
    const { look } = logWatchFixture();
    expect(await look(500, 500)).to.include({ missing: 0 });
    expect(await look(2, 500)).to.include({ missing: 0, lagEntries: 0 });
    expect(await look(3, 500)).to.include({ missing: 497, lagEntries: 0 });
    expect(await look(500, 500)).to.include({ missing: 0 });
  });

  it("R4: reports how far back a log reaches once it was trimmed", async () => {
    const { look, reach } = logWatchFixture();
    expect(await look(500, 500)).to.include({ reachSeconds: undefined });
    expect(await reach(7_200)).to.equal(7_200);
  });

  it("log-watch.4: removes archived entries from memory, also when no scrape reads the metrics", async () => {
    const { watch, lookUnread } = logWatchFixture();
    await lookUnread(500, 3);
    expect(watch.remembered).to.equal(4);
  });

  it("log-watch.2: a log whose replica answers while it has no leader is unreachable", async () => {
    expect(await logWatchFixture().leaderless()).to.include({ isReachable: false, bytes: 90 });
  });

  it("log-watch.2: a log without a leader is unreachable, and its waiting entries still age", async () => {
    const { look } = logWatchFixture();
    const full = await look(50, 0);
    expect(full).to.include({ isReachable: true, bytes: 500, bytesMax: 1_000 });
    const away = await look(undefined, 0, 10_000);
    expect(away).to.include({ isReachable: false, lagEntries: 50, lagSeconds: 10 });
  });

  it("log-watch.5: counts for the forecast only what is not archived", async () => {
    const { watch, look } = logWatchFixture();
    await look(50, 50);
    await look(50, 50);
    expect(watch.usages()).to.deep.equal([
      ["log", { value: 0, limit: 1 }],
      ["archive", { value: 0, limit: 120 }],
    ]);
    await look(80, 40);
    expect(watch.usages()).to.deep.equal([
      ["log", { value: 0.4, limit: 1 }],
      ["archive", { value: 0, limit: 120 }],
    ]);
  });
});
