// FailureDetector: when pings declare a peer dead, and when they do not.

import { expect } from "chai";
import * as fc from "fast-check";
import type { RequestOutcome } from "#shared/ports/bus.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";
import {
  CONFIRM_MS,
  CONFIRM_PINGS,
  COOLDOWN_MS,
  RECONNECT_GRACE_MS,
  FailureDetector,
} from "../failure-detector.ts";
import type { FailureDetectorEffect } from "../failure-detector.ts";

const A = "room-a" as ProcessId;
const B = "room-b" as ProcessId;

class FailureDetectorFixture {
  readonly detector = new FailureDetector();
  now = 10_000;

  report(peer = A): FailureDetectorEffect[] {
    return this.detector.onReport(peer, this.now);
  }

  /** Passes the answer to the ping in `effects`. */
  answer(
    effects: readonly FailureDetectorEffect[],
    outcome: RequestOutcome["kind"],
  ): FailureDetectorEffect[] {
    const [effect] = effects;
    if (effect?.kind !== "ping") throw new Error("expected a ping effect, got none");
    this.now += effect.afterMs;
    const { caseNo } = effect;
    return this.detector.onPingOutcome(effect.peer, { caseNo, outcome }, this.now);
  }
}

describe("FailureDetector", () => {
  it("P16: declares a peer dead after two answers without a responder, the second ping a moment later", () => {
    const fixture = new FailureDetectorFixture();
    const first = fixture.report();
    expect(first).to.deep.equal([{ kind: "ping", peer: A, caseNo: 1, afterMs: 0 }]);
    const second = fixture.answer(first, "no-responders");
    expect(second).to.deep.equal([{ kind: "ping", peer: A, caseNo: 1, afterMs: CONFIRM_MS }]);
    expect(fixture.answer(second, "no-responders")).to.deep.equal([
      { kind: "declare-dead", peer: A },
    ]);
  });

  for (const outcome of ["ok", "timeout"] as const) {
    it(`P16: ${outcome} declares no peer dead, for the first ping and for the second`, () => {
      const fixture = new FailureDetectorFixture();
      expect(fixture.answer(fixture.report(), outcome)).to.deep.equal([]);
      fixture.now += COOLDOWN_MS;
      const second = fixture.answer(fixture.report(), "no-responders");
      expect(fixture.answer(second, outcome)).to.deep.equal([]);
    });
  }

  it("P16: many reports open one case, and a closed case has a cooldown", () => {
    const fixture = new FailureDetectorFixture();
    const asked = fixture.report();
    expect(fixture.report()).to.deep.equal([]);
    expect(fixture.report(B)).to.have.length(1);
    fixture.answer(asked, "ok");
    fixture.now += COOLDOWN_MS - 1;
    expect(fixture.report()).to.deep.equal([]);
    fixture.now += 1;
    expect(fixture.report()).to.have.length(1);
  });

  it("P16: a beat closes the case, and a late answer to it changes nothing", () => {
    const fixture = new FailureDetectorFixture();
    const second = fixture.answer(fixture.report(), "no-responders");
    fixture.detector.onBeat(A, fixture.now);
    expect(fixture.answer(second, "no-responders")).to.deep.equal([]);
  });

  it("P16: a node declares no peer dead for a while after its own disconnect", () => {
    const fixture = new FailureDetectorFixture();
    const second = fixture.answer(fixture.report(), "no-responders");
    fixture.detector.onReconnected(fixture.now);
    expect(fixture.answer(second, "no-responders")).to.deep.equal([]);
    expect(fixture.report()).to.deep.equal([]);
    fixture.now += RECONNECT_GRACE_MS;
    expect(fixture.report()).to.have.length(1);
  });

  it("P16: a node accepts reports again exactly RECONNECT_GRACE_MS after its own disconnect", () => {
    const fixture = new FailureDetectorFixture();
    fixture.detector.onReconnected(fixture.now);
    fixture.now += RECONNECT_GRACE_MS - 1;
    expect(fixture.report()).to.deep.equal([]);
    fixture.now += 1;
    expect(fixture.report()).to.have.length(1);
  });

  it("P16: a dead peer has a cooldown too, and a beat without a case starts none", () => {
    const fixture = new FailureDetectorFixture();
    fixture.answer(fixture.answer(fixture.report(), "no-responders"), "no-responders");
    expect(fixture.report()).to.deep.equal([]);
    fixture.detector.onBeat(B, fixture.now);
    expect(fixture.report(B)).to.have.length(1);
  });

  it("P16: in any order of events, only consecutive no-responders declare a peer dead, at a bounded rate", () => {
    const step = fc.record({
      peer: fc.constantFrom(A, B),
      act: fc.constantFrom("report", "answer", "answer", "beat", "reconnect"),
      outcome: fc.constantFrom("no-responders", "no-responders", "ok", "timeout" as const),
      ms: fc.nat(200),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const detector = new FailureDetector();
        const open = new Map<ProcessId, Extract<FailureDetectorEffect, { kind: "ping" }>>();
        const row = new Map<ProcessId, number>();
        let now = 0;
        let cases = 0;
        for (const { peer, act, outcome, ms } of steps) {
          now += ms;
          let effects: FailureDetectorEffect[] = [];
          if (act === "report") {
            effects = detector.onReport(peer, now);
            cases += effects.length;
            if (effects.length > 0) row.set(peer, 0);
          } else if (act === "beat") detector.onBeat(peer, now);
          else if (act === "reconnect") detector.onReconnected(now);
          else {
            const asked = open.get(peer);
            if (asked === undefined) continue;
            open.delete(peer);
            row.set(peer, outcome === "no-responders" ? (row.get(peer) ?? 0) + 1 : 0);
            effects = detector.onPingOutcome(peer, { caseNo: asked.caseNo, outcome }, now);
          }
          for (const effect of effects) {
            if (effect.kind === "ping") open.set(effect.peer, effect);
            else expect(row.get(effect.peer)).to.be.at.least(CONFIRM_PINGS);
          }
        }
        expect(cases).to.be.at.most(2 * (1 + now / COOLDOWN_MS));
      }),
    );
  });
});
