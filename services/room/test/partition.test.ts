// The life of a partition that serves, told by its inputs and effects: doubt, drain, memory. How it
// begins is in claiming.test.ts.

import { expect } from "chai";
import { decodeEntry } from "#shared/protocol/entry.ts";
import { RESYNC_ALL } from "#shared/protocol/commands.ts";
import type { Command } from "#shared/protocol/commands.ts";
import type { ProcessId, UserId } from "#shared/protocol/ids.ts";
import type { Effect } from "../core/effects.ts";
import { FENCED_MS } from "../core/partition-state.ts";
import {
  ADA,
  Bench,
  commitEntry,
  DEV,
  emptySnapshot,
  GENERAL,
  GW,
  linesOf,
  NODE,
  only,
  own,
  resultsOf,
  RIVAL,
  send,
} from "./partition-fixture.ts";

describe("Partition: doubt", () => {
  function inFlight(): Bench {
    const bench = new Bench().withRooms([GENERAL]);
    bench.batch([send()]);
    bench.flush();
    return bench;
  }

  it("P14: an owner that hears of archived entries it did not write looks whose they are", () => {
    const bench = inFlight();
    expect(only(bench.step({ kind: "mark", seq: 2 }), "get-entry")).to.have.length(0); // Its own.
    const effects = bench.step({ kind: "mark", seq: 7 });
    expect(only(effects, "get-entry")[0]).to.include({ logSeq: 7 });
    expect(only(effects, "unsubscribe")).to.have.length(1);
    bench.step({
      kind: "entry-read",
      tenure: bench.tenure,
      logSeq: 7,
      entry: decodeEntry(own(RIVAL)),
    });
    expect(bench.partition.state).to.equal("fenced");
  });

  it("P5: an append without an answer drops everything and claims again", () => {
    const bench = inFlight();
    const effects = bench.appended(1, { kind: "unknown", reason: "timeout" });
    expect(only(effects, "unsubscribe")).to.have.length(1);
    expect(only(effects, "read-last")).to.have.length(1);
    expect(resultsOf(effects)).to.deep.equal([]);
    expect(bench.partition.epoch).to.equal(undefined);
    expect(only(bench.last(1), "get-entry")).to.deep.equal([{ kind: "get-entry", logSeq: 1 }]);
    bench.got(1, own(NODE));
    expect(bench.partition.state).to.equal("claiming");
  });

  it("P17: an owner that wakes from a pause to a timeout does not take back what a rival serves", () => {
    const bench = inFlight();
    bench.appended(1, { kind: "unknown", reason: "no answer within 5000 ms" });
    bench.last(4);
    bench.got(4, commitEntry(2, [linesOf(GENERAL, 2, 1)], RIVAL));
    expect(bench.partition.state).to.equal("fenced");
    expect(bench.partition.rival).to.deep.equal({ node: RIVAL, epoch: 2 });
    expect(bench.partition.counts.fenced).to.equal(1);
  });

  it("P17: an owner that hears of a newer epoch stops serving at once and stands back", () => {
    const bench = inFlight();
    const newer = { kind: "superseded", epoch: 7, by: RIVAL } as const;
    expect(bench.step({ ...newer, epoch: 1 })).to.deep.equal([]); // Our own epoch is no news.
    const effects = bench.step(newer);
    expect(only(effects, "unsubscribe")).to.have.length(1);
    expect(bench.partition.state).to.equal("fenced");
    expect(bench.appended(1, { kind: "ok", seq: 2 })).to.deep.equal([]);
    expect(bench.step(newer)).to.deep.equal([]);
  });

  it("P17: a draining owner that hears of its successor is done", () => {
    const bench = inFlight();
    bench.step({ kind: "drain" });
    expect(bench.partition.holds).to.equal(1);
    bench.step({ kind: "superseded", epoch: 7, by: RIVAL });
    expect(bench.partition.state).to.equal("idle");
    expect(bench.partition.holds).to.equal(undefined);
  });

  it("P15: a void commit of a stale owner costs its successor a claim, not three seconds", () => {
    const bench = new Bench();
    bench.serve({ claim: 3, entries: { 1: own(RIVAL), 2: own(RIVAL) } });
    bench.batch([{ c: 900, op: "head", room: GENERAL }]);
    bench.loaded(emptySnapshot(GENERAL, 0));
    bench.batch([send()]);
    bench.flush();
    bench.appended(1, { kind: "conflict", last: 4 });
    bench.got(4, commitEntry(1, [linesOf(GENERAL, 1, 1)], RIVAL));
    expect(bench.partition.state).to.equal("claiming");
  });

  it("P1: a refused append stops it at once; a rival's claim fences it off", () => {
    const bench = inFlight();
    const effects = bench.appended(1, { kind: "conflict", last: 2 });
    expect(only(effects, "unsubscribe")).to.have.length(1);
    expect(only(effects, "broadcast")).to.deep.equal([]);
    expect(only(effects, "get-entry")[0]).to.include({ logSeq: 2 });
    bench.step({
      kind: "entry-read",
      tenure: bench.tenure,
      logSeq: 2,
      entry: decodeEntry(own(RIVAL)),
    });
    expect(bench.partition.state).to.equal("fenced");
  });

  it("P1: a refusal that no rival caused leads to a claim at once", () => {
    const bench = inFlight();
    bench.appended(1, { kind: "conflict", last: 1 });
    const entry = decodeEntry(own(NODE));
    const effects = bench.step({ kind: "entry-read", tenure: bench.tenure, logSeq: 1, entry });
    expect(only(effects, "read-last")).to.have.length(1);
  });

  it("P6: a fenced owner stands back for 3 s", () => {
    const bench = inFlight();
    bench.appended(1, { kind: "conflict", last: 2 });
    bench.step({
      kind: "entry-read",
      tenure: bench.tenure,
      logSeq: 2,
      entry: decodeEntry(own(RIVAL)),
    });
    bench.tick(FENCED_MS - 1);
    expect(bench.partition.state).to.equal("fenced");
    expect(bench.partition.rival).to.deep.equal({ node: RIVAL, epoch: 2 });
    bench.tick(1);
    expect(bench.partition.state).to.equal("idle");
  });

  it("P5: an answer out of order is a doubt, for a rival's entry may stand between", () => {
    const bench = inFlight();
    bench.batch([send()]);
    bench.flush();
    const effects = bench.appended(2, { kind: "ok", seq: 3 });
    expect(resultsOf(effects)).to.deep.equal([]);
    expect(bench.partition.state).to.equal("judging");
  });

  it("P9: when the log is full, what was appended before and is not answered yet is not called refused", () => {
    const bench = new Bench().withRooms([GENERAL]);
    bench.batch([send()]);
    bench.flush();
    const second = send();
    bench.batch([second]);
    bench.flush();
    const refused = bench.appended(2, { kind: "full" }); // The ack of 1 is late, or lost.
    expect(resultsOf(refused)).to.deep.equal([{ c: second.c, error: "busy", afterMs: 1_000 }]);
  });

  it("P9: a full log answers busy, stores nothing, and goes on when there is room again", () => {
    const bench = inFlight();
    const refused = bench.appended(1, { kind: "full" });
    expect(resultsOf(refused).map((result) => "error" in result && result.error)).to.deep.equal([
      "busy",
    ]);
    const later = bench.batch([send()]);
    expect(resultsOf(later)).to.have.length(1);
    expect(resultsOf(later)[0]).to.include({ error: "busy" });
    expect(only(bench.tick(1_000), "read-last")).to.have.length(1);
    const outcome = { kind: "ok", first: 1, last: 1, bytes: 0 } as const;
    bench.step({ kind: "last", tenure: bench.tenure, outcome });
    const claimed = bench.appended(0, { kind: "ok", seq: 2 });
    expect(only(claimed, "read-watermark")).to.have.length(1);
  });
});

describe("Partition: draining", () => {
  it("P10: it settles what is in flight, then writes the release, then is idle", () => {
    const bench = new Bench().withRooms([GENERAL]);
    bench.batch([send()]);
    bench.flush();
    const drained = bench.step({ kind: "drain" });
    expect(only(drained, "unsubscribe")).to.have.length(1);
    expect(
      only(bench.step({ kind: "unsubscribed", tenure: bench.tenure }), "append"),
    ).to.have.length(0);
    const settled = bench.appended(1, { kind: "ok", seq: 2 });
    expect(resultsOf(settled)).to.have.length(1);
    const [release] = only(settled, "append");
    expect(release).to.include({ n: 0, expected: 2 });
    expect(decodeEntry(release?.text ?? "")).to.include({ kind: "release", epoch: 1 });
    bench.appended(0, { kind: "ok", seq: 3 });
    expect(bench.partition.state).to.equal("idle");
  });

  it("P10: an idle owner releases as soon as its subscription is gone", () => {
    const bench = new Bench().withRooms([GENERAL]);
    bench.step({ kind: "drain" });
    const effects = bench.step({ kind: "unsubscribed", tenure: bench.tenure });
    expect(decodeEntry(only(effects, "append")[0]?.text ?? "")).to.include({ kind: "release" });
  });

  it("P10: nothing is written behind the release, also not what waited for the archive", () => {
    const bench = new Bench().withRooms([GENERAL]);
    bench.batch([send({ room: DEV })]); // DEV is being loaded when the drain begins …
    bench.step({ kind: "drain" });
    const effects = bench.step({ kind: "unsubscribed", tenure: bench.tenure });
    expect(decodeEntry(only(effects, "append")[0]!.text)).to.include({ kind: "release" });
    bench.loaded(emptySnapshot(DEV, 0)); // … and its send would be decided now.
    expect(bench.flush()).to.deep.equal([]);
    expect(bench.tick(10_000)).to.deep.equal([]);
    bench.appended(0, { kind: "ok", seq: 2 });
    expect(bench.partition.state).to.equal("idle");
  });

  it("P8: a batch that reaches a draining owner is left for the successor", () => {
    const bench = new Bench().withRooms([GENERAL]);
    bench.step({ kind: "drain" });
    expect(bench.batch([send()])).to.deep.equal([]);
  });
});

describe("Partition: memory of one tenure", () => {
  it("A3: a gateway that was taken for gone and is heard again is asked to announce its members", () => {
    const bench = new Bench().withRooms([GENERAL]);
    bench.step({ kind: "gateway-gone", gateway: GW });
    const [resync] = only(bench.step({ kind: "gateway-back", gateway: GW }), "resync");
    expect(resync).to.deep.equal({ kind: "resync", gateway: GW, epoch: 1, lane: RESYNC_ALL });
  });

  it("A3: it is asked again until it announces them, but not for ever", () => {
    const bench = new Bench().withRooms([GENERAL]);
    const asks = (effects: Effect[]): number => only(effects, "resync").length;
    const other = "gw-2" as ProcessId;
    for (const gateway of [GW, other]) bench.step({ kind: "gateway-back", gateway });
    expect(asks(bench.tick(999))).to.equal(0);
    expect(asks(bench.tick(1))).to.equal(2);
    bench.batch([{ c: 80_000, op: "sync", rooms: [[GENERAL, 0, [ADA]]] }]);
    const again = only(bench.tick(2_000), "resync");
    expect(again.map(({ gateway }) => gateway)).to.deep.equal([other]); // It has nobody here.
    expect(asks(bench.tick(6_000))).to.equal(1);
    expect(asks(bench.tick(60_000))).to.equal(0);
  });

  it("A1: joins of one batch share one list of all of them, which the first answer carries", () => {
    const bench = new Bench().withRooms([GENERAL]);
    const users = ["ada", "bob", "eve"] as UserId[];
    const joins = users.map((user, i) => ({ c: 90_000 + i, op: "join", room: GENERAL, user }));
    const effects = bench.batch(joins as Command[]);
    const told = resultsOf(effects).map((result) =>
      "here" in result ? (result.users ?? result.listedBy) : undefined,
    );
    expect(told).to.deep.equal([users, 90_000, 90_000]);
  });

  it("P25: a snapshot older than the watermark of the claim is refused and asked for again", () => {
    const bench = new Bench();
    bench.serve({ claim: 9, watermark: 8, epoch: 1 });
    const asked = bench.batch([send()]);
    expect(only(asked, "load-room")).to.have.length(1);
    bench.loaded(emptySnapshot(GENERAL, 7));
    expect(only(bench.flush(), "append")).to.deep.equal([]);
    expect(only(bench.tick(1_000), "load-room")).to.have.length(1);
    bench.loaded(emptySnapshot(GENERAL, 8));
    expect(only(bench.flush(), "append")).to.have.length(1);
  });

  it("A3: the users of a gateway that is gone are announced as left", () => {
    const bench = new Bench().withRooms([GENERAL]);
    bench.batch([{ c: 1, op: "join", room: GENERAL, user: "ada" as never }]);
    const effects = bench.step({ kind: "gateway-gone", gateway: GW });
    expect(only(effects, "announce")[0]?.frame).to.include({ here: 0 });
  });
});
