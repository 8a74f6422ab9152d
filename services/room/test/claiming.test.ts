// How a tenure begins: the claim, the replay, and when it is not served after all.

import { expect } from "chai";
import { decodeEntry } from "#shared/protocol/entry.ts";
import {
  Bench,
  commitEntry,
  DEV,
  GENERAL,
  linesOf,
  only,
  own,
  RIVAL,
  send,
} from "./partition-fixture.ts";

describe("Partition: claiming", () => {
  it("P1: a claim expects the last sequence, and on refusal the one that the log names", () => {
    const bench = new Bench();
    expect(only(bench.step({ kind: "claim" }), "read-last")).to.have.length(1);
    const outcome = { kind: "ok", first: 1, last: 41, bytes: 0 } as const;
    const [first] = only(bench.step({ kind: "last", tenure: bench.tenure, outcome }), "append");
    expect(first).to.include({ n: 0, expected: 41 });
    const [second] = only(bench.appended(0, { kind: "conflict", last: 57 }), "append");
    expect(second).to.include({ n: 0, expected: 57 });
  });

  it("R1: nothing is appended to a log that ends below its archive, until it reaches it", () => {
    const bench = new Bench();
    const [asked] = only(bench.step({ kind: "claim" }), "read-last");
    expect(asked).to.include({ withArchive: true });
    const said: string[] = [];
    for (const last of [0, 1, 499]) {
      const outcome = { kind: "ok", first: 1, last, bytes: 0 } as const;
      const effects = bench.step({ kind: "last", tenure: bench.tenure, outcome, archived: 500 });
      expect(only(effects, "append")).to.deep.equal([]);
      said.push(...only(effects, "log").map(({ event }) => event));
      expect(only(bench.tick(1_000), "read-last")[0]).to.include({ withArchive: true });
    }
    expect(said).to.deep.equal(["log behind archive"]); // Once, not five times a second.
    expect(bench.partition.state).to.equal("claiming");
    const outcome = { kind: "ok", first: 501, last: 500, bytes: 0 } as const;
    const effects = bench.step({ kind: "last", tenure: bench.tenure, outcome, archived: 500 });
    expect(only(effects, "append")[0]).to.include({ n: 0, expected: 500 });
  });

  it("P2: the epoch is the sequence of the own-entry", () => {
    const bench = new Bench();
    bench.serve({ claim: 812, watermark: 811 });
    expect(bench.partition.epoch).to.equal(812);
  });

  it("P3: it serves only after it saw its own claim, and then knows the replayed heads", () => {
    const bench = new Bench();
    bench.step({ kind: "claim" });
    const last = { kind: "ok", first: 1, last: 3, bytes: 0 } as const;
    bench.step({ kind: "last", tenure: bench.tenure, outcome: last });
    bench.appended(0, { kind: "ok", seq: 4 });
    const outcome = { kind: "ok", value: { seq: 1, epoch: 1 } } as const;
    const asked = bench.step({ kind: "watermark", tenure: bench.tenure, outcome });
    expect(only(asked, "open-reader")[0]).to.include({ from: 2 });
    bench.entry(2, commitEntry(1, [linesOf(GENERAL, 1, 2)]));
    bench.entry(3, commitEntry(1, [linesOf(DEV, 7, 1), linesOf(GENERAL, 3, 1)]));
    expect(bench.partition.state).to.equal("replaying");
    const served = bench.entry(4, own());
    expect(bench.partition.state).to.equal("serving");
    expect(only(served, "subscribe")).to.have.length(1);
    expect(only(served, "repeat-head").map(({ room, head }) => [room, head])).to.deep.equal([
      [GENERAL, 3],
      [DEV, 7],
    ]);
  });

  it("P4: when the log was trimmed during the replay it asks for the watermark again", () => {
    const bench = new Bench();
    bench.step({ kind: "claim" });
    const last = { kind: "ok", first: 1, last: 9, bytes: 0 } as const;
    bench.step({ kind: "last", tenure: bench.tenure, outcome: last });
    bench.appended(0, { kind: "ok", seq: 10 });
    const outcome = { kind: "ok", value: { seq: 2, epoch: 1 } } as const;
    bench.step({ kind: "watermark", tenure: bench.tenure, outcome });
    const effects = bench.entry(6, commitEntry(1, [linesOf(GENERAL, 5, 1)]));
    expect(only(effects, "close-reader")).to.have.length(1);
    expect(only(bench.tick(1_000), "read-watermark")).to.have.length(1);
  });

  it("P15: a void commit of a stale owner is skipped by the replay", () => {
    const bench = new Bench();
    // 2 is a rival's claim that took the very number which the stale owner's 3 expected.
    const entries = {
      1: commitEntry(0, [linesOf(GENERAL, 1, 1)]),
      2: own(RIVAL),
      3: commitEntry(0, [linesOf(GENERAL, 3, 1)]),
      4: commitEntry(2, [linesOf(GENERAL, 9, 1)], RIVAL), // Behind the one that 3 displaced.
      5: own(RIVAL),
      6: commitEntry(5, [linesOf(GENERAL, 2, 1)], RIVAL),
    };
    const served = bench.serve({ claim: 7, watermark: 0, entries });
    expect(only(served, "repeat-head").map(({ head }) => head)).to.deep.equal([2]);
  });

  it("P15: a claim that the archive saw overtaken is not served: all its commits would be void", () => {
    const bench = new Bench();
    bench.step({ kind: "claim" });
    const last = { kind: "ok", first: 1, last: 14, bytes: 0 } as const;
    bench.step({ kind: "last", tenure: bench.tenure, outcome: last });
    bench.appended(0, { kind: "ok", seq: 15 });
    // A rival claimed at 16 before the watermark was asked for, and the archive is there already.
    const value = { seq: 16, epoch: 16 };
    const outcome = { kind: "ok", value } as const;
    const effects = bench.step({ kind: "watermark", tenure: bench.tenure, outcome });
    expect(only(effects, "get-entry")[0]).to.include({ logSeq: 16 });
    expect(only(effects, "subscribe")).to.have.length(0);
    const entry = decodeEntry(own(RIVAL));
    bench.step({ kind: "entry-read", tenure: bench.tenure, logSeq: 16, entry });
    expect(bench.partition.state).to.equal("fenced");
    expect(bench.partition.rival?.node).to.equal(RIVAL);
  });

  it("P5: an answer to a claim that was dropped is not taken for one to the next claim", () => {
    const bench = new Bench();
    bench.step({ kind: "claim" });
    const { tenure } = bench;
    bench.step({ kind: "drain" });
    bench.step({ kind: "claim" });
    const outcome = { kind: "ok", first: 1, last: 41, bytes: 0 } as const;
    expect(bench.step({ kind: "last", tenure, outcome })).to.deep.equal([]);
    expect(only(bench.last(57), "append")[0]).to.include({ expected: 57 });
    const late = { kind: "appended", tenure, n: 0, outcome: { kind: "ok", seq: 42 } } as const;
    expect(bench.step(late)).to.deep.equal([]);
    expect(bench.partition.state).to.equal("claiming");
  });

  it("P5: answers for an earlier tenure change nothing", () => {
    const bench = new Bench().withRooms([GENERAL]);
    bench.batch([send()]);
    bench.flush();
    const { tenure } = bench;
    bench.appended(1, { kind: "unknown", reason: "timeout" });
    expect(bench.partition.state).to.equal("judging");
    const late = bench.step({ kind: "appended", tenure, n: 1, outcome: { kind: "ok", seq: 2 } });
    expect(late).to.deep.equal([]);
  });
});
