// Partition: the split of a partition, step by step, and the claim of its upper half.

import { expect } from "chai";
import { decodeEntry, encodeEntry } from "#shared/protocol/entry.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { isRoomOf } from "#shared/protocol/partition-map.ts";
import { LogEnds } from "../core/log-ends.ts";
import { ARCHIVED_LATELY_MS, UNBEGUN_RETRY_MS } from "../core/partition-state.ts";
import type { Effect } from "../core/partition-io.ts";
import {
  claimEntry,
  commitEntry,
  GW,
  linesOf,
  NODE,
  only,
  PartitionFixture,
  resultsOf,
  RIVAL,
  send,
  T0,
} from "./partition-fixture.ts";

/** The first names for which the condition holds. */
function roomIn(p: number, of: number): RoomId {
  for (let n = 0; ; n++) if (isRoomOf(`r-${n}` as RoomId, p, of)) return `r-${n}` as RoomId;
}

const STAYS = roomIn(0, 2);
const MOVES = roomIn(1, 2);
const splitEntry = (epoch: number, node = NODE): string =>
  encodeEntry({ kind: "split", epoch, node, at: T0, of: 2 });

/** Ticks for ARCHIVED_LATELY_MS, so that `maySplit` depends on the watermark only. */
function age(fixture: PartitionFixture): void {
  for (let ms = 0; ms <= ARCHIVED_LATELY_MS; ms += 100) fixture.tick(100);
}

/** An owner of epoch 1 that has everything archived, in a split. */
function splitting(): { fixture: PartitionFixture; effects: Effect[] } {
  const fixture = new PartitionFixture().withRooms([STAYS]);
  age(fixture);
  fixture.step({ kind: "watermark", seq: 1 });
  const effects = fixture.step({ kind: "split" });
  return { fixture, effects };
}

const unsubscribed = (fixture: PartitionFixture): Effect[] =>
  fixture.step({ kind: "unsubscribed", tenure: fixture.tenure });

/** A split was asked for while an append is in flight. */
function splitWithAppend(): PartitionFixture {
  const fixture = new PartitionFixture().withRooms([STAYS]);
  age(fixture);
  fixture.step({ kind: "watermark", seq: 1 });
  fixture.batch([send({ room: STAYS })]);
  fixture.flush();
  fixture.step({ kind: "split" });
  return fixture;
}

describe("Partition: a split", () => {
  it("P30: begins only when the archive has the log of one second ago", () => {
    const fixture = new PartitionFixture().withRooms([STAYS]);
    expect(fixture.step({ kind: "split" })).to.deep.equal([]);
    age(fixture);
    expect(fixture.step({ kind: "split" })).to.deep.equal([]);
    fixture.step({ kind: "watermark", seq: 1 });
    expect(fixture.partition.maySplit).to.equal(true);
    fixture.batch([send({ room: STAYS })]);
    fixture.flush();
    fixture.appended(1, { kind: "ok", seq: 2 });
    age(fixture);
    expect(fixture.partition.maySplit).to.equal(false);
    expect(splitting().fixture.partition.maySplit, "it has begun").to.equal(false);
  });

  it("P28: the split follows the settled window and is the last entry of its tenure", () => {
    const { fixture, effects } = splitting();
    expect(effects.map(({ kind }) => kind)).to.deep.equal(["unsubscribe", "changed"]);
    const [append] = only(unsubscribed(fixture), "append");
    expect(append?.expected).to.equal(1);
    expect(decodeEntry(append?.text ?? "")).to.include({ kind: "split", epoch: 1, of: 2 });
    expect(fixture.partition.holds).to.equal(undefined);
    const claim = fixture.appended(0, { kind: "ok", seq: 2 });
    expect(only(claim, "read-last")).to.have.length(1);
    expect(fixture.partition.state).to.equal("claiming");
  });

  it("P28: waits for the appends in flight", () => {
    const fixture = splitWithAppend();
    expect(only(unsubscribed(fixture), "append")).to.deep.equal([]);
    const after = fixture.appended(1, { kind: "ok", seq: 2 });
    expect(resultsOf(after)[0]).to.include({ ok: "sent", seq: 1 });
    expect(only(after, "append")[0]?.text).to.contain('"split"');
  });

  it("P28: waits for the end of the subscription, also when the window is settled before", () => {
    const fixture = splitWithAppend();
    expect(only(fixture.appended(1, { kind: "ok", seq: 2 }), "append")).to.deep.equal([]);
    expect(only(unsubscribed(fixture), "append")[0]?.text).to.contain('"split"');
  });

  it("P17: an owner that learns of its successor during a split is fenced", () => {
    const { fixture } = splitting();
    const effects = fixture.step({ kind: "superseded", epoch: 4, by: RIVAL });
    expect(effects.slice(0, 2)).to.deep.equal([{ kind: "unsubscribe" }, { kind: "changed" }]);
    expect(fixture.partition.state).to.equal("fenced");
    expect(fixture.partition.rival).to.deep.include({ node: RIVAL, epoch: 4 });
  });

  it("partition.7: the outcome of a split is logged, and a late answer of its tenure changes nothing", () => {
    for (const outcome of [
      { kind: "ok", seq: 2 },
      { kind: "unknown", reason: "timeout" },
    ] as const) {
      const { fixture } = splitting();
      unsubscribed(fixture);
      const { tenure } = fixture;
      const [log, ...rest] = fixture.appended(0, outcome);
      const detail = { epoch: 1, of: 2, outcome };
      expect(log).to.deep.equal({ kind: "log", event: "partition split", detail });
      const isOk = outcome.kind === "ok";
      expect(rest).to.have.deep.members([
        { kind: "changed" },
        { kind: "read-last", ...(isOk && { withArchive: true }) },
      ]);
      const late = { kind: "ok", first: 1, last: 9, bytes: 0 } as const;
      expect(fixture.step({ kind: "last", tenure, outcome: late })).to.deep.equal([]);
      expect(fixture.tenure).to.be.above(tenure);
    }
  });

  it("partition.7: after an uncertain outcome the partition reads the last entry before it claims", () => {
    for (const kind of ["unknown", "conflict", "full"] as const) {
      const { fixture } = splitting();
      unsubscribed(fixture);
      const outcome = kind === "unknown" ? { kind, reason: "timeout" } : { kind };
      const effects = fixture.appended(0, outcome);
      expect(only(effects, "read-last"), kind).to.deep.equal([{ kind: "read-last" }]);
      fixture.last(2);
      fixture.entryRead(2, splitEntry(1)); // It was written after all.
      expect(fixture.partition.state).to.equal("claiming");
    }
  });

  it("P9: a log that is full during the drain of a split lets the next commands get busy", () => {
    const fixture = splitWithAppend();
    unsubscribed(fixture);
    const effects = fixture.appended(1, { kind: "full" });
    expect(resultsOf(effects)[0]).to.include({ error: "busy" });
    expect(only(effects, "subscribe")).to.have.length(1);
    expect(resultsOf(fixture.batch([send({ room: STAYS })]))[0]).to.include({ error: "busy" });
  });

  it("partition.7: the split of a rival fences the owner", () => {
    const { fixture } = splitting();
    unsubscribed(fixture);
    fixture.appended(0, { kind: "conflict", last: 4 });
    fixture.last(4);
    fixture.entryRead(4, splitEntry(3, RIVAL));
    expect(fixture.partition.state).to.equal("fenced");
  });

  it("P10: a node that leaves during a split releases, or stops after the split that it has written", () => {
    const early = splitting().fixture;
    early.step({ kind: "drain" });
    expect(only(unsubscribed(early), "append")[0]?.text).to.contain('"release"');
    const late = splitting().fixture;
    unsubscribed(late);
    late.step({ kind: "drain" });
    late.appended(0, { kind: "ok", seq: 2 });
    expect([early.partition.state, late.partition.state]).to.deep.equal(["draining", "idle"]);
  });

  it("replay.5: the next owner finds the split in the log, and has no room that moved", () => {
    const fixture = new PartitionFixture();
    const effects = fixture.serve({
      claim: 4,
      entries: {
        1: claimEntry(RIVAL),
        2: commitEntry(1, [linesOf(STAYS, 1, 2), linesOf(MOVES, 1, 3)], RIVAL),
        3: splitEntry(1, RIVAL),
      },
    });
    expect(fixture.partition.of).to.equal(2);
    expect(only(effects, "repeat-head").map(({ room }) => room)).to.deep.equal([STAYS]);
    fixture.step({ kind: "watermark", seq: 4 });
    expect(fixture.memory.account.usedBy("replay")).to.equal(0);
  });

  it("P28: the next owner knows an archived split from the watermark", () => {
    const fixture = new PartitionFixture();
    fixture.serve({ claim: 9, watermark: 8, of: 2 });
    expect(fixture.partition.of).to.equal(2);
  });

  it("entry.5: a split of a stale epoch, and every commit behind a split, is void", () => {
    const fixture = new PartitionFixture();
    const effects = fixture.serve({
      claim: 5,
      entries: {
        1: claimEntry(RIVAL),
        2: splitEntry(7),
        3: commitEntry(1, [linesOf(MOVES, 1, 1)], RIVAL),
        4: claimEntry(RIVAL),
      },
    });
    expect(fixture.partition.of).to.equal(1);
    expect(only(effects, "repeat-head")).to.deep.equal([]);
  });

  it("P29: a batch with a command for a moved room is not taken, and neither is the next batch of its incarnation", () => {
    const fixture = new PartitionFixture();
    fixture.serve({ claim: 9, watermark: 8, of: 2 });
    const again = { kind: "resync", gateway: GW, epoch: 9, lane: fixture.lane };
    const mixed = fixture.batch([send({ room: STAYS }), send({ room: MOVES })]);
    expect(mixed).to.deep.equal([{ ...again, of: 2 }]);
    expect(fixture.batch([send({ room: STAYS })])).to.deep.equal([again]);
  });

  it("tenure.6: a sync that names a moved room is not taken", () => {
    const fixture = new PartitionFixture();
    fixture.serve({ claim: 9, watermark: 8, of: 2 });
    const sync = { c: 1, op: "sync", rooms: [[STAYS, 0, []] as const, [MOVES, 0, []] as const] };
    const [answer] = fixture.batch([sync as never]);
    expect(answer).to.include({ kind: "resync", of: 2 });
  });
});

describe("Partition: an upper half", () => {
  const place = { p: 1, first: 1 };

  function claiming(): PartitionFixture {
    const fixture = new PartitionFixture(1 << 24, place);
    fixture.step({ kind: "claim" });
    return fixture;
  }
  const last = (fixture: PartitionFixture, archived: number): Effect[] => {
    const outcome = { kind: "ok", first: 2, last: 1, bytes: 0 } as const;
    return fixture.step({ kind: "last", tenure: fixture.tenure, outcome, archived });
  };

  it("P28: is not claimed before the archive has the split, and at once after it", () => {
    const fixture = claiming();
    expect(last(fixture, 0)).to.deep.equal([]);
    expect(fixture.partition.isUnbegun).to.equal(true);
    expect(fixture.tick(UNBEGUN_RETRY_MS - 1)).to.deep.equal([]);
    expect(fixture.step({ kind: "watermark", seq: 1 })).to.deep.equal([
      { kind: "read-last", withArchive: true },
    ]);
    // A second message while the read is under way.
    expect(fixture.step({ kind: "watermark", seq: 1 })).to.deep.equal([]);
    expect(only(last(fixture, 1), "append")[0]).to.include({ expected: 1 });
    expect(fixture.partition.isUnbegun).to.equal(false);
  });

  it("P28: asks the archive again at once when the message came while an older answer was on its way", () => {
    const fixture = claiming();
    expect(fixture.step({ kind: "watermark", seq: 1 })).to.deep.equal([]);
    expect(last(fixture, 0), "the first read").to.deep.equal([
      { kind: "read-last", withArchive: true },
    ]);
    // The archive still answers without the split. One message causes one read.
    expect(last(fixture, 0)).to.deep.equal([]);
    expect(fixture.tick(UNBEGUN_RETRY_MS - 1)).to.deep.equal([]);
    expect(only(fixture.tick(1), "read-last")).to.have.length(1);
    expect(fixture.step({ kind: "watermark", seq: 1 })).to.deep.equal([]);
    expect(only(last(fixture, 0), "read-last"), "a later read").to.have.length(1);
    expect(only(last(fixture, 1), "append")).to.have.length(1);
  });

  it("P28: asks the archive again without a message", () => {
    const fixture = claiming();
    last(fixture, 0);
    expect(only(fixture.tick(UNBEGUN_RETRY_MS), "read-last")).to.deep.equal([
      { kind: "read-last", withArchive: true },
    ]);
  });
});

describe("LogEnds", () => {
  it("log-ends.1: keeps the ticks of one second, and names the oldest once they span it", () => {
    const ends = new LogEnds();
    expect(ends.earlier).to.equal(undefined);
    for (let tick = 0; tick <= 30; tick++) {
      ends.note(tick, 50_000 + tick * 100);
      expect(ends.earlier).to.equal(tick < 10 ? undefined : tick - 10);
    }
    ends.note(99, 60_000);
    expect(ends.earlier).to.equal(30);
  });
});
