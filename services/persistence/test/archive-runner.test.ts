// Archive runners on a memory log and a memory archive: two at once, failing stores, void commits.

import { expect } from "chai";
import { MemoryArchive } from "#shared/adapters/archive-memory.ts";
import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import { MemoryLog } from "#shared/adapters/log-memory.ts";
import { seededRandom } from "#shared/kit/random.ts";
import type { ArchiveStore } from "#shared/ports/archive.ts";
import { encodeEntry } from "#shared/protocol/entry.ts";
import { encodeEvent } from "#shared/protocol/events.ts";
import type { MessageId, ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { LIMITS } from "../core/archiver-io.ts";
import { ArchiveRunner } from "../runtime/archive-runner.ts";

const ROOM = "general" as RoomId;
const NODE = "room-a" as ProcessId;
const COUNT = 500;

function line(seq: number): string {
  const id = `01990000-0000-7000-8000-${seq.toString(16).padStart(12, "0")}` as MessageId;
  return encodeEvent({ t: "msg", room: ROOM, seq, id, from: "ada" as UserId, at: seq, body: {} });
}

async function fill(log: MemoryLog): Promise<number> {
  await log.append(0, encodeEntry({ kind: "claim", node: NODE, at: 0 }), 0);
  let last = 1;
  for (let seq = 1; seq <= COUNT; last++) {
    const lines = Array.from({ length: Math.min(1 + (last % 7), COUNT - seq + 1) }, (_, i) =>
      line(seq + i),
    );
    const groups = [{ room: ROOM, first: seq, lines }];
    await log.append(0, encodeEntry({ kind: "commit", epoch: 1, node: NODE, at: 0, groups }), last);
    seq += lines.length;
  }
  // A stale owner's commit, void by P15.
  const groups = [{ room: ROOM, first: 1, lines: [line(1)] }];
  await log.append(0, encodeEntry({ kind: "commit", epoch: 7, node: NODE, at: 0, groups }), last);
  return last + 1;
}

async function archive(
  store: ArchiveStore,
  wrap: (store: ArchiveStore) => ArchiveStore,
): Promise<number> {
  const log = new MemoryLog();
  const clock = new FakeClock();
  const last = await fill(log);
  const bus = new MemoryBroker().connect();
  const runners = [1, 2].map((seed) => {
    const random = seededRandom(seed);
    const ports = { log, store: wrap(store), bus, clock, random, onReport: () => undefined };
    return new ArchiveRunner(0, ports, { ...LIMITS, keepEntries: 1_000, keepShare: 0 });
  });
  for (const runner of runners) runner.start();
  for (let i = 0; i < 4_000; i++) {
    const read = await store.watermark(0);
    if (read.kind === "ok" && read.value.seq === last) break;
    clock.advance(20);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  await Promise.all(runners.map((runner) => runner.stop()));
  return last;
}

async function expectWhole(store: ArchiveStore, last: number): Promise<void> {
  // The void commit ended the tenure.
  expect(await store.watermark(0)).to.deep.equal({ kind: "ok", value: { seq: last, epoch: 0 } });
  const read = await store.range(ROOM, 1, COUNT + 10);
  const lines = read.kind === "ok" ? read.value.lines : [];
  expect(lines).to.deep.equal(Array.from({ length: COUNT }, (_, i) => line(i + 1)));
}

describe("Archive runners", () => {
  it("D2: two runners on one partition store everything once, and skip void commits", async () => {
    const store = new MemoryArchive();
    await expectWhole(store, await archive(store, (same) => same));
  });

  it("D1: a store that fails before or after its write loses and duplicates nothing", async () => {
    const store = new MemoryArchive();
    const random = seededRandom(42);
    const flaky = (inner: ArchiveStore): ArchiveStore => ({
      write: async (batch) => {
        const dice = random.next32() % 3;
        if (dice === 0) return { kind: "unavailable", reason: "before" };
        const outcome = await inner.write(batch);
        return dice === 1 ? { kind: "unavailable", reason: "after" } : outcome;
      },
      watermark: (p) => inner.watermark(p),
      range: (room, first, last) => inner.range(room, first, last),
      snapshot: (p, room, since) => inner.snapshot(p, room, since),
      members: (room, after) => inner.members(room, after),
      messages: (room, query) => inner.messages(room, query),
      lookup: (p, room, sender, id) => inner.lookup(p, room, sender, id),
      close: () => inner.close(),
    });
    await expectWhole(store, await archive(store, flaky));
  });
});
