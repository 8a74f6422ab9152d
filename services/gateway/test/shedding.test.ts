// Shedding: what an overloaded gateway refuses, in which order, and for how long.

import { expect } from "chai";
import { decodeClientFrame } from "#shared/protocol/client-frames.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import type { SessionId } from "#shared/protocol/session-records.ts";
import { Admission } from "../core/admission.ts";
import { Session } from "../core/session.ts";
import type { SessionEffect } from "../core/session-io.ts";
import { FALL_MS, RISE_MS, Shedding, SHED_FROM_MS, WORKS } from "../core/shedding.ts";
import type { Work } from "../core/shedding.ts";

const STEP_MS = 250;
const HALF = { next32: () => 0x8000_0000 };

class Bench {
  now = 0;
  readonly shedding = new Shedding(HALF, true);

  /** The same delay for a while. Returns the changes. */
  hold(delayMs: number, forMs: number): string[] {
    const changes: string[] = [];
    for (const end = this.now + forMs; this.now < end;) {
      this.now += STEP_MS;
      for (const { work, isShed } of this.shedding.sample(delayMs, this.now)) {
        changes.push(`${isShed ? "+" : "-"}${work}`);
      }
    }
    return changes;
  }

  get shed(): Work[] {
    return WORKS.filter((work) => this.shedding.isShed(work));
  }
}

const LONG = 10_000;

describe("Shedding", () => {
  it("L12: refuses connections first, then reads, then resumes", () => {
    for (const [n, work] of WORKS.entries()) {
      const bench = new Bench();
      expect(bench.hold(SHED_FROM_MS[work] - 1, LONG)).to.have.length(n);
      expect(bench.shed).to.deep.equal(WORKS.slice(0, n));
      bench.hold(SHED_FROM_MS[work], LONG);
      expect(bench.shed).to.deep.equal(WORKS.slice(0, n + 1));
    }
    const bounds = WORKS.map((work) => SHED_FROM_MS[work]);
    expect(bounds).to.deep.equal(bounds.toSorted((a, b) => a - b));
  });

  it("L12: serves again in the reverse order, as the delay falls", () => {
    const bench = new Bench();
    bench.hold(5_000, LONG);
    const changes = [450, 200, 100].flatMap((delayMs) => bench.hold(delayMs, LONG));
    expect(changes).to.deep.equal(["-resume", "-read", "-connection"]);
    expect(bench.shed).to.deep.equal([]);
  });

  it("shedding.2: one long iteration refuses nothing, and a delay between both bounds changes nothing", () => {
    const bench = new Bench();
    expect(bench.hold(60_000, STEP_MS)).to.deep.equal([]);
    expect(bench.hold(0, STEP_MS)).to.deep.equal([]);
    expect(bench.hold(60_000, RISE_MS)).to.deep.equal([]);
    bench.hold(0, LONG);
    bench.hold(SHED_FROM_MS.read, LONG);
    for (const between of [SHED_FROM_MS.connection / 2, SHED_FROM_MS.connection - 1]) {
      expect(bench.hold(between, LONG)).to.deep.equal(
        between === SHED_FROM_MS.connection / 2 ? ["-read"] : [],
      );
      expect(bench.shedding.delayMs).to.equal(between);
    }
    const between = (SHED_FROM_MS.connection + 1) / 2;
    expect(bench.hold(0, FALL_MS)).to.deep.equal([]);
    expect(bench.hold(between, STEP_MS)).to.deep.equal([]);
    expect(bench.hold(0, FALL_MS)).to.deep.equal([]);
    expect(bench.hold(0, STEP_MS)).to.deep.equal(["-connection"]);
  });

  it("shedding.3: the named wait is spread at random, grows with the delay, and is bounded", () => {
    const bench = new Bench();
    const waits: (number | undefined)[] = [];
    for (const delayMs of [SHED_FROM_MS.connection, 3_000, 600_000]) {
      bench.hold(delayMs, LONG);
      waits.push(bench.shedding.refuse("connection"));
    }
    expect(waits).to.deep.equal([1_500, 4_000, 6_000]); // Half of the spread, and one second.
    expect(bench.shedding.refused.get("connection")).to.equal(3);
  });

  it("L12: refuses nothing while it is switched off, and goes on at once when it is on again", () => {
    const bench = new Bench();
    bench.shedding.isOn = false;
    bench.hold(5_000, LONG);
    expect(bench.shed).to.deep.equal([]);
    expect(bench.shedding.refuse("read")).to.equal(undefined);
    bench.shedding.isOn = true;
    expect(bench.shed).to.deep.equal(WORKS);
  });
});

const ADA = "ada" as UserId;
const ID = "01890a5d-ac96-7b7c-8f5b-0123456789ab";
const SEND = { t: "send", room: "general", id: ID, body: {} };

/** A session that has joined `general`, and the shedding of its gateway. */
function openSession() {
  const bench = new Bench();
  const { shedding } = bench;
  const admission = new Admission(false);
  const session = new Session(
    { pingMs: 25_000, admission, shedding },
    { name: "s" as SessionId, address: "::1" },
  );
  const send = (frame: object): SessionEffect[] => {
    const decoded = decodeClientFrame(JSON.stringify(frame));
    return session.step({ kind: "frame", frame: decoded }, { wall: 0, monotonic: bench.now });
  };
  send({ t: "hello", token: "t" });
  const identity = { user: ADA, expiresAt: 1e12, admin: false };
  session.step(
    { kind: "verified", verification: { kind: "ok", identity } },
    { wall: 0, monotonic: 0 },
  );
  send({ t: "join", ref: 1, room: "general" });
  return { bench, send };
}

/** "busy 1500", or the kind of the first effect; "" without an effect. */
function answerOf([first]: readonly SessionEffect[]): string {
  if (first?.kind !== "frame" || first.frame.t !== "error") return first?.kind ?? "";
  return `${first.frame.name} ${first.frame.afterMs}`;
}

describe("Shedding in a session", () => {
  const join = { t: "join", ref: 2, room: "dev" };
  const resume = { ...join, after: 7 };
  const history = { t: "history", ref: 3, room: "general", limit: 9 };
  const typing = { t: "typing", room: "general", on: true };

  it("L12: joins and history get `busy` with a wait, before resumes do, and typing is dropped", () => {
    const { bench, send } = openSession();
    bench.hold(SHED_FROM_MS.read, LONG);
    expect(answerOf(send(join))).to.equal("busy 1500");
    expect(answerOf(send(history))).to.equal("busy 1500");
    expect(send(typing)).to.deep.equal([]);
    const [refusal] = send(join);
    expect(refusal).to.have.property("frame").that.includes({ ref: 2, room: "dev" });
    expect(answerOf(send({ t: "ping", ref: 4 }))).to.equal("frame");
    expect(answerOf(send(resume))).to.equal("join");
    bench.hold(SHED_FROM_MS.resume, LONG);
    expect(answerOf(send({ ...resume, room: "other" }))).to.equal("busy 2000");
  });

  it("L12: sends and leaves of members are served while all else is refused", () => {
    const { bench, send } = openSession();
    bench.hold(600_000, LONG);
    expect(bench.shed).to.deep.equal(WORKS);
    expect(answerOf(send(SEND))).to.equal("write");
    expect(answerOf(send({ t: "leave", ref: 5, room: "general" }))).to.equal("leave");
  });
});
