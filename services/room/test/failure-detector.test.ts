// FailureDetector: when asking condemns a peer, and when it does not.

import { expect } from "chai";
import * as fc from "fast-check";
import type { RequestOutcome } from "#shared/ports/bus.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";
import {
  CONFIRM_MS,
  CONFIRM_QUESTIONS,
  COOLDOWN_MS,
  RECONNECT_GRACE_MS,
  FailureDetector,
} from "../core/failure-detector.ts";
import type { FailureDetectorEffect } from "../core/failure-detector.ts";

const A = "room-a" as ProcessId;
const B = "room-b" as ProcessId;

class Bench {
  readonly suspicion = new FailureDetector();
  now = 10_000;

  suspect(peer = A): FailureDetectorEffect[] {
    return this.suspicion.suspect(peer, this.now);
  }

  /** The answer to the question that stands in `effects`. */
  answer(
    effects: readonly FailureDetectorEffect[],
    outcome: RequestOutcome["kind"],
  ): FailureDetectorEffect[] {
    const [effect] = effects;
    if (effect?.kind !== "ask") throw new Error("nothing was asked");
    this.now += effect.afterMs;
    const { openedAs } = effect;
    return this.suspicion.onAnswer(effect.peer, { openedAs, outcome }, this.now);
  }
}

describe("FailureDetector", () => {
  it("P16: a peer where nobody answers twice is condemned, the second question a moment later", () => {
    const bench = new Bench();
    const first = bench.suspect();
    expect(first).to.deep.equal([{ kind: "ask", peer: A, openedAs: 1, afterMs: 0 }]);
    const second = bench.answer(first, "no-responders");
    expect(second).to.deep.equal([{ kind: "ask", peer: A, openedAs: 1, afterMs: CONFIRM_MS }]);
    expect(bench.answer(second, "no-responders")).to.deep.equal([{ kind: "condemn", peer: A }]);
  });

  for (const outcome of ["ok", "timeout"] as const) {
    it(`P16: ${outcome} condemns nobody, at the first question or at the second`, () => {
      const bench = new Bench();
      expect(bench.answer(bench.suspect(), outcome)).to.deep.equal([]);
      bench.now += COOLDOWN_MS;
      const second = bench.answer(bench.suspect(), "no-responders");
      expect(bench.answer(second, outcome)).to.deep.equal([]);
    });
  }

  it("P16: many voices make one case, and a closed one rests for a moment", () => {
    const bench = new Bench();
    const asked = bench.suspect();
    expect(bench.suspect()).to.deep.equal([]);
    expect(bench.suspect(B)).to.have.length(1);
    bench.answer(asked, "ok");
    bench.now += COOLDOWN_MS - 1;
    expect(bench.suspect()).to.deep.equal([]);
    bench.now += 1;
    expect(bench.suspect()).to.have.length(1);
  });

  it("P16: a beat closes the case, and a late answer to it changes nothing", () => {
    const bench = new Bench();
    const second = bench.answer(bench.suspect(), "no-responders");
    bench.suspicion.onBeat(A, bench.now);
    expect(bench.answer(second, "no-responders")).to.deep.equal([]);
  });

  it("P16: who was cut off itself believes nobody dead for a while", () => {
    const bench = new Bench();
    const second = bench.answer(bench.suspect(), "no-responders");
    bench.suspicion.onReconnected(bench.now);
    expect(bench.answer(second, "no-responders")).to.deep.equal([]);
    expect(bench.suspect()).to.deep.equal([]);
    bench.now += RECONNECT_GRACE_MS;
    expect(bench.suspect()).to.have.length(1);
  });

  it("P16: what was cut off believes again after RECONNECT_GRACE_MS exactly", () => {
    const bench = new Bench();
    bench.suspicion.onReconnected(bench.now);
    bench.now += RECONNECT_GRACE_MS - 1;
    expect(bench.suspect()).to.deep.equal([]);
    bench.now += 1;
    expect(bench.suspect()).to.have.length(1);
  });

  it("P16: a condemned peer rests like any other, and a beat without a case spares nobody", () => {
    const bench = new Bench();
    bench.answer(bench.answer(bench.suspect(), "no-responders"), "no-responders");
    expect(bench.suspect()).to.deep.equal([]);
    bench.suspicion.onBeat(B, bench.now);
    expect(bench.suspect(B)).to.have.length(1);
  });

  it("P16: whatever comes in whatever order, only a row of no-responders condemns, at a bounded rate", () => {
    const step = fc.record({
      peer: fc.constantFrom(A, B),
      act: fc.constantFrom("suspect", "answer", "answer", "beat", "reconnect"),
      outcome: fc.constantFrom("no-responders", "no-responders", "ok", "timeout" as const),
      ms: fc.nat(200),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const suspicion = new FailureDetector();
        const open = new Map<ProcessId, Extract<FailureDetectorEffect, { kind: "ask" }>>();
        const row = new Map<ProcessId, number>();
        let now = 0;
        let cases = 0;
        for (const { peer, act, outcome, ms } of steps) {
          now += ms;
          let effects: FailureDetectorEffect[] = [];
          if (act === "suspect") {
            effects = suspicion.suspect(peer, now);
            cases += effects.length;
            if (effects.length > 0) row.set(peer, 0);
          } else if (act === "beat") suspicion.onBeat(peer, now);
          else if (act === "reconnect") suspicion.onReconnected(now);
          else {
            const asked = open.get(peer);
            if (asked === undefined) continue;
            open.delete(peer);
            row.set(peer, outcome === "no-responders" ? (row.get(peer) ?? 0) + 1 : 0);
            effects = suspicion.onAnswer(peer, { openedAs: asked.openedAs, outcome }, now);
          }
          for (const effect of effects) {
            if (effect.kind === "ask") open.set(effect.peer, effect);
            else expect(row.get(effect.peer)).to.be.at.least(CONFIRM_QUESTIONS);
          }
        }
        expect(cases).to.be.at.most(2 * (1 + now / COOLDOWN_MS));
      }),
    );
  });
});
