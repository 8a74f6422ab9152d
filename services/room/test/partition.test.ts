// Partition, by example: uncertain outcomes, the drain, and the memory of one tenure. Its claims
// are in claiming.test.ts.

import { expect } from "chai";
import { decodeEntry } from "#shared/protocol/entry.ts";
import { RESYNC_ALL } from "#shared/protocol/results.ts";
import type { Result } from "#shared/protocol/results.ts";
import type { Command } from "#shared/protocol/commands.ts";
import type { ProcessId, UserId } from "#shared/protocol/ids.ts";
import { WINDOW_BYTES_MAX } from "../core/commit.ts";
import type { Effect } from "../core/partition-io.ts";
import { FENCED_MS, RETRY_MS } from "../core/partition-state.ts";
import {
  ADA,
  PartitionFixture,
  commitEntry,
  DEV,
  emptySnapshot,
  GENERAL,
  GW,
  linesOf,
  NODE,
  only,
  claimEntry,
  resultsOf,
  RIVAL,
  send,
} from "./partition-fixture.ts";

describe("Partition: uncertain outcomes", () => {
  function inFlight(): PartitionFixture {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    fixture.batch([send()]);
    fixture.flush();
    return fixture;
  }

  it("P14: an owner that receives a watermark above its own entries reads that entry to find its writer", () => {
    const fixture = inFlight();
    // The owner's own entry.
    expect(only(fixture.step({ kind: "watermark", seq: 2 }), "get-entry")).to.have.length(0);
    const effects = fixture.step({ kind: "watermark", seq: 7 });
    expect(only(effects, "get-entry")[0]).to.include({ logSeq: 7 });
    expect(only(effects, "unsubscribe")).to.have.length(1);
    fixture.step({
      kind: "entry-read",
      tenure: fixture.tenure,
      logSeq: 7,
      entry: decodeEntry(claimEntry(RIVAL)),
    });
    expect(fixture.partition.state).to.equal("fenced");
  });

  it("P5: an append without an answer ends the tenure, and the partition claims again", () => {
    const fixture = inFlight();
    const effects = fixture.appended(1, { kind: "unknown", reason: "timeout" });
    expect(only(effects, "unsubscribe")).to.have.length(1);
    expect(only(effects, "read-last")).to.have.length(1);
    expect(resultsOf(effects)).to.deep.equal([]);
    expect(fixture.partition.epoch).to.equal(undefined);
    expect(only(fixture.last(1), "get-entry")).to.deep.equal([{ kind: "get-entry", logSeq: 1 }]);
    fixture.entryRead(1, claimEntry(NODE));
    expect(fixture.partition.state).to.equal("claiming");
  });

  it("P17: a paused owner that finds a timeout does not take back a partition that a rival serves", () => {
    const fixture = inFlight();
    fixture.appended(1, { kind: "unknown", reason: "no answer within 5000 ms" });
    fixture.last(4);
    fixture.entryRead(4, commitEntry(2, [linesOf(GENERAL, 2, 1)], RIVAL));
    expect(fixture.partition.state).to.equal("fenced");
    expect(fixture.partition.rival).to.deep.equal({ node: RIVAL, epoch: 2 });
    expect(fixture.partition.counts.fenced).to.equal(1);
  });

  it("P17: an owner that learns of a newer epoch stops serving at once and is fenced", () => {
    const fixture = inFlight();
    const newer = { kind: "superseded", epoch: 7, by: RIVAL } as const;
    expect(fixture.step({ ...newer, epoch: 1 })).to.deep.equal([]); // Its own epoch.
    const effects = fixture.step(newer);
    expect(only(effects, "unsubscribe")).to.have.length(1);
    expect(fixture.partition.state).to.equal("fenced");
    expect(fixture.appended(1, { kind: "ok", seq: 2 })).to.deep.equal([]);
    expect(fixture.step(newer)).to.deep.equal([]);
  });

  it("P17: a draining owner that learns of its successor is idle at once", () => {
    const fixture = inFlight();
    fixture.step({ kind: "drain" });
    expect(fixture.partition.holds).to.equal(1);
    fixture.step({ kind: "superseded", epoch: 7, by: RIVAL });
    expect(fixture.partition.state).to.equal("idle");
    expect(fixture.partition.holds).to.equal(undefined);
  });

  it("P15: a void commit of a stale owner costs its successor one claim, and no fenced time", () => {
    const fixture = new PartitionFixture();
    fixture.serve({ claim: 3, entries: { 1: claimEntry(RIVAL), 2: claimEntry(RIVAL) } });
    fixture.batch([{ c: 900, op: "head", room: GENERAL }]);
    fixture.loaded(emptySnapshot(GENERAL, 0));
    fixture.batch([send()]);
    fixture.flush();
    fixture.appended(1, { kind: "conflict", last: 4 });
    fixture.entryRead(4, commitEntry(1, [linesOf(GENERAL, 1, 1)], RIVAL));
    expect(fixture.partition.state).to.equal("claiming");
  });

  it("P1: a refused append ends the tenure at once; a rival's claim fences the owner", () => {
    const fixture = inFlight();
    const effects = fixture.appended(1, { kind: "conflict", last: 2 });
    expect(only(effects, "unsubscribe")).to.have.length(1);
    expect(only(effects, "broadcast")).to.deep.equal([]);
    expect(only(effects, "get-entry")[0]).to.include({ logSeq: 2 });
    fixture.step({
      kind: "entry-read",
      tenure: fixture.tenure,
      logSeq: 2,
      entry: decodeEntry(claimEntry(RIVAL)),
    });
    expect(fixture.partition.state).to.equal("fenced");
  });

  it("P1: a refusal without a rival leads to a claim at once", () => {
    const fixture = inFlight();
    fixture.appended(1, { kind: "conflict", last: 1 });
    const entry = decodeEntry(claimEntry(NODE));
    const effects = fixture.step({ kind: "entry-read", tenure: fixture.tenure, logSeq: 1, entry });
    expect(only(effects, "read-last")).to.have.length(1);
  });

  it("P6: a fenced owner waits 3 s before it is idle again", () => {
    const fixture = inFlight();
    fixture.appended(1, { kind: "conflict", last: 2 });
    fixture.step({
      kind: "entry-read",
      tenure: fixture.tenure,
      logSeq: 2,
      entry: decodeEntry(claimEntry(RIVAL)),
    });
    fixture.tick(FENCED_MS - 1);
    expect(fixture.partition.state).to.equal("fenced");
    expect(fixture.partition.rival).to.deep.equal({ node: RIVAL, epoch: 2 });
    fixture.tick(1);
    expect(fixture.partition.state).to.equal("idle");
  });

  it("P5: an answer out of order is an uncertain outcome, because a rival's entry may be between", () => {
    const fixture = inFlight();
    fixture.batch([send()]);
    fixture.flush();
    const effects = fixture.appended(2, { kind: "ok", seq: 3 });
    expect(resultsOf(effects)).to.deep.equal([]);
    expect(fixture.partition.state).to.equal("judging");
  });

  it("P9: when the log is full, a send whose append is unanswered is not refused", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    fixture.batch([send()]);
    fixture.flush();
    const second = send();
    fixture.batch([second]);
    fixture.flush();
    // The answer to append 1 is late, or lost.
    const refused = fixture.appended(2, { kind: "full" });
    expect(resultsOf(refused)).to.deep.equal([{ c: second.c, error: "busy", afterMs: 1_000 }]);
  });

  it("P9: a full log answers busy, stores nothing, and accepts appends when it has space again", () => {
    const fixture = inFlight();
    const refused = fixture.appended(1, { kind: "full" });
    expect(resultsOf(refused).map((result) => "error" in result && result.error)).to.deep.equal([
      "busy",
    ]);
    const later = fixture.batch([send()]);
    expect(resultsOf(later)).to.have.length(1);
    expect(resultsOf(later)[0]).to.include({ error: "busy" });
    const newer = { v: 1, gw: GW, lane: 1, n: 9, commands: [], unknown: [77] } as const;
    const [reply] = only(fixture.step({ kind: "batch", batch: newer }), "reply");
    expect(reply?.results).to.deep.equal([{ result: { c: 77, error: "unknown_type" } }]);
    expect(only(fixture.tick(1_000), "read-last")).to.have.length(1);
    const outcome = { kind: "ok", first: 1, last: 1, bytes: 0 } as const;
    fixture.step({ kind: "last", tenure: fixture.tenure, outcome });
    const claimed = fixture.appended(0, { kind: "ok", seq: 2 });
    expect(only(claimed, "read-watermark")).to.have.length(1);
  });
});

describe("Partition: commit window", () => {
  it("P9: with a full window a send gets busy and is not stored, and it is taken again after the next commit", () => {
    const fixture = new PartitionFixture(1 << 28).withRooms([GENERAL, DEV]);
    const { refused, results, taken, append } = fixture.fillWindow(GENERAL);
    expect(results).to.deep.equal([{ c: refused.c, error: "busy", afterMs: 1_000 }]);
    // Each text has 16,000 bytes, and its line and reply have at most 1,000 more.
    expect(taken).to.be.within(WINDOW_BYTES_MAX / 17_000, WINDOW_BYTES_MAX / 16_000);
    expect(fixture.memory.isFull).to.equal(false);
    // The window belongs to the partition: other rooms and senders get the same.
    const other = send({ room: DEV, from: "eve" as UserId });
    expect(resultsOf(fixture.batch([other]))[0]).to.include({ c: other.c, error: "busy" });
    const settled = fixture.appended(append.n, { kind: "ok", seq: append.expected + 1 });
    const acked = resultsOf(settled);
    expect(acked.length).to.be.within(1, taken);
    expect(resultsOf(fixture.batch([refused, other]))).to.deep.equal([]);
    // The refused send gets the number after all others, and the other room its first one.
    const got: Result[] = [];
    for (let n = append.n + 1, seq = append.expected + 2; acked.length + got.length < taken + 2;) {
      fixture.flush();
      got.push(...resultsOf(fixture.appended(n++, { kind: "ok", seq: seq++ })));
    }
    expect(got.filter(({ c }) => c === refused.c || c === other.c)).to.deep.equal([
      { c: refused.c, ok: "sent", seq: taken + 1, at: fixture.now },
      { c: other.c, ok: "sent", seq: 1, at: fixture.now },
    ]);
  });
});

describe("Partition: idle", () => {
  it("P5: an idle partition ignores gateways, answers of the archive, pauses and a split", () => {
    const fixture = new PartitionFixture();
    for (const kind of ["gateway-gone", "gateway-back"] as const) {
      expect(fixture.step({ kind, gateway: GW }), kind).to.deep.equal([]);
    }
    const about = { tenure: 0, room: GENERAL } as const;
    const unavailable = { outcome: { kind: "unavailable", reason: "x" } } as const;
    expect(fixture.step({ kind: "room-loaded", ...about, ...unavailable })).to.deep.equal([]);
    const asked = { kind: "looked-up", ...about, from: ADA, ...unavailable };
    expect(fixture.step(asked as never)).to.deep.equal([]);
    for (const kind of ["flush", "lapsed", "split"] as const) {
      expect(fixture.step({ kind }), kind).to.deep.equal([]);
    }
    expect(fixture.partition.state).to.equal("idle");
  });

  it("P5: a watermark does not repeat a claim that waits for its next attempt", () => {
    const fixture = new PartitionFixture();
    fixture.step({ kind: "claim" });
    const outcome = { kind: "unknown", reason: "test" } as const;
    fixture.step({ kind: "last", tenure: fixture.tenure, outcome });
    expect(fixture.step({ kind: "watermark", seq: 9 })).to.deep.equal([]);
    expect(only(fixture.tick(RETRY_MS), "read-last")).to.have.length(1);
  });
});

describe("Partition: draining", () => {
  it("P10: a draining owner settles the appends in flight, writes the release, and is then idle", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    fixture.batch([send()]);
    fixture.flush();
    const drained = fixture.step({ kind: "drain" });
    expect(only(drained, "unsubscribe")).to.have.length(1);
    expect(
      only(fixture.step({ kind: "unsubscribed", tenure: fixture.tenure }), "append"),
    ).to.have.length(0);
    const settled = fixture.appended(1, { kind: "ok", seq: 2 });
    expect(resultsOf(settled)).to.have.length(1);
    const [release] = only(settled, "append");
    expect(release).to.include({ n: 0, expected: 2 });
    expect(decodeEntry(release?.text ?? "")).to.include({ kind: "release", epoch: 1 });
    fixture.appended(0, { kind: "ok", seq: 3 });
    expect(fixture.partition.state).to.equal("idle");
  });

  it("P10: an owner without appends in flight releases as soon as its subscription has ended", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    fixture.step({ kind: "drain" });
    const effects = fixture.step({ kind: "unsubscribed", tenure: fixture.tenure });
    expect(decodeEntry(only(effects, "append")[0]?.text ?? "")).to.include({ kind: "release" });
  });

  it("P10: nothing follows the release in the log, not even sends that waited for the archive", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    fixture.batch([send({ room: DEV })]); // DEV is being loaded when the drain begins …
    fixture.step({ kind: "drain" });
    const effects = fixture.step({ kind: "unsubscribed", tenure: fixture.tenure });
    expect(decodeEntry(only(effects, "append")[0]!.text)).to.include({ kind: "release" });
    fixture.loaded(emptySnapshot(DEV, 0)); // … and its send would be decided now.
    expect(fixture.flush()).to.deep.equal([]);
    expect(fixture.tick(10_000)).to.deep.equal([]);
    fixture.appended(0, { kind: "ok", seq: 2 });
    expect(fixture.partition.state).to.equal("idle");
  });

  it("P8: a draining owner ignores a batch, and leaves it for its successor", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    fixture.step({ kind: "drain" });
    expect(fixture.batch([send()])).to.deep.equal([]);
  });
});

describe("Partition: memory of one tenure", () => {
  it("A3: requests a sync from a gateway that is back after its timeout", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    fixture.step({ kind: "gateway-gone", gateway: GW });
    const [resync] = only(fixture.step({ kind: "gateway-back", gateway: GW }), "resync");
    expect(resync).to.deep.equal({ kind: "resync", gateway: GW, epoch: 1, lane: RESYNC_ALL });
  });

  it("A3: repeats the request for a sync until the sync arrives, but not without end", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    const asks = (effects: Effect[]): number => only(effects, "resync").length;
    const other = "gw-2" as ProcessId;
    for (const gateway of [GW, other]) fixture.step({ kind: "gateway-back", gateway });
    expect(asks(fixture.tick(999))).to.equal(0);
    expect(asks(fixture.tick(1))).to.equal(2);
    fixture.batch([{ c: 80_000, op: "sync", rooms: [[GENERAL, 0, [ADA]]] }]);
    const again = only(fixture.tick(2_000), "resync");
    expect(again.map(({ gateway }) => gateway)).to.deep.equal([other]); // It has no members here.
    expect(asks(fixture.tick(6_000))).to.equal(1);
    expect(asks(fixture.tick(60_000))).to.equal(0);
  });

  it("A1: the joins of one batch share one complete list, which the first answer carries", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    const users = ["ada", "bob", "eve"] as UserId[];
    const joins = users.map((user, i) => ({ c: 90_000 + i, op: "join", room: GENERAL, user }));
    const effects = fixture.batch(joins as Command[]);
    const named = resultsOf(effects).map((result) =>
      "here" in result ? (result.users ?? result.listedBy) : undefined,
    );
    expect(named).to.deep.equal([users, 90_000, 90_000]);
  });

  it("P25: refuses a snapshot older than the watermark of the claim, also after an older watermark came late, and loads the room again", () => {
    const fixture = new PartitionFixture();
    fixture.serve({ claim: 9, watermark: 8, epoch: 1 });
    fixture.step({ kind: "watermark", seq: 5 });
    const asked = fixture.batch([send()]);
    expect(only(asked, "load-room")).to.have.length(1);
    fixture.loaded(emptySnapshot(GENERAL, 7));
    expect(only(fixture.flush(), "append")).to.deep.equal([]);
    expect(only(fixture.tick(1_000), "load-room")).to.have.length(1);
    fixture.loaded(emptySnapshot(GENERAL, 8));
    expect(only(fixture.flush(), "append")).to.have.length(1);
  });

  it("A3: announces the users of a gone gateway as left", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    fixture.batch([{ c: 1, op: "join", room: GENERAL, user: "ada" as never }]);
    const effects = fixture.step({ kind: "gateway-gone", gateway: GW });
    expect(only(effects, "announce")[0]?.frame).to.include({ here: 0 });
  });
});
