// Term: the effects of each input, and the requests to the witness.

import { expect } from "chai";
import { WAIT_FACTOR } from "../core/term.ts";
import type { Effect } from "../core/term-io.ts";
import { LEASE_MS, Machine, RECORD } from "./term-machine.ts";

describe("Term: effects", () => {
  it("T6: the witness counts as silent from a lease after its last answer on, and before the first one", () => {
    const { term } = new Machine();
    expect([term.isWitnessed(0), term.heardUntil]).to.deep.equal([false, -Infinity]);
    const machine = new Machine();
    machine.now = 100;
    machine.reads(RECORD, 7);
    expect(machine.term.heardUntil).to.equal(100 + LEASE_MS);
    expect(machine.term.isWitnessed(99 + LEASE_MS)).to.equal(true);
    expect(machine.term.isWitnessed(100 + LEASE_MS)).to.equal(false);
  });

  it("term.6: an answer to an older request changes nothing", () => {
    const machine = new Machine();
    machine.reads(RECORD, 7);
    const own = { ...RECORD, region: "east" };
    for (const answer of [
      { kind: "read", n: 1, outcome: { kind: "ok", record: own, revision: 9 } },
      { kind: "written", n: 1, sentAt: 0, outcome: { kind: "ok", revision: 9 } },
    ] as const) {
      expect(machine.step(answer)).to.deep.equal([]);
    }
    expect(machine.term.record).to.deep.equal(RECORD);
    expect(machine.term.holds(0)).to.equal(false);
  });

  it("term.6: a stale record is read again after half a renewal, and not at each tick", () => {
    const machine = new Machine();
    machine.step({ kind: "tick" });
    const n = machine.open?.n ?? 0;
    machine.step({ kind: "read", n, outcome: { kind: "unknown", reason: "away" } });
    machine.now = 99;
    expect(machine.step({ kind: "tick" })).to.deep.equal([]);
    machine.now = 100;
    expect(machine.step({ kind: "tick" })).to.deep.equal([{ kind: "read", n: n + 1 }]);
  });

  it("T1: only the holder of the term changes the record", () => {
    const machine = new Machine();
    machine.reads(RECORD, 7);
    const [done] = machine.step({ kind: "change", id: 3, change: { mode: "synchronous" } });
    expect(done).to.deep.include({ kind: "done", id: 3 });
    expect(done).to.have.nested.property("outcome.why", "not_serving");
    expect(done).to.have.nested.property("outcome.message").that.includes("does not hold");
    machine.now = 100;
    expect(machine.step({ kind: "tick" })).to.deep.equal([{ kind: "read", n: 2 }]);
  });

  it("term.6: a renewal and a read wait for their time", () => {
    const holder = new Machine();
    holder.holds();
    holder.now = 199;
    expect(holder.step({ kind: "tick" })).to.deep.equal([]);
    holder.now = 200;
    expect(holder.step({ kind: "tick" })).to.have.nested.property("[0].kind", "write");
    const other = new Machine();
    other.reads(RECORD, 7);
    other.now = 99;
    expect(other.step({ kind: "tick" })).to.deep.equal([]);
  });

  it("T6: a region that holds the term takes it at once, and one whose request is open is busy", () => {
    const holder = new Machine();
    holder.holds();
    expect(holder.step({ kind: "take", id: 5, acceptLoss: false })).to.deep.equal([
      { kind: "done", id: 5, outcome: { kind: "ok" } },
    ]);
    const other = new Machine();
    other.watches(RECORD, 7, LEASE_MS);
    other.now = LEASE_MS * WAIT_FACTOR;
    other.step({ kind: "tick" });
    expect(other.step({ kind: "take", id: 1, acceptLoss: false })).to.deep.equal([
      {
        kind: "done",
        id: 1,
        outcome: { kind: "refused", why: "busy", message: "a request to the witness is open" },
      },
    ]);
  });

  it("T1, term.5: changes that wait are refused when the term is lost, and above their bound at once", () => {
    const machine = new Machine();
    machine.holds();
    const change = (id: number): Effect[] =>
      machine.step({ kind: "change", id, change: { mode: "synchronous" } });
    change(1);
    const open = machine.open?.n ?? 0;
    for (let id = 2; id <= 9; id++) expect(change(id)).to.deep.equal([]);
    expect(change(10)).to.deep.equal([
      {
        kind: "done",
        id: 10,
        outcome: { kind: "refused", why: "busy", message: "too many changes wait" },
      },
    ]);
    machine.step({ kind: "written", n: open, sentAt: 0, outcome: { kind: "conflict" } });
    const read = machine.open?.n ?? 0;
    const lost = { kind: "ok", record: RECORD, revision: 12 } as const;
    const effects = machine.step({ kind: "read", n: read, outcome: lost });
    const refused = effects.flatMap((effect) =>
      effect.kind === "done" && effect.outcome.kind === "refused"
        ? [`${effect.id} ${effect.outcome.why}`]
        : [],
    );
    const ids = [2, 3, 4, 5, 6, 7, 8, 9];
    expect(refused).to.deep.equal(ids.map((id) => `${id} not_serving`));
    expect(effects.at(-1)).to.deep.equal({ kind: "changed" });
  });

  it("term.6: each answer has exactly its effects, and each request its own number", () => {
    const machine = new Machine();
    expect(machine.step({ kind: "tick" })).to.deep.equal([{ kind: "read", n: 1 }]);
    expect(machine.step({ kind: "tick" })).to.deep.equal([]);
    const read = { kind: "ok", record: RECORD, revision: 7 } as const;
    const changed = { kind: "changed" } as const;
    expect(machine.step({ kind: "read", n: 1, outcome: read })).to.deep.equal([changed]);
    machine.now = 100;
    machine.step({ kind: "tick" });
    expect(machine.step({ kind: "read", n: 2, outcome: read })).to.deep.equal([]);
    machine.now = 200;
    machine.step({ kind: "tick" });
    const own = { ...RECORD, region: "east" };
    const named = { kind: "ok", record: own, revision: 8 } as const;
    expect(machine.step({ kind: "read", n: 3, outcome: named })).to.deep.equal([
      changed,
      { kind: "write", n: 4, record: own, revision: 8 },
    ]);
    machine.wrote(200, 9);
    expect(machine.effects).to.deep.equal([changed]);
    machine.step({ kind: "change", id: 5, change: { mode: "synchronous" } });
    machine.wrote(200, 10);
    expect(machine.effects).to.deep.equal([
      { kind: "done", id: 5, outcome: { kind: "ok" } },
      changed,
    ]);
    machine.step({ kind: "change", id: 6, change: { mode: "asynchronous" } });
    machine.wrote(200, "conflict");
    const [done, again] = machine.effects;
    expect(done).to.deep.include({ kind: "done", id: 6 });
    expect(done).to.have.nested.property("outcome.why", "busy");
    expect(done).to.have.nested.property("outcome.message").that.includes("try again");
    expect(again).to.deep.equal({ kind: "read", n: 7 });
    expect(machine.term.isWitnessed(200)).to.equal(true);
  });

  it("T6: a read without an answer leaves the record, and nothing is taken behind it", () => {
    const machine = new Machine();
    machine.reads(RECORD, 7);
    machine.now = 100;
    machine.step({ kind: "tick" });
    const n = machine.open?.n ?? 0;
    machine.step({ kind: "read", n, outcome: { kind: "unknown", reason: "away" } });
    expect(machine.effects).to.deep.equal([]);
    expect(machine.term.record).to.equal(RECORD);
    expect(machine.term.isWitnessed(100)).to.equal(false);
    expect(machine.term.heardUntil).to.equal(LEASE_MS);
    expect(machine.take()).to.equal("no_witness");
  });

  it("T6, term.7: reads at most half a lease apart keep the wait, and longer ones begin it again", () => {
    const machine = new Machine();
    expect(machine.term.waitMs(0)).to.equal(Infinity);
    machine.reads(RECORD, 7);
    machine.now = LEASE_MS / 2;
    machine.reads(RECORD, 7);
    expect(machine.term.waitMs(machine.now)).to.equal(LEASE_MS * WAIT_FACTOR - LEASE_MS / 2);
    machine.now += LEASE_MS / 2 + 1;
    machine.reads(RECORD, 7);
    expect(machine.effects, "the record is the same").to.deep.equal([]);
    expect(machine.term.waitMs(machine.now)).to.equal(LEASE_MS * WAIT_FACTOR);
    expect(machine.term.record).to.equal(RECORD);
  });

  it("T6: a refused takeover says who holds the term and for how long, or what is missing", () => {
    const messageOf = (machine: Machine): unknown => {
      const [done] = machine.step({ kind: "take", id: 1, acceptLoss: false });
      return done?.kind === "done" && done.outcome.kind === "refused" ? done.outcome.message : done;
    };
    const machine = new Machine();
    expect(messageOf(machine)).to.equal("the witness does not answer");
    machine.reads(undefined, 0);
    expect(messageOf(machine)).to.match(/^another region may hold the term.* 1100 ms$/);
    const other = new Machine();
    other.watches({ ...RECORD, follower: null }, 7, 400);
    expect(messageOf(other)).to.match(/^west holds the term.* 700 ms$/);
    other.watches({ ...RECORD, follower: null }, 7, 2_000);
    expect(messageOf(other)).to.equal("east is not the follower of west");
  });

  it("T5, T6: the first record of all, and one that is taken with a loss, are complete", () => {
    const first = new Machine();
    first.watches(undefined, 0, 2_000);
    expect(first.take()).to.deep.equal({
      v: 1,
      region: "east",
      term: 1,
      mode: "asynchronous",
      phase: "promoting",
      follower: null,
      logs: "whole",
      leaseMs: LEASE_MS,
    });
    first.wrote(first.now, 1);
    expect(first.effects).to.deep.include({ kind: "done", id: 1, outcome: { kind: "ok" } });
    expect(first.term.holds(first.now)).to.equal(true);
    const loss = new Machine();
    loss.watches({ ...RECORD, mode: "synchronous", follower: null }, 7, 2_000);
    expect(loss.take(true)).to.deep.include({ logs: "partial", mode: "synchronous" });
  });

  it("T5, term.4: a hand-over writes the other region's next term, and ends the lease also when it fails", () => {
    const machine = new Machine();
    machine.holds();
    const change = { region: "west", follower: null };
    const [write] = machine.step({ kind: "change", id: 1, change });
    expect(write).to.have.property("record");
    expect(machine.open?.kind === "write" ? machine.open.record : {}).to.deep.equal({
      ...RECORD,
      ...change,
      term: RECORD.term + 1,
    });
    machine.wrote(machine.now, "conflict");
    expect(machine.term.holds(machine.now)).to.equal(false);
    const n = machine.open?.n ?? 0;
    const own = { ...RECORD, region: "east" };
    machine.step({ kind: "read", n, outcome: { kind: "ok", record: own, revision: 11 } });
    expect(machine.term.holds(machine.now)).to.equal(false);
    machine.wrote(machine.now, 12);
    expect(machine.term.holds(machine.now), "renewed").to.equal(true);
    machine.step({ kind: "change", id: 2, change });
    machine.wrote(machine.now, 13);
    expect(machine.term.record?.region).to.equal("west");
    expect(machine.term.holds(machine.now), "handed over").to.equal(false);
  });

  it("T6: each answer to a write is one of the witness, also a conflict", () => {
    const machine = new Machine();
    machine.holds();
    for (const [now, revision] of [
      [200, 9],
      [400, "conflict"],
    ] as const) {
      machine.now = now;
      machine.step({ kind: "tick" });
      machine.wrote(now, revision);
      expect(machine.term.heardUntil).to.equal(now + LEASE_MS);
    }
  });

  it("term.2: a takeover without an answer is tried again at once when the record is still the same", () => {
    const machine = new Machine();
    machine.watches(RECORD, 7, 2_000);
    expect(machine.take()).to.have.property("term", 4);
    machine.wrote(machine.now, "unknown");
    machine.reads(RECORD, 7);
    expect(machine.term.waitMs(machine.now)).to.equal(0);
    expect(machine.take()).to.have.property("term", 4);
  });

  it("term.5: a hand-over that waits ends with the lost term, and a later term is held again", () => {
    const machine = new Machine();
    machine.holds();
    machine.step({ kind: "change", id: 1, change: { mode: "synchronous" } });
    const open = machine.open?.n ?? 0;
    machine.step({ kind: "change", id: 2, change: { region: "west" } });
    machine.step({ kind: "written", n: open, sentAt: 0, outcome: { kind: "conflict" } });
    const n = machine.open?.n ?? 0;
    machine.step({ kind: "read", n, outcome: { kind: "ok", record: RECORD, revision: 12 } });
    const message = "this region has lost the term";
    expect(machine.effects).to.deep.equal([
      { kind: "done", id: 2, outcome: { kind: "refused", why: "not_serving", message } },
      { kind: "changed" },
    ]);
    machine.now = 200;
    machine.reads({ ...RECORD, region: "east" }, 13);
    machine.wrote(200, 14);
    expect(machine.term.holds(200)).to.equal(true);
  });
});
