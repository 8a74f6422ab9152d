// Term: the rules of the lease, by example.

import { expect } from "chai";
import { WAIT_FACTOR } from "../core/term.ts";
import { LEASE_MS, Machine, RECORD } from "./term-machine.ts";

describe("Term", () => {
  it("T1, term.1: the lease counts from the sending of the renewal", () => {
    const machine = new Machine();
    machine.reads({ ...RECORD, region: "east" }, 7);
    machine.now = 400; // The answer was on its way for 400 ms.
    machine.wrote(0, 8);
    machine.now = LEASE_MS - 1;
    expect(machine.term.holds(machine.now)).to.equal(true);
    machine.now = LEASE_MS;
    expect(machine.term.holds(machine.now)).to.equal(false);
  });

  it("T1, term.2: another region waits for the lease and the margin since the arrival of its sight", () => {
    const machine = new Machine();
    machine.watches(RECORD, 7, LEASE_MS);
    expect(machine.take()).to.equal("term_held");
    machine.now = LEASE_MS * WAIT_FACTOR;
    expect(machine.take()).to.deep.include({ region: "east", term: 4, phase: "promoting" });
    expect(machine.open).to.deep.include({ kind: "write", revision: 7 });
  });

  it("term.2: a renewal begins the wait again", () => {
    const machine = new Machine();
    machine.reads(RECORD, 7);
    machine.now = 900;
    machine.reads(RECORD, 8);
    machine.now = LEASE_MS * WAIT_FACTOR;
    machine.reads(RECORD, 8);
    expect(machine.take()).to.equal("term_held");
  });

  it("T6, term.7: an outage of the witness begins the wait again", () => {
    const machine = new Machine({ autoPromote: true });
    machine.reads(RECORD, 7);
    for (machine.now = 200; machine.now < 5_000; machine.now += 200) {
      machine.step({ kind: "tick" });
      const n = machine.open?.n ?? 0;
      machine.step({ kind: "read", n, outcome: { kind: "unknown", reason: "away" } });
    }
    machine.now = 5_000;
    // A read comes before any takeover, and begins the wait again.
    machine.watches(RECORD, 7, 5_000 + LEASE_MS);
    expect(machine.take()).to.equal("term_held");
  });

  it("term.3: the wait uses the lease of the record", () => {
    const machine = new Machine({ leaseMs: 100 });
    machine.reads(RECORD, 7);
    machine.now = LEASE_MS;
    machine.reads(RECORD, 7);
    expect(machine.take()).to.equal("term_held");
  });

  it("T6: only the follower takes over, unless the operator accepts a loss", () => {
    const machine = new Machine({ autoPromote: true });
    machine.watches({ ...RECORD, follower: null }, 7, 2_000);
    expect(machine.take()).to.equal("not_following");
    expect(machine.take(true)).to.deep.include({ region: "east", logs: "partial" });
  });

  it("T5: logs are whole only after synchronous mode", () => {
    for (const [mode, logs] of [
      ["synchronous", "whole"],
      ["asynchronous", "partial"],
    ] as const) {
      const machine = new Machine({ autoPromote: true });
      machine.watches({ ...RECORD, mode }, 7, LEASE_MS);
      machine.now = LEASE_MS * WAIT_FACTOR;
      machine.step({ kind: "tick" });
      expect(machine.open).to.deep.include({ kind: "write", revision: 7 });
      expect(machine.open?.kind === "write" ? machine.open.record : {}).to.deep.include({
        region: "east",
        follower: null,
        mode,
        logs,
      });
    }
  });

  it("term.4: a hand-over ends the lease before its write is sent", () => {
    const machine = new Machine();
    machine.holds();
    machine.step({ kind: "change", id: 1, change: { mode: "synchronous" } });
    const open = machine.open?.n ?? 0;
    machine.step({ kind: "change", id: 2, change: { region: "west", follower: null } });
    expect(machine.open).to.equal(undefined); // It waits for the first change.
    expect(machine.term.holds(machine.now)).to.equal(false);
    machine.step({ kind: "written", n: open, sentAt: 0, outcome: { kind: "ok", revision: 9 } });
    expect(machine.term.holds(machine.now)).to.equal(false);
    machine.step({ kind: "tick" });
    expect(machine.open).to.deep.include({ kind: "write", revision: 9 });
    machine.wrote(machine.now, "unknown");
    expect(machine.effects).to.deep.include({ kind: "done", id: 2, outcome: { kind: "unknown" } });
  });

  it("term.5: a record that names another region ends the lease at once", () => {
    const machine = new Machine();
    machine.holds();
    machine.now = 300;
    machine.step({ kind: "tick" });
    machine.wrote(300, "conflict");
    expect(machine.term.holds(machine.now)).to.equal(true);
    const n = machine.open?.n ?? 0;
    machine.step({ kind: "read", n, outcome: { kind: "ok", record: RECORD, revision: 12 } });
    expect(machine.term.holds(machine.now)).to.equal(false);
  });

  it("term.1: a lost answer keeps the lease, and the next renewal follows a read", () => {
    const machine = new Machine();
    machine.holds();
    machine.now = 300;
    machine.step({ kind: "tick" });
    machine.wrote(300, "unknown");
    expect(machine.term.holds(machine.now)).to.equal(true);
    expect(machine.term.record?.region).to.equal("east");
    machine.now = 400;
    machine.reads({ ...RECORD, region: "east" }, 9); // The lost write was done.
    expect(machine.open).to.deep.include({ kind: "write", revision: 9 });
  });

  it("T6: nothing is taken while the witness does not answer, or before a first wait", () => {
    const machine = new Machine();
    expect(machine.take()).to.equal("no_witness");
    machine.reads(undefined, 0);
    expect(machine.take()).to.equal("term_held");
    machine.now = 2_000;
    expect(machine.take()).to.equal("no_witness"); // The last answer is too old.
    machine.reads(undefined, 0);
    expect(machine.take()).to.equal("term_held"); // term.7
    machine.watches(undefined, 0, 3_500);
    expect(machine.take()).to.deep.include({ region: "east", term: 1, logs: "whole" });
  });
});
