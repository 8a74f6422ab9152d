// The breaker of the archive's reads, against a real PostgreSQL that is killed, paused, cut off and
// started again.

import { expect } from "chai";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import type { PostgresServer } from "#shared/testing/launch-postgres.ts";
import { childrenOf, signalIfThere } from "#shared/testing/process-tree.ts";
import { until } from "#shared/testing/wait.ts";
import { PostgresArchive, READ_FAILURES_MAX, READ_WAIT_MS } from "../adapters/archive-postgres.ts";
import type { PostgresArchiveOptions } from "../adapters/archive-postgres.ts";
import { isAway } from "../adapters/postgres-errors.ts";
import { migrate } from "../adapters/migrate.ts";
import { openRoad } from "./road.ts";

const ROOM = "general" as RoomId;
const ID = "01890000-0000-7000-8000-000000000000" as MessageId;
/** Without a breaker a read takes 7 s against a paused server. */
const FAST_MS = 3_000;
const READERS = 8;

describe("Breaker of the archive's reads", function () {
  this.timeout(60_000);
  let server: PostgresServer;

  before(async () => {
    server = await launchPostgres({ embedded: true });
    await migrate({ url: server.url });
  });
  after(() => server.stop());

  it("archive-postgres.1: while PostgreSQL is killed all reads are refused fast; after its restart a probe closes the breaker", async () => {
    const clock = new ManualClock();
    await using archive = open({ url: server.url, clock });
    const { store, seen, range } = archive;
    expect(await range()).to.equal("ok");
    server.kill();
    await server.exited();
    // A backend can outlive the killed postmaster for a moment, and answer a read.
    for (let failures = 0; failures < READ_FAILURES_MAX;) if ((await range()) !== "ok") failures++;
    const began = performance.now();
    const reads = await Promise.all([
      store.range(ROOM, 1, 10),
      store.snapshot(0, ROOM, 0),
      store.lookup(0, ROOM, "ada" as UserId, ID),
    ]);
    expect(performance.now() - began).to.be.below(FAST_MS);
    for (const read of reads) {
      expect(read.kind).to.equal("unavailable");
      expect(read.kind === "unavailable" && read.reason).to.contain("circuit breaker");
    }
    clock.advance(READ_WAIT_MS);
    expect(await range()).to.equal("unavailable");
    expect(seen).to.deep.equal(["open", "half-open", "open"]);

    await server.restart();
    await backTo(range, clock);
    expect(seen.slice(-2)).to.deep.equal(["half-open", "closed"]);
    expect(archive.store.breaker.state).to.equal("closed");
  });

  it("archive-postgres.1: while PostgreSQL is paused, reads that queue do not wait for a timeout each", async () => {
    const clock = new ManualClock();
    await using archive = open({ url: server.url, clock });
    const { store, seen, range } = archive;
    await Promise.all(Array.from({ length: READERS }, range)); // Opens the connections.
    const pids = [server.pid, ...childrenOf(server.pid)];
    for (const pid of pids) signalIfThere(pid, "SIGSTOP");
    try {
      const began = performance.now();
      const snapshots = Array.from({ length: 200 }, (_, n) =>
        store.snapshot(0, `r${n}` as RoomId, 0),
      );
      expect(await range()).to.equal("unavailable");
      for (const read of await Promise.all(snapshots)) expect(read.kind).to.equal("unavailable");
      // 13 batches, 4 at once, 7 s each: 28 s without a breaker.
      expect(performance.now() - began).to.be.below(20_000);
      const again = performance.now();
      while (!store.breaker.isRefusing) void range();
      expect(await range()).to.equal("unavailable");
      expect(performance.now() - again).to.be.below(FAST_MS);
    } finally {
      for (const pid of pids) signalIfThere(pid, "SIGCONT");
    }
    await backTo(range, clock);
    expect(seen.slice(-2)).to.deep.equal(["half-open", "closed"]);
  });

  it("archive-postgres.3: from a paused PostgreSQL a watermark is given up earlier than a write, and then returns again", async () => {
    await using archive = open({ url: server.url });
    const { store } = archive;
    const write = (): ReturnType<PostgresArchive["write"]> =>
      store.write({ p: 9, from: 0, to: 1, epoch: 1, events: [] });
    await Promise.all([store.watermark(9), store.watermark(9, 1)]); // Opens the connections.
    const pids = [server.pid, ...childrenOf(server.pid)];
    for (const pid of pids) signalIfThere(pid, "SIGSTOP");
    const written = write().then(({ kind }) => `write ${kind}`);
    try {
      for (const claim of [0, 1]) {
        const read = store.watermark(9, claim).then(({ kind }) => `watermark ${kind}`);
        expect(await Promise.race([written, read])).to.equal("watermark unavailable");
      }
    } finally {
      for (const pid of pids) signalIfThere(pid, "SIGCONT");
    }
    await written;
    expect((await store.watermark(9)).kind).to.equal("ok");
  });

  it("archive-postgres.2: after connections were cut off without a reset, the first probe uses a new one", async () => {
    await using road = await openRoad(Number(new URL(server.url).port));
    const clock = new ManualClock();
    await using archive = open({ url: road.urlOf(server.url), clock });
    const { seen, range } = archive;
    await Promise.all(Array.from({ length: READERS }, range));
    road.cutAll();
    const reads = await Promise.all(Array.from({ length: READ_FAILURES_MAX }, range));
    expect(reads).to.deep.equal(reads.map(() => "unavailable"));
    expect(seen).to.deep.equal(["open"]);
    clock.advance(READ_WAIT_MS);
    const began = performance.now();
    expect(await range()).to.equal("ok");
    expect(performance.now() - began).to.be.below(FAST_MS);
    expect(seen).to.deep.equal(["open", "half-open", "closed"]);
  });

  it("archive-postgres.4: after connections of the writers were cut off without a reset, one timeout is enough", async () => {
    await using road = await openRoad(Number(new URL(server.url).port));
    await using archive = open({ url: road.urlOf(server.url) });
    const { store } = archive;
    const batches = [10, 11, 12, 13].map((p) => ({ p, from: 0, to: 1, epoch: 1, events: [] }));
    const written = await Promise.all(batches.map((batch) => store.write(batch)));
    expect(written.map(({ kind }) => kind)).to.deep.equal(["ok", "ok", "ok", "ok"]);
    road.cutAll();
    expect((await store.watermark(10)).kind).to.equal("unavailable");
    const began = performance.now();
    expect((await store.watermark(10)).kind).to.equal("ok");
    expect(performance.now() - began).to.be.below(FAST_MS);
  });

  it("archive-postgres.1: a statement that PostgreSQL refuses does not count", async () => {
    await using archive = open({ url: server.url });
    for (let n = 0; n < 2 * READ_FAILURES_MAX; n++) {
      const read = await archive.store.range("nul\0" as RoomId, 1, 10);
      expect(read.kind).to.equal("unavailable");
      expect(read.kind === "unavailable" && read.reason).to.contain("0x00");
    }
    expect(archive.seen).to.deep.equal([]);
    expect(isAway(new Error("the store returned fewer values than keys"))).to.equal(false);
    expect(isAway(new TypeError("x is undefined"))).to.equal(false);
    expect(isAway("text")).to.equal(false);
  });

  it("archive-postgres.2: a breaker that opens while the store closes leaves no pool behind", async () => {
    await using road = await openRoad(1); // Nothing listens there: connections break.
    let now = 0;
    const { store, seen, range } = open({
      url: road.urlOf(server.url),
      clock: { monotonic: () => now },
    });
    const reads = Array.from({ length: READ_FAILURES_MAX }, range);
    await Promise.all([store.close(), ...reads]);
    expect(seen).to.deep.equal(["open"]);
    now += READ_WAIT_MS;
    const read = await store.range(ROOM, 1, 10);
    expect(read.kind === "unavailable" && read.reason).to.contain("after calling end");
  });

  it("archive-postgres.3: writes and watermarks pass while the breaker is open", async () => {
    await using archive = open({ url: server.url, clock: { monotonic: () => 0 } });
    const { store, range } = archive;
    server.kill();
    await server.exited();
    for (let n = 0; n < READ_FAILURES_MAX; n++) await range();
    await server.restart();
    expect(await range(), "its clock does not advance").to.equal("unavailable");
    const batch = { p: 3, from: 0, to: 1, epoch: 1, events: [] };
    expect((await store.write(batch)).kind).to.equal("ok");
    expect((await store.watermark(3)).kind).to.equal("ok");
    expect(store.breaker.state).to.equal("open");
  });
});

function open(options: PostgresArchiveOptions) {
  const seen: string[] = [];
  const store = new PostgresArchive({ ...options, onBreaker: ({ to }) => seen.push(to) });
  return {
    store,
    seen,
    range: async (): Promise<string> => (await store.range(ROOM, 1, 10)).kind,
    [Symbol.asyncDispose]: () => store.close(),
  };
}

function backTo(range: () => Promise<string>, clock: ManualClock): Promise<void> {
  const options = { withinMs: 10_000, what: "reads to work again" };
  return until(async () => {
    clock.advance(READ_WAIT_MS);
    return (await range()) === "ok";
  }, options);
}

/** A busy machine must not let the wait of a breaker pass in the middle of a test. */
class ManualClock {
  #now = 0;

  monotonic(): number {
    return this.#now;
  }

  advance(ms: number): void {
    this.#now += ms;
  }
}
