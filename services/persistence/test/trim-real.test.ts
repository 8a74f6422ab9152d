// Two archive runners on a real log that they trim, while the archive is sometimes unavailable.

import { expect } from "chai";
import { MemoryArchive } from "#shared/adapters/archive-memory.ts";
import { systemClock, systemRandom } from "#shared/adapters/clock-system.ts";
import { openNatsLog } from "#shared/adapters/log-nats.ts";
import { provision } from "#shared/adapters/nats-provision.ts";
import type { ArchiveStore } from "#shared/ports/archive.ts";
import { encodeEntry } from "#shared/protocol/entry.ts";
import { encodeEvent } from "#shared/protocol/events.ts";
import type { MessageId, ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { openNatsBench } from "#shared/testing/nats-bench.ts";
import { until } from "#shared/testing/wait.ts";
import { LIMITS } from "../core/archiver-io.ts";
import { ArchiveRunner } from "../runtime/archive-runner.ts";

const ROOM = "general" as RoomId;
const NODE = "room-a" as ProcessId;
const ENTRIES = 400;
const KEEP = 10;
const SOON = 15_000;

function commit(seq: number): string {
  const id = `01990000-0000-7000-8000-${seq.toString(16).padStart(12, "0")}` as MessageId;
  const event = {
    t: "msg",
    room: ROOM,
    seq,
    id,
    from: "ada" as UserId,
    at: seq,
    body: {},
  } as const;
  const groups = [{ room: ROOM, first: seq, lines: [encodeEvent(event)] }];
  return encodeEntry({ kind: "commit", epoch: 1, node: NODE, at: 0, groups });
}

describe("Archive runners on a real log", () => {
  it("D5: trims the log behind the watermark, never past it, and keeps a tail", async () => {
    await using bench = await openNatsBench();
    const bus = await bench.connect();
    const logBytesMax = 16 * 1_024 * 1_024;
    await provision(bus.connection, { partitions: 1, replicas: 1, logBytesMax });
    const log = openNatsLog(bus);
    await log.append(0, encodeEntry({ kind: "claim", node: NODE, at: 0 }), 0);

    const archive = new MemoryArchive();
    let isAway = false;
    const store: ArchiveStore = {
      write: (batch) =>
        isAway
          ? Promise.resolve({ kind: "unavailable", reason: "planted by the test" })
          : archive.write(batch),
      watermark: (p) => archive.watermark(p),
      range: (room, first, last) => archive.range(room, first, last),
      snapshot: (p, room, since) => archive.snapshot(p, room, since),
      members: (room, after) => archive.members(room, after),
      messages: (room, query) => archive.messages(room, query),
      lookup: (p, room, sender, id) => archive.lookup(p, room, sender, id),
      close: () => archive.close(),
    };
    const watermark = async (): Promise<number> => {
      const read = await archive.watermark(0);
      return read.kind === "ok" ? read.value.seq : 0;
    };
    const firstKept = async (): Promise<number> => {
      const state = await log.last(0);
      return state.kind === "ok" ? state.first : 0;
    };
    const keep = { keepEntries: KEEP, keepShare: 0 };
    const often = { ...LIMITS, ...keep, trimEveryMs: 20, tickMs: 20, lingerMs: 5 };
    const ports = { log, store, bus, clock: systemClock, random: systemRandom };
    const runners = [0, 1].map(
      () => new ArchiveRunner(0, { ...ports, onReport: () => undefined }, often),
    );
    for (const runner of runners) runner.start();
    for (let seq = 1; seq <= ENTRIES; seq++) {
      expect(await log.append(0, commit(seq), seq)).to.include({ kind: "ok" });
      // Unavailable for the second quarter: entries of that time must not be trimmed.
      isAway = seq > ENTRIES / 4 && seq <= ENTRIES / 2;
      if (seq % 10 !== 0) continue;
      const first = await firstKept(); // Read first: the watermark only grows.
      expect(first).to.be.at.most(Math.max(1, (await watermark()) - KEEP + 1));
    }
    const end = ENTRIES + 1;
    await until(async () => (await firstKept()) === end - KEEP + 1, {
      withinMs: SOON,
      what: "the log to be trimmed to its tail",
    });
    await Promise.all(runners.map((runner) => runner.stop()));
    expect(await watermark()).to.equal(end);
    const read = await archive.range(ROOM, 1, ENTRIES);
    expect(read.kind === "ok" ? read.value.lines.length : 0).to.equal(ENTRIES);
    for (const wrong of [0, 1, -1, 2.5, Number.NaN, end, end + 1]) {
      expect(await log.trim(0, wrong), String(wrong)).to.deep.equal({ kind: "refused" });
    }
    expect(await log.last(0)).to.include({ first: end - KEEP + 1, last: end });
  });
});
