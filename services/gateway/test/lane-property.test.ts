// Lane, by property: whatever the bus loses and whichever owner serves the partition, a command is
// applied at most once and in order, and its answer is correct.
//
// The bus loses batches and results at random (ports/bus.1) and keeps each direction in order
// (ports/bus.2). The owner is a small model. It is replaced at random, and only its log survives.

import { expect } from "chai";
import * as fc from "fast-check";
import type { CommandBatch } from "#shared/protocol/commands.ts";
import type { Result } from "#shared/protocol/results.ts";
import type { MessageId, ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { Lane } from "../core/lane.ts";
import type { LaneInput } from "../core/lane-io.ts";
import { idOf, OwnerModel } from "./owner-model.ts";

const ROOM = "general" as RoomId;
const ADA = "ada" as UserId;

type Action =
  | { readonly do: "send"; readonly overHttp: boolean }
  | { readonly do: "deliver"; readonly lost: boolean }
  | { readonly do: "answer"; readonly lost: boolean }
  | { readonly do: "pass"; readonly ms: number }
  | { readonly do: "crash" }
  | { readonly do: "beat" }
  | { readonly do: "cut" };

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("send" as const), overHttp: rarely() }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("deliver" as const), lost: rarely() }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("answer" as const), lost: rarely() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.nat(3_000) }) },
  { weight: 1, arbitrary: fc.constant({ do: "crash" } as const) },
  { weight: 1, arbitrary: fc.constant({ do: "beat" } as const) },
  { weight: 1, arbitrary: fc.constant({ do: "cut" } as const) },
);

function rarely(): fc.Arbitrary<boolean> {
  return fc.integer({ min: 0, max: 5 }).map((n) => n === 0);
}

class LaneSimulation {
  readonly owner = new OwnerModel();
  readonly answers = new Map<number, Result[]>();
  readonly #toOwner: CommandBatch[] = [];
  readonly #toGateway: LaneInput<number>[] = [];
  #isOwned = true;
  #now = 0;
  #number = 0;
  sends = 0;
  readonly overHttp = new Set<number>();
  readonly #lane = new Lane<number>({
    gw: "gw-1" as ProcessId,
    nextNumber: () => ++this.#number,
    localRooms: () => [[ROOM, 0, [ADA]]],
  });

  run(actions: readonly Action[]): void {
    for (const action of actions) this.#do(action);
  }

  /** Nothing is lost any more and the partition has an owner: every command must be answered. */
  heal(): void {
    this.#isOwned = true;
    for (let round = 0; round < 200 && this.#lane.unanswered > 0; round++) {
      while (this.#toOwner.length > 0) this.#deliver(false);
      while (this.#toGateway.length > 0) this.#answer(false);
      this.#pass(50);
    }
  }

  get unanswered(): number {
    return this.#lane.unanswered;
  }

  #do(action: Action): void {
    if (action.do === "send") this.#send(action.overHttp);
    else if (action.do === "deliver") this.#deliver(action.lost);
    else if (action.do === "answer") this.#answer(action.lost);
    else if (action.do === "pass") this.#pass(action.ms);
    else if (action.do === "beat") this.#step({ kind: "epoch", epoch: this.owner.epoch });
    else if (action.do === "crash") {
      // For a while there is no owner; then another one with the same log.
      if (!this.#isOwned) this.owner.beginTenure();
      this.#isOwned = !this.#isOwned;
    } else {
      this.#toOwner.length = this.#toGateway.length = 0;
      this.#step({ kind: "reconnected" });
    }
  }

  #send(overHttp: boolean): void {
    const number = this.sends++;
    if (overHttp) this.overHttp.add(number);
    const id = idOf(number) as MessageId;
    const command = { op: "send", room: ROOM, from: ADA, id, body: { number } } as const;
    const mark = overHttp && ({ unordered: true } as const);
    this.#step({ kind: "submit", command: { ...command, ...mark }, context: number });
  }

  #deliver(lost: boolean): void {
    const batch = this.#toOwner.shift();
    if (batch === undefined || lost) return;
    if (!this.#isOwned) {
      this.#toGateway.push({ kind: "no-responders" });
      return;
    }
    const { epoch } = this.owner;
    const taken = this.owner.take(batch);
    if (taken.kind === "resync") {
      this.#toGateway.push({ kind: "resync", epoch, incarnation: taken.lane });
    } else if (taken.kind === "taken") {
      const answers = taken.results.map(({ result }) => ({ result }));
      this.#toGateway.push({ kind: "results", epoch, answers });
    }
  }

  #answer(lost: boolean): void {
    const input = this.#toGateway.shift();
    if (input !== undefined && !lost) this.#step(input);
  }

  #pass(ms: number): void {
    const until = this.#now + ms;
    for (let at = this.#lane.wakeAt; at !== undefined && at <= until; at = this.#lane.wakeAt) {
      this.#now = Math.max(this.#now, at);
      this.#step({ kind: "wake" });
    }
    this.#now = until;
  }

  #step(input: LaneInput<number>): void {
    for (const effect of this.#lane.step(input, this.#now)) {
      if (effect.kind === "flush-soon") this.#step({ kind: "flush" });
      else if (effect.kind === "publish") {
        this.#toOwner.push(JSON.parse(effect.batch) as CommandBatch);
      } else if (effect.kind === "answer") {
        const known = this.answers.get(effect.context) ?? [];
        this.answers.set(effect.context, [...known, effect.answer.result]);
      }
    }
  }
}

describe("Lane over a bus that loses", () => {
  it("O4: sends are applied once and in order, and every ack names their number", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 120, size: "max" }), (actions) => {
        const simulation = new LaneSimulation();
        simulation.run(actions);
        simulation.heal();
        expect(simulation.unanswered).to.equal(0);
        const log = (simulation.owner.log.get(ROOM) ?? []).map(
          (line) => (JSON.parse(line) as { body: { number: number } }).body.number,
        );
        const ordered = log.filter((number) => !simulation.overHttp.has(number));
        expect(ordered).to.deep.equal(ordered.toSorted((a, b) => a - b));
        expect(new Set(log).size).to.equal(log.length);
        for (let number = 0; number < simulation.sends; number++) {
          const answers = simulation.answers.get(number) ?? [];
          expect(answers).to.have.length(1); // I14: each request ends once.
          const [answer] = answers;
          if ("ok" in answer! && answer.ok === "sent") {
            expect(log[answer.seq - 1]).to.equal(number);
          }
        }
      }),
      { numRuns: 400 },
    );
  });
});
