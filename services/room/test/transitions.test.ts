// Transitions of a partition: each with all its effects, its waits to the millisecond, and its
// counters.

import { expect } from "chai";
import { decodeEntry, encodeEntry } from "#shared/protocol/entry.ts";
import type { LogSeq } from "#shared/protocol/ids.ts";
import type { Effect } from "../core/partition-io.ts";
import { FENCED_MS, FULL_RETRY_MS, RETRY_MS } from "../core/partition-state.ts";
import {
  PartitionFixture,
  commitEntry,
  DEV,
  emptySnapshot,
  GENERAL,
  GW,
  linesOf,
} from "./partition-fixture.ts";
import { NODE, only, claimEntry, resultsOf, RIVAL, send, T0 } from "./partition-fixture.ts";

const READ_LAST: Effect = { kind: "read-last", withArchive: true };
const CHANGED: Effect = { kind: "changed" };
const UNSUBSCRIBE: Effect = { kind: "unsubscribe" };
const UNKNOWN = { kind: "unknown", reason: "test" } as const;

function claimAppend(expected: LogSeq, at = T0): Effect {
  return { kind: "append", n: 0, text: encodeEntry({ kind: "claim", node: NODE, at }), expected };
}

function claiming(): PartitionFixture {
  const fixture = new PartitionFixture();
  fixture.step({ kind: "claim" });
  return fixture;
}

/** The claim is entry 4, and the archive ends at entry 1. */
function replaying(): PartitionFixture {
  const fixture = claiming();
  fixture.last(3);
  fixture.appended(0, { kind: "ok", seq: 4 });
  watermark(fixture, 1, 1);
  return fixture;
}

function watermark(fixture: PartitionFixture, seq: LogSeq, epoch: number): Effect[] {
  const outcome = { kind: "ok", value: { seq, epoch } } as const;
  return fixture.step({ kind: "watermark-read", tenure: fixture.tenure, outcome });
}

function judging(): PartitionFixture {
  const fixture = new PartitionFixture().withRooms([GENERAL]);
  fixture.batch([send()]);
  fixture.flush();
  fixture.appended(1, { kind: "conflict" });
  return fixture;
}

/** Expects the request after exactly `ms`, and only once. */
function expectAsk(fixture: PartitionFixture, ms: number, asked: Effect): void {
  expect(fixture.tick(ms - 1)).to.deep.equal([]);
  expect(fixture.tick(1)).to.deep.equal([asked]);
  expect(fixture.tick(10 * ms)).to.deep.equal([]);
}

describe("Partition transitions: the claim", () => {
  it("P1: a claim reads the ends of log and archive, and a second claim changes nothing", () => {
    const fixture = new PartitionFixture();
    expect(fixture.partition.counts).to.deep.equal({ claims: 0, refused: 0, fenced: 0 });
    expect(fixture.step({ kind: "claim" })).to.deep.equal([READ_LAST, CHANGED]);
    expect([fixture.partition.state, fixture.tenure]).to.deep.equal(["claiming", 1]);
    expect(fixture.step({ kind: "claim" })).to.deep.equal([]);
    expect([fixture.partition.counts.claims, fixture.tenure]).to.deep.equal([1, 1]);
    fixture.serve(); // `serve` steps the input `claim` again, which changes nothing.
    expect(fixture.step({ kind: "claim" })).to.deep.equal([]);
    expect(fixture.partition.state).to.equal("serving");
    expect(fixture.partition.counts.claims).to.equal(1);
  });

  it("P5: an idle partition takes no answer, no batch and no watermark", () => {
    const fixture = new PartitionFixture();
    expect(fixture.last(7)).to.deep.equal([]);
    expect(fixture.appended(0, { kind: "ok", seq: 8 })).to.deep.equal([]);
    expect(fixture.appended(1, { kind: "ok", seq: 8 })).to.deep.equal([]);
    expect(watermark(fixture, 1, 1)).to.deep.equal([]);
    expect(fixture.entry(1, claimEntry())).to.deep.equal([]);
    expect(fixture.entryRead(1, claimEntry())).to.deep.equal([]);
    expect(fixture.step({ kind: "reader-failed", tenure: 0, reason: "x" })).to.deep.equal([]);
    expect(fixture.step({ kind: "unsubscribed", tenure: 0 })).to.deep.equal([]);
    expect(fixture.step({ kind: "superseded", epoch: 9, by: RIVAL })).to.deep.equal([]);
    expect(fixture.step({ kind: "reconnected", awayMs: 1 })).to.deep.equal([]);
    expect(fixture.step({ kind: "watermark", seq: 5 })).to.deep.equal([]);
    expect(fixture.batch([send()])).to.deep.equal([]);
    expect(fixture.tick(60_000)).to.deep.equal([]);
    expect(fixture.step({ kind: "drain" })).to.deep.equal([]);
    const { state, epoch, holds, rival } = fixture.partition;
    expect([state, epoch, holds, rival]).to.deep.equal(["idle", undefined, undefined, undefined]);
  });

  it("P5: a claim without an answer is repeated after RETRY_MS", () => {
    const unanswered: ((fixture: PartitionFixture) => Effect[])[] = [
      (fixture) => fixture.step({ kind: "last", tenure: fixture.tenure, outcome: UNKNOWN }),
      (fixture) => {
        fixture.last(3);
        return fixture.appended(0, UNKNOWN);
      },
      (fixture) => {
        fixture.last(3);
        return fixture.appended(0, { kind: "conflict" });
      },
    ];
    for (const leave of unanswered) {
      const fixture = claiming();
      expect(fixture.tick(60_000), "no request is due").to.deep.equal([]);
      expect(leave(fixture)).to.deep.equal([]);
      expectAsk(fixture, RETRY_MS, READ_LAST);
    }
  });

  it("P1: the claim entry has the wall clock's time and expects the last sequence that the log returned", () => {
    const fixture = claiming();
    const outcome = { kind: "ok", first: 1, last: 41, bytes: 0 } as const;
    const wall = T0 + 7_000;
    const last = { kind: "last", tenure: fixture.tenure, outcome } as const;
    expect(fixture.partition.step(last, T0, wall)).to.deep.equal([claimAppend(41, wall)]);
    const appended = { kind: "appended", tenure: fixture.tenure, n: 0 } as const;
    const conflict = { ...appended, outcome: { kind: "conflict", last: 57 } } as const;
    expect(fixture.partition.step(conflict, T0, wall)).to.deep.equal([claimAppend(57, wall)]);
    expect(fixture.memory.wall).to.equal(wall);
  });

  it("R1: a log that ends one entry below its archive is behind, and a log that ends with it is not", () => {
    const fixture = claiming();
    const last = (seq: LogSeq): Effect[] => {
      const outcome = { kind: "ok", first: 1, last: seq, bytes: 0 } as const;
      return fixture.step({ kind: "last", tenure: fixture.tenure, outcome, archived: 500 });
    };
    const detail = { last: 499, archived: 500 };
    expect(last(499)).to.deep.equal([{ kind: "log", event: "log behind archive", detail }]);
    expectAsk(fixture, RETRY_MS, READ_LAST);
    expect(last(499)).to.deep.equal([]);
    expect(last(500)).to.deep.equal([claimAppend(500, fixture.now)]);
  });

  it("P9: a full log answers busy after the refused claim, until the next claim", () => {
    const fixture = claiming();
    expect(fixture.batch([send()]), "not full yet").to.deep.equal([]);
    fixture.last(3);
    expect(fixture.appended(0, { kind: "full" })).to.deep.equal([{ kind: "subscribe" }]);
    const command = send();
    const refused = { c: command.c, error: "busy", afterMs: FULL_RETRY_MS } as const;
    expect(fixture.batch([command])).to.deep.equal([
      { kind: "reply", gateway: GW, epoch: 0, results: [{ result: refused }] },
    ]);
    expect(fixture.flush(), "a flush has no answer").to.deep.equal([]);
    expectAsk(fixture, FULL_RETRY_MS, READ_LAST);
    fixture.last(3);
    expect(fixture.appended(0, { kind: "full" })).to.deep.equal([]);
    expect(fixture.batch([send()])).to.have.length(1);
    expectAsk(fixture, FULL_RETRY_MS, READ_LAST);
    fixture.last(3);
    const claimed = fixture.appended(0, { kind: "ok", seq: 4 });
    expect(claimed).to.deep.equal([UNSUBSCRIBE, { kind: "read-watermark", claim: 4 }]);
  });

  it("P2: reads the watermark after the claim, and again after RETRY_MS when the read failed", () => {
    const fixture = claiming();
    fixture.last(3);
    const asked = { kind: "read-watermark", claim: 4 } as const;
    expect(fixture.appended(0, { kind: "ok", seq: 4 })).to.deep.equal([asked]);
    expect(fixture.partition.state).to.equal("watermark");
    expect(fixture.last(9), "a late answer").to.deep.equal([]);
    expect(fixture.tick(60_000)).to.deep.equal([]);
    const outcome = { kind: "unavailable", reason: "test" } as const;
    const without = fixture.step({ kind: "watermark-read", tenure: fixture.tenure, outcome });
    expect(without).to.deep.equal([]);
    expectAsk(fixture, RETRY_MS, asked);
    expect(watermark(fixture, 1, 1)).to.deep.equal([{ kind: "open-reader", from: 2 }]);
    expect(watermark(fixture, 1, 1), "once").to.deep.equal([]);
  });

  it("P3: replays nothing when the archive has the claim", () => {
    const fixture = claiming();
    fixture.last(3);
    fixture.appended(0, { kind: "ok", seq: 4 });
    const detail = { epoch: 4, watermark: 4, rooms: 0, skipped: 0, of: 1 };
    expect(watermark(fixture, 4, 4)).to.deep.equal([
      { kind: "subscribe" },
      CHANGED,
      { kind: "log", event: "partition serving", detail },
    ]);
    expect([fixture.partition.epoch, fixture.partition.holds]).to.deep.equal([4, 4]);
  });

  it("P15: at the claim's own sequence the epoch decides whether the claim is overtaken", () => {
    const fixture = claiming();
    fixture.last(3);
    fixture.appended(0, { kind: "ok", seq: 4 });
    expect(watermark(fixture, 4, 3)).to.deep.equal([{ kind: "get-entry", logSeq: 4 }]);
    expect(fixture.partition.state).to.equal("judging");
    expect(fixture.tick(60_000)).to.deep.equal([]);
  });

  it("P3: the replay ends with the owner's own claim, and logs its result", () => {
    const fixture = replaying();
    fixture.entry(2, commitEntry(1, [linesOf(GENERAL, 5, 2)]));
    expect(fixture.entry(1, claimEntry()), "before the watermark").to.deep.equal([]);
    expect(fixture.entry(3, commitEntry(0, [linesOf(DEV, 1, 1)])), "void").to.deep.equal([]);
    const detail = { epoch: 4, watermark: 1, rooms: 1, skipped: 1, of: 1 };
    expect(fixture.entry(4, claimEntry())).to.deep.equal([
      { kind: "close-reader" },
      { kind: "subscribe" },
      CHANGED,
      { kind: "log", event: "partition serving", detail },
      { kind: "repeat-head", room: GENERAL, head: 6 },
    ]);
    expect(fixture.partition.state).to.equal("serving");
  });

  it("P4: a gap in the replay frees its memory, and the watermark is read again after RETRY_MS", () => {
    const fixture = replaying();
    fixture.entry(2, commitEntry(1, [linesOf(GENERAL, 1, 2)]));
    expect(fixture.memory.account.used).to.be.above(0);
    expect(fixture.entry(4, claimEntry())).to.deep.equal([{ kind: "close-reader" }]);
    expect(fixture.memory.account.used).to.equal(0);
    expectAsk(fixture, RETRY_MS, { kind: "read-watermark", claim: 4 });
  });

  it("P5: a reader that fails frees the memory and is logged, and the replay begins again", () => {
    const fixture = replaying();
    fixture.entry(2, commitEntry(1, [linesOf(GENERAL, 1, 2)]));
    const broke = { kind: "reader-failed", tenure: fixture.tenure, reason: "gone" } as const;
    expect(fixture.step(broke)).to.deep.equal([
      { kind: "log", event: "replay reader failed", detail: { reason: "gone" } },
    ]);
    expect(fixture.memory.account.used).to.equal(0);
    expect(fixture.step(broke), "once").to.deep.equal([]);
    expectAsk(fixture, RETRY_MS, { kind: "read-watermark", claim: 4 });
  });

  it("P14: a watermark from before the tenure settles replayed lines", () => {
    const fixture = replaying();
    fixture.step({ kind: "watermark", seq: 3 });
    fixture.step({ kind: "watermark", seq: 2 }); // An older watermark changes nothing.
    fixture.entry(2, commitEntry(1, [linesOf(GENERAL, 1, 1)]));
    fixture.entry(3, commitEntry(1, [linesOf(GENERAL, 2, 1)]));
    expect(fixture.memory.account.usedBy("replay")).to.be.above(0);
    fixture.entry(4, claimEntry());
    expect(fixture.memory.account.usedBy("replay")).to.equal(0);
  });
});

describe("Partition transitions: uncertain outcomes", () => {
  function withAppendInFlight(): { fixture: PartitionFixture; detail: object } {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    fixture.batch([send()]);
    fixture.flush();
    return { fixture, detail: { epoch: 1, expected: 2 } };
  }

  it("P5: reads the entry that a refusal returned, or else the last sequence of the log", () => {
    for (const [outcome, look, refused] of [
      [{ kind: "conflict", last: 2 }, { kind: "get-entry", logSeq: 2 }, 1],
      [{ kind: "conflict", last: 0 }, { kind: "read-last" }, 1],
      [{ kind: "conflict" }, { kind: "read-last" }, 1],
      [UNKNOWN, { kind: "read-last" }, 0],
    ] as const) {
      const { fixture, detail } = withAppendInFlight();
      const { tenure } = fixture;
      const event = "tenure ended";
      expect(fixture.appended(1, outcome)).to.deep.equal([
        UNSUBSCRIBE,
        { kind: "log", event, detail: { ...detail, outcome, refused } },
        CHANGED,
        look,
      ]);
      expect(fixture.partition.counts).to.deep.equal({ claims: 1, refused, fenced: 0 });
      expect([fixture.tenure, fixture.memory.account.used]).to.deep.equal([tenure + 1, 0]);
      expect(fixture.partition.holds).to.equal(undefined);
      expect(fixture.tick(60_000), "no retry before the answer").to.deep.equal([]);
    }
  });

  it("P9: a full log ends the tenure without unsubscribing, and the claim is tried after FULL_RETRY_MS", () => {
    const { fixture } = withAppendInFlight();
    const refused = fixture.appended(1, { kind: "full" });
    expect(refused.map(({ kind }) => kind)).to.deep.equal(["reply", "log", "changed"]);
    expect(fixture.partition.state).to.equal("claiming");
    expect(only(fixture.batch([send()]), "reply")[0]).to.include({ epoch: 1 });
    expectAsk(fixture, FULL_RETRY_MS, READ_LAST);
  });

  it("P14: a watermark at the owner's last append changes nothing, and one above it ends the tenure", () => {
    const { fixture } = withAppendInFlight();
    expect(fixture.step({ kind: "watermark", seq: 2 })).to.deep.equal([]);
    const effects = fixture.step({ kind: "watermark", seq: 3 });
    expect(effects.at(-1)).to.deep.equal({ kind: "get-entry", logSeq: 3 });
    expect(fixture.partition.counts.refused).to.equal(1);
  });

  it("P5: reads an unknown end of the log again after RETRY_MS, and claims an empty log", () => {
    const fixture = judging();
    fixture.step({ kind: "last", tenure: fixture.tenure, outcome: UNKNOWN });
    expectAsk(fixture, RETRY_MS, { kind: "read-last" });
    expect(fixture.last(3)).to.deep.equal([{ kind: "get-entry", logSeq: 3 }]);
    const empty = judging();
    expect(empty.last(0)).to.deep.equal([READ_LAST, CHANGED]);
    expect(empty.partition.counts.claims).to.equal(2);
  });

  it("P6: only a tenure of another node with the same or a newer epoch fences the owner", () => {
    const at = T0;
    const rivals: [string, number | undefined][] = [
      [claimEntry(RIVAL), 9],
      [claimEntry(NODE), undefined],
      [commitEntry(0, [linesOf(GENERAL, 1, 1)], RIVAL), undefined],
      [commitEntry(1, [linesOf(GENERAL, 1, 1)], RIVAL), 1],
      [commitEntry(2, [linesOf(GENERAL, 1, 1)], RIVAL), 2],
      [commitEntry(2, [linesOf(GENERAL, 1, 1)], NODE), undefined],
      [encodeEntry({ kind: "release", node: RIVAL, epoch: 2, at }), 2],
      ["not an entry", undefined],
    ];
    for (const [text, epoch] of rivals) {
      const fixture = judging();
      const effects = fixture.entryRead(9, text);
      if (epoch === undefined) {
        expect(effects, text).to.deep.equal([READ_LAST, CHANGED]);
        expect(fixture.partition.rival).to.equal(undefined);
        continue;
      }
      const detail = { rival: RIVAL, epoch, claims: 1, refused: 1, fenced: 1 };
      expect(effects, text).to.deep.equal([{ kind: "log", event: "partition fenced", detail }]);
      expect(fixture.partition.rival).to.deep.equal({ node: RIVAL, epoch });
    }
    const unread = judging();
    const got = { kind: "entry-read", tenure: unread.tenure, logSeq: 9, entry: undefined } as const;
    expect(unread.step(got)).to.deep.equal([READ_LAST, CHANGED]);
  });

  it("P6: a fenced partition is idle after FENCED_MS, or claims at once on the input `claim`", () => {
    const fixture = judging();
    fixture.entryRead(9, claimEntry(RIVAL));
    expect(fixture.tick(FENCED_MS - 1)).to.deep.equal([]);
    expect(fixture.tick(1)).to.deep.equal([CHANGED]);
    expect([fixture.partition.state, fixture.partition.rival]).to.deep.equal(["idle", undefined]);
    const early = judging();
    early.entryRead(9, claimEntry(RIVAL));
    expect(early.step({ kind: "claim" })).to.deep.equal([READ_LAST, CHANGED]);
  });

  it("P17: a newer epoch ends the tenure, frees its memory, and is recorded as the rival", () => {
    const { fixture } = withAppendInFlight();
    const { tenure } = fixture;
    expect(fixture.step({ kind: "superseded", epoch: 1, by: RIVAL })).to.deep.equal([]);
    const detail = { rival: RIVAL, epoch: 2, claims: 1, refused: 0, fenced: 1 };
    expect(fixture.step({ kind: "superseded", epoch: 2, by: RIVAL })).to.deep.equal([
      UNSUBSCRIBE,
      CHANGED,
      { kind: "log", event: "partition fenced", detail },
    ]);
    expect(fixture.partition.rival).to.deep.equal({ node: RIVAL, epoch: 2 });
    expect([fixture.tenure, fixture.memory.account.used]).to.deep.equal([tenure + 1, 0]);
  });
});

describe("Partition transitions: the drain", () => {
  function inFlight(): PartitionFixture {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    fixture.batch([send()]);
    fixture.flush();
    return fixture;
  }

  const release = (expected: LogSeq, at: number): Effect => {
    const text = encodeEntry({ kind: "release", epoch: 1, node: NODE, at });
    return { kind: "append", n: 0, text, expected };
  };

  it("P10: writes no release before the subscription has ended, even when all entries are settled", () => {
    const fixture = inFlight();
    expect(fixture.step({ kind: "drain" })).to.deep.equal([UNSUBSCRIBE, CHANGED]);
    expect(fixture.step({ kind: "drain" })).to.deep.equal([]);
    expect([fixture.partition.epoch, fixture.partition.holds]).to.deep.equal([undefined, 1]);
    const settled = fixture.appended(1, { kind: "ok", seq: 2 });
    expect(only(settled, "append")).to.deep.equal([]);
    expect(resultsOf(settled)).to.have.length(1);
    const wall = fixture.now + 5_000;
    const gone = { kind: "unsubscribed", tenure: fixture.tenure } as const;
    expect(fixture.partition.step(gone, fixture.now, wall)).to.deep.equal([release(2, wall)]);
    expect(fixture.step(gone), "once").to.deep.equal([]);
    expect(fixture.partition.holds).to.equal(undefined);
    expect(fixture.partition.state).to.equal("draining");
    expect(fixture.appended(0, { kind: "ok", seq: 3 })).to.deep.equal([CHANGED]);
    expect(fixture.partition.state).to.equal("idle");
    expect(fixture.memory.account.used).to.equal(0);
  });

  it("P10: an answer to a claim that was not appended changes nothing", () => {
    const fixture = inFlight();
    expect(fixture.appended(0, { kind: "ok", seq: 2 })).to.deep.equal([]);
    expect(fixture.step({ kind: "unsubscribed", tenure: fixture.tenure })).to.deep.equal([]);
    expect([fixture.partition.state, fixture.partition.epoch]).to.deep.equal(["serving", 1]);
  });

  it("P10: a draining owner handles ticks, flushes, answers and watermarks until the release", () => {
    const fixture = inFlight();
    fixture.batch([send(), send({ room: DEV })]);
    fixture.step({ kind: "drain" });
    expect(only(fixture.flush(), "append")).to.have.length(1);
    expect(fixture.step({ kind: "unsubscribed", tenure: fixture.tenure })).to.deep.equal([]);
    fixture.loaded(emptySnapshot(DEV, 0));
    expect(only(fixture.flush(), "append"), "two are in flight").to.have.length(0);
    expect(only(fixture.appended(1, { kind: "ok", seq: 2 }), "append")).to.have.length(1);
    expect(only(fixture.appended(2, { kind: "ok", seq: 3 }), "append")).to.have.length(0);
    expect(only(fixture.tick(1_000), "repeat-head").map(({ room }) => room)).to.deep.equal([
      GENERAL,
    ]);
    expect(only(fixture.appended(3, { kind: "ok", seq: 4 }), "append")).to.deep.equal([
      release(4, fixture.now),
    ]);
  });

  it("P10: an uncertain outcome or a successor ends the drain, without a claim and without a request", () => {
    for (const outcome of [UNKNOWN, { kind: "conflict", last: 9 }] as const) {
      const fixture = inFlight();
      fixture.step({ kind: "drain" });
      const kinds = fixture.appended(1, outcome).map(({ kind }) => kind);
      expect(kinds).to.deep.equal(["log", "changed"]);
      expect([fixture.partition.state, fixture.memory.account.used]).to.deep.equal(["idle", 0]);
    }
    const full = inFlight();
    full.step({ kind: "drain" });
    const refused = full.appended(1, { kind: "full" });
    expect(refused.map(({ kind }) => kind)).to.deep.equal(["reply", "log", "changed"]);
    expect(full.partition.state).to.equal("idle");
    const late = inFlight();
    late.step({ kind: "drain" });
    const { tenure } = late;
    expect(late.step({ kind: "superseded", epoch: 2, by: RIVAL })).to.deep.equal([CHANGED]);
    expect([late.partition.state, late.tenure]).to.deep.equal(["idle", tenure + 1]);
    expect([late.memory.account.used, late.partition.counts.fenced]).to.deep.equal([0, 0]);
  });

  it("P10: a drain during the claim drops the claim, and its late answers change nothing", () => {
    const fixture = claiming();
    expect(fixture.step({ kind: "drain" })).to.deep.equal([{ kind: "close-reader" }, CHANGED]);
    const tenure = fixture.tenure - 1;
    const outcome = { kind: "ok", first: 1, last: 3, bytes: 0 } as const;
    expect(fixture.step({ kind: "last", tenure, outcome })).to.deep.equal([]);
    expect(fixture.partition.state).to.equal("idle");
    const full = claiming();
    full.last(3);
    full.appended(0, { kind: "full" });
    const stopped = [UNSUBSCRIBE, { kind: "close-reader" }, CHANGED];
    expect(full.step({ kind: "drain" })).to.deep.equal(stopped);
    const halfway = replaying();
    halfway.entry(2, commitEntry(1, [linesOf(GENERAL, 1, 2)]));
    expect(halfway.step({ kind: "drain" })).to.deep.equal([{ kind: "close-reader" }, CHANGED]);
    expect(halfway.memory.account.used).to.equal(0);
    const asking = judging();
    expect(asking.step({ kind: "drain" })).to.deep.equal([{ kind: "close-reader" }, CHANGED]);
  });

  it("P10: the release carries the epoch, the node and the expected sequence", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    fixture.step({ kind: "drain" });
    const [append] = only(fixture.step({ kind: "unsubscribed", tenure: fixture.tenure }), "append");
    expect(append).to.deep.equal(release(1, fixture.now));
    expect(decodeEntry(append!.text)).to.include({ kind: "release", node: NODE });
  });
});
