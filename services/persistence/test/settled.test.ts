// Settled watermarks: the proof that no owner can have written behind the archive (R2). Which
// releases count, and what a history server answers while its store is unavailable.

import { expect } from "chai";
import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import { openArchiveReader } from "#shared/adapters/archive-over-bus.ts";
import { systemClock } from "#shared/adapters/clock-system.ts";
import { MemoryArchive } from "#shared/adapters/archive-memory.ts";
import type { Claim, Watermark } from "#shared/ports/archive.ts";
import { encodeEntry } from "#shared/protocol/entry.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { HistoryServer } from "../adapters/history-server.ts";
import { Backlog } from "../core/backlog.ts";
import { projectEntry } from "../core/projection.ts";

const node = "room-a" as ProcessId;
const bounds = { linesMax: 100, bytesMax: 100_000 };

function batchOf(texts: readonly string[], epoch: number) {
  const backlog = new Backlog(bounds);
  let before = epoch;
  for (const [index, text] of texts.entries()) {
    const entry = projectEntry(11 + index, text, before);
    before = entry.epoch;
    backlog.push(entry, text.length);
  }
  return backlog.take(0, 10, bounds);
}

describe("Settled watermarks", () => {
  const claim = encodeEntry({ kind: "claim", node, at: 0 });
  const release = (epoch: number): string => encodeEntry({ kind: "release", node, epoch, at: 0 });

  it("R2: only the last entry can release a batch, and only the release of the tenure in force", () => {
    expect(batchOf([release(7)], 7).isReleased).to.equal(true);
    expect(batchOf([claim, release(11)], 7).isReleased).to.equal(true);
    expect(batchOf([release(7), claim], 7).isReleased).to.equal(undefined);
    // A stale owner releases a tenure after another owner's claim.
    expect(batchOf([claim, release(7)], 7).isReleased).to.equal(undefined);
  });

  async function served(known: Watermark) {
    const broker = new MemoryBroker();
    const store = new MemoryArchive();
    const claims: (Claim | undefined)[] = [];
    let isAway = false;
    const watermark: MemoryArchive["watermark"] = (p, claim) => {
      claims.push(claim);
      if (isAway) return Promise.resolve({ kind: "unavailable", reason: "away" });
      return store.watermark(p, claim);
    };
    const ports = { store: Object.assign(Object.create(store) as MemoryArchive, { watermark }) };
    const bus = broker.connect();
    const localWatermark = (): Watermark => known;
    const more = { pages: store, localWatermark, clock: systemClock };
    const server = new HistoryServer({ ...ports, ...more, bus });
    server.start(1);
    const client = broker.connect();
    await client.flush();
    return {
      claims,
      client,
      reader: openArchiveReader(client, systemClock),
      goAway: () => (isAway = true),
    };
  }

  it("history-server.3: while the store is unavailable, a claim behind a settled watermark gets no watermark", async () => {
    const settled = await served({ seq: 9, epoch: 3, isSettled: true });
    settled.goAway();
    // No owner begins to serve with that answer alone.
    expect((await settled.reader.watermark(0, 0)).kind).to.equal("ok");
    expect((await settled.reader.watermark(0, 12)).kind).to.equal("unavailable");
    const open = await served({ seq: 9, epoch: 3 });
    open.goAway();
    expect(await open.reader.watermark(0, 12)).to.deep.equal({
      kind: "ok",
      value: { seq: 9, epoch: 3 },
    });
  });

  it("R2: an owner of a version that sends no claim counts as one behind the watermark", async () => {
    const { claims, client, reader } = await served({ seq: 9, epoch: 3 });
    await reader.watermark(0, 12);
    await client.request(subjects.history(0), JSON.stringify({ v: 1, op: "watermark" }), {
      timeoutMs: 1_000,
    });
    expect(claims).to.deep.equal([12, "unknown"]);
  });
});
