// Claiming: how a tenure begins with a claim and a replay, and when a claim does not lead to a
// tenure.

import { expect } from "chai";
import { decodeEntry } from "#shared/protocol/entry.ts";
import {
  PartitionFixture,
  commitEntry,
  DEV,
  GENERAL,
  linesOf,
  only,
  claimEntry,
  emptySnapshot,
  resultsOf,
  RIVAL,
  send,
} from "./partition-fixture.ts";

describe("Partition: claiming", () => {
  it("P1: a claim expects the last log sequence, and after a refusal the one that the log returned", () => {
    const fixture = new PartitionFixture();
    expect(only(fixture.step({ kind: "claim" }), "read-last")).to.have.length(1);
    const outcome = { kind: "ok", first: 1, last: 41, bytes: 0 } as const;
    const [first] = only(fixture.step({ kind: "last", tenure: fixture.tenure, outcome }), "append");
    expect(first).to.include({ n: 0, expected: 41 });
    const [second] = only(fixture.appended(0, { kind: "conflict", last: 57 }), "append");
    expect(second).to.include({ n: 0, expected: 57 });
  });

  it("R1: a partition appends nothing to a log that ends below its archive, until the log reaches it", () => {
    const fixture = new PartitionFixture();
    const [asked] = only(fixture.step({ kind: "claim" }), "read-last");
    expect(asked).to.include({ withArchive: true });
    const logged: string[] = [];
    for (const last of [0, 1, 499]) {
      const outcome = { kind: "ok", first: 1, last, bytes: 0 } as const;
      const effects = fixture.step({
        kind: "last",
        tenure: fixture.tenure,
        outcome,
        archived: 500,
      });
      expect(only(effects, "append")).to.deep.equal([]);
      logged.push(...only(effects, "log").map(({ event }) => event));
      expect(only(fixture.tick(1_000), "read-last")[0]).to.include({ withArchive: true });
    }
    expect(logged).to.deep.equal(["log behind archive"]); // Once, and not at every retry.
    expect(fixture.partition.state).to.equal("claiming");
    const outcome = { kind: "ok", first: 501, last: 500, bytes: 0 } as const;
    const effects = fixture.step({ kind: "last", tenure: fixture.tenure, outcome, archived: 500 });
    expect(only(effects, "append")[0]).to.include({ n: 0, expected: 500 });
  });

  it("P2: the epoch is the log sequence of the claim", () => {
    const fixture = new PartitionFixture();
    fixture.serve({ claim: 812, watermark: 811 });
    expect(fixture.partition.epoch).to.equal(812);
  });

  it("P3: the partition serves only after it has read its own claim, and then repeats the replayed heads", () => {
    const fixture = new PartitionFixture();
    fixture.step({ kind: "claim" });
    const last = { kind: "ok", first: 1, last: 3, bytes: 0 } as const;
    fixture.step({ kind: "last", tenure: fixture.tenure, outcome: last });
    fixture.appended(0, { kind: "ok", seq: 4 });
    const outcome = { kind: "ok", value: { seq: 1, epoch: 1 } } as const;
    const asked = fixture.step({ kind: "watermark-read", tenure: fixture.tenure, outcome });
    expect(only(asked, "open-reader")[0]).to.include({ from: 2 });
    fixture.entry(2, commitEntry(1, [linesOf(GENERAL, 1, 2)]));
    fixture.entry(3, commitEntry(1, [linesOf(DEV, 7, 1), linesOf(GENERAL, 3, 1)]));
    expect(fixture.partition.state).to.equal("replaying");
    const served = fixture.entry(4, claimEntry());
    expect(fixture.partition.state).to.equal("serving");
    expect(only(served, "subscribe")).to.have.length(1);
    expect(only(served, "repeat-head").map(({ room, head }) => [room, head])).to.deep.equal([
      [GENERAL, 3],
      [DEV, 7],
    ]);
  });

  it("P4: reads the watermark again when the log was trimmed during the replay", () => {
    const fixture = new PartitionFixture();
    fixture.step({ kind: "claim" });
    const last = { kind: "ok", first: 1, last: 9, bytes: 0 } as const;
    fixture.step({ kind: "last", tenure: fixture.tenure, outcome: last });
    fixture.appended(0, { kind: "ok", seq: 10 });
    const outcome = { kind: "ok", value: { seq: 2, epoch: 1 } } as const;
    fixture.step({ kind: "watermark-read", tenure: fixture.tenure, outcome });
    const effects = fixture.entry(6, commitEntry(1, [linesOf(GENERAL, 5, 1)]));
    expect(only(effects, "close-reader")).to.have.length(1);
    expect(only(fixture.tick(1_000), "read-watermark")).to.have.length(1);
  });

  it("P15: the replay skips a void commit of a stale owner", () => {
    const fixture = new PartitionFixture();
    // Entry 2, a rival's claim, took the sequence that the stale owner's entry 3 expected.
    const entries = {
      1: commitEntry(0, [linesOf(GENERAL, 1, 1)]),
      2: claimEntry(RIVAL),
      3: commitEntry(0, [linesOf(GENERAL, 3, 1)]),
      4: commitEntry(2, [linesOf(GENERAL, 9, 1)], RIVAL), // Void, after the void entry 3.
      5: claimEntry(RIVAL),
      6: commitEntry(5, [linesOf(GENERAL, 2, 1)], RIVAL),
    };
    const served = fixture.serve({ claim: 7, watermark: 0, entries });
    expect(only(served, "repeat-head").map(({ head }) => head)).to.deep.equal([2]);
  });

  it("P15: does not serve a claim that is overtaken in the archive, because all its commits would be void", () => {
    const fixture = new PartitionFixture();
    fixture.step({ kind: "claim" });
    const last = { kind: "ok", first: 1, last: 14, bytes: 0 } as const;
    fixture.step({ kind: "last", tenure: fixture.tenure, outcome: last });
    fixture.appended(0, { kind: "ok", seq: 15 });
    // A rival claims at 16 before the watermark is read, and the archive already has that claim.
    const value = { seq: 16, epoch: 16 };
    const outcome = { kind: "ok", value } as const;
    const effects = fixture.step({ kind: "watermark-read", tenure: fixture.tenure, outcome });
    expect(only(effects, "get-entry")[0]).to.include({ logSeq: 16 });
    expect(only(effects, "subscribe")).to.have.length(0);
    const entry = decodeEntry(claimEntry(RIVAL));
    fixture.step({ kind: "entry-read", tenure: fixture.tenure, logSeq: 16, entry });
    expect(fixture.partition.state).to.equal("fenced");
    expect(fixture.partition.rival?.node).to.equal(RIVAL);
  });

  it("P5: an answer to a dropped claim has no effect on the next claim", () => {
    const fixture = new PartitionFixture();
    fixture.step({ kind: "claim" });
    const { tenure } = fixture;
    fixture.step({ kind: "drain" });
    fixture.step({ kind: "claim" });
    const outcome = { kind: "ok", first: 1, last: 41, bytes: 0 } as const;
    expect(fixture.step({ kind: "last", tenure, outcome })).to.deep.equal([]);
    expect(only(fixture.last(57), "append")[0]).to.include({ expected: 57 });
    const late = { kind: "appended", tenure, n: 0, outcome: { kind: "ok", seq: 42 } } as const;
    expect(fixture.step(late)).to.deep.equal([]);
    expect(fixture.partition.state).to.equal("claiming");
  });

  it("P5: answers for an earlier tenure change nothing", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    fixture.batch([send()]);
    fixture.flush();
    const { tenure } = fixture;
    fixture.appended(1, { kind: "unknown", reason: "timeout" });
    expect(fixture.partition.state).to.equal("judging");
    const late = fixture.step({ kind: "appended", tenure, n: 1, outcome: { kind: "ok", seq: 2 } });
    expect(late).to.deep.equal([]);
  });

  it("P14: a claim forgets a watermark of an archive that its region has replaced", () => {
    const fixture = new PartitionFixture();
    fixture.step({ kind: "watermark", seq: 9 }); // While another region serves.
    fixture.serve({ claim: 5, watermark: 4 });
    fixture.batch([{ c: 1, op: "head", room: GENERAL }]);
    const effects = fixture.loaded(emptySnapshot(GENERAL, 4));
    expect(resultsOf(effects)).to.have.length(1);
  });
});
