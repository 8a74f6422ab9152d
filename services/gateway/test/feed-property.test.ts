// Feed, by property: after any loss, repetition or delay, each member receives every line after its
// join, once and in order.
//
// The room is a growing number. Its broadcasts arrive in any order, some twice, some never. The
// owner and the archive answer fetches partly or not at all. Sockets fill and drain at random. A
// flush may be in progress at any time.

import { expect } from "chai";
import * as fc from "fast-check";
import type { Seq } from "#shared/protocol/ids.ts";
import type { TestMember } from "./feed-bench.ts";
import { FeedBench } from "./feed-bench.ts";

type Action =
  | { readonly do: "commit"; readonly lines: number; readonly fate: "kept" | "lost" | "twice" }
  | { readonly do: "arrive"; readonly pick: number }
  | { readonly do: "head" }
  | { readonly do: "join"; readonly back: number; readonly byTail: boolean; readonly late: number }
  | { readonly do: "leave"; readonly pick: number }
  | { readonly do: "fill" | "drain"; readonly pick: number }
  | { readonly do: "answer"; readonly part: number }
  | { readonly do: "hold" | "release" | "forget" }
  | { readonly do: "pass"; readonly ms: number };

const pick = fc.nat(1_000);
const fate = fc.constantFrom("kept" as const, "kept" as const, "lost" as const, "twice" as const);
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("commit" as const),
      lines: fc.integer({ min: 1, max: 4 }),
      fate,
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("arrive" as const), pick }) },
  { weight: 2, arbitrary: fc.constant({ do: "head" } as const) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("join" as const),
      back: fc.nat(12),
      byTail: fc.boolean(),
      late: fc.nat(3),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const), pick }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("fill" as const, "drain" as const), pick }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("answer" as const), part: fc.nat(4) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("hold" as const, "release" as const, "forget" as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.nat(300) }) },
);

class RoomSimulation {
  readonly bench = new FeedBench();
  readonly #wire: { first: Seq; last: Seq }[] = [];
  readonly members: { member: TestMember; from: Seq; promised: Seq; left: boolean }[] = [];
  head: Seq = 0;

  run(actions: readonly Action[]): void {
    this.bench.costMs = 3;
    for (const action of actions) this.#do(action);
  }

  /** From here on nothing is lost: every member must reach the end. */
  heal(): void {
    const { bench } = this;
    bench.holdsFlush = false;
    bench.finishFlush();
    for (const { member } of this.members) if (member.isFull) bench.drain(member);
    bench.head(this.head);
    for (let round = 0; round < 500; round++) {
      while (bench.fetches.length > 0) bench.answer();
      bench.advance(50);
    }
  }

  #do(action: Action): void {
    const { bench } = this;
    switch (action.do) {
      case "commit": {
        const block = { first: this.head + 1, last: this.head + action.lines };
        this.head = block.last;
        if (action.fate !== "lost") this.#wire.push(block);
        if (action.fate === "twice") this.#wire.push(block);
        return;
      }
      case "arrive": {
        const [block] = this.#wire.splice(action.pick % Math.max(1, this.#wire.length), 1);
        if (block !== undefined) bench.out(block.first, block.last);
        return;
      }
      case "head":
        return bench.head(this.head);
      case "join":
        return this.#join(action);
      case "leave": {
        const entry = this.members[action.pick % Math.max(1, this.members.length)];
        if (entry === undefined) return;
        entry.left = true;
        return bench.step({ kind: "leave", member: entry.member });
      }
      case "fill":
      case "drain": {
        const member = this.members[action.pick % Math.max(1, this.members.length)]?.member;
        if (member === undefined) return;
        if (action.do === "fill") member.isFull = true;
        else bench.drain(member);
        return;
      }
      case "answer":
        return this.#answer(action.part);
      case "hold":
        bench.holdsFlush = true;
        return;
      case "release":
        bench.holdsFlush = false;
        return bench.finishFlush();
      case "forget":
        return bench.step({ kind: "forget" });
      case "pass":
        return bench.advance(action.ms);
    }
  }

  /** The owner's answer names the head at the time of the join: `late` lines ago. */
  #join({ back, byTail, late }: Extract<Action, { do: "join" }>): void {
    const head = Math.max(0, this.head - late);
    const after = Math.max(0, head - back);
    const member = this.bench.join(
      String(this.members.length),
      head,
      byTail ? { tail: back } : { after },
    );
    const [promised, from] = (member.got[0] ?? "").match(/\d+/g)!.map(Number) as [Seq, Seq];
    expect(promised).to.be.at.least(head);
    expect(from).to.equal(byTail ? Math.max(0, promised - back) + 1 : after + 1);
    this.members.push({ member, from, promised, left: false });
  }

  #answer(part: number): void {
    const fetch = this.bench.fetches[0];
    if (fetch === undefined) return;
    if (part === 0) this.bench.answer("nothing");
    else this.bench.answer(part === 1 ? fetch.first : fetch.last);
  }
}

describe("Feed over a bus that loses, repeats and reorders", () => {
  it("O7: each member receives every line from its join on, once and in order", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 150, size: "max" }), (actions) => {
        const simulation = new RoomSimulation();
        simulation.run(actions);
        simulation.heal();
        for (const { member, from, promised, left } of simulation.members) {
          const { numbers, got } = member;
          const expected = Array.from({ length: simulation.head - from + 1 }, (_, i) => from + i);
          if (left) expect(numbers).to.deep.equal(expected.slice(0, numbers.length));
          else expect(numbers).to.deep.equal(expected);
          const caughtUp = got.filter((item) => item.startsWith("caught-up"));
          expect(caughtUp).to.have.length(left ? caughtUp.length : 1); // O8
          expect(caughtUp.length).to.be.at.most(1);
          for (const item of caughtUp) {
            const seq = Number(item.slice("caught-up ".length));
            const before = got.slice(0, got.indexOf(item)).filter((line) => /^\d+$/.test(line));
            expect(before.length).to.equal(seq - from + 1);
            expect(seq).to.be.at.least(promised);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
