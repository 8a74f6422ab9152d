// Targets, by property: what the owner says of a message is true, whatever it has forgotten, and
// its memory counts.
//
// The model keeps all events. The archive has a prefix of them, and answers by that prefix. Before
// each look-up the owner asks as a room does: only when memory does not know, and when the answer
// counts.

import { expect } from "chai";
import * as fc from "fast-check";
import { unreachable } from "#shared/kit/assert.ts";
import type { Mentions, RoomEvent } from "#shared/protocol/events.ts";
import type { TargetMessage } from "#shared/protocol/history.ts";
import type { Millis, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { Targets, TARGETS_MAX } from "../core/message-targets.ts";
import { RoomMemory } from "../core/room-memory.ts";
import { idAt, T0 } from "./partition-fixture.ts";

/** The events before it are in the archive alone. */
const FIRST = 20;
/** The memory of a target. */
const TARGET_BYTES = 72;
/** Memory is counted in steps of this size. */
const STEP = 64;
const USERS = ["ada", "ben", "eve"] as UserId[];

type Action =
  | { readonly do: "messages"; readonly count: number }
  | { readonly do: "message"; readonly thread: number; readonly mentions: Mentions | undefined }
  | { readonly do: "edit"; readonly back: number; readonly mentions: Mentions | undefined }
  | { readonly do: "delete" | "look-up"; readonly back: number }
  | { readonly do: "other" | "hole" | "trim" }
  /** How many events, in tenths of those that the archive lacks, and of all. */
  | { readonly do: "archive" | "forget"; readonly tenths: number };

const mentions = fc.option(
  fc.oneof(fc.constant("@room" as const), fc.subarray(USERS) as fc.Arbitrary<readonly UserId[]>),
  { nil: undefined },
);
const back = fc.oneof(fc.nat(8), fc.nat(3_000));
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ do: fc.constant("messages" as const), count: fc.integer({ min: 1, max: 400 }) }),
  fc.record({ do: fc.constant("message" as const), thread: fc.nat(2), mentions }),
  fc.record({ do: fc.constant("edit" as const), back, mentions }),
  fc.record({ do: fc.constantFrom("delete" as const, "look-up" as const), back }),
  fc.record({ do: fc.constantFrom("other" as const, "hole" as const, "trim" as const) }),
  fc.record({ do: fc.constantFrom("archive" as const, "forget" as const), tenths: fc.nat(10) }),
);

class Scene {
  readonly account = new RoomMemory(1 << 26).account;
  readonly targets = new Targets(FIRST, this.account);
  /** The truth about each message; no entry: no message has the number. */
  readonly #messages = new Map<Seq, TargetMessage>();
  /** The numbers of deletions, by their target. */
  readonly #deletedBy = new Map<Seq, Seq>();
  /** Messages that the archive described: their mentions are hints (message-targets.4). */
  readonly #learnt = new Set<Seq>();
  #head: Seq = 0;
  #archived: Seq = FIRST - 1;
  #forgottenTo: Seq = 0;

  constructor() {
    for (let seq = 1; seq < FIRST; seq++) this.#message({});
  }

  do(action: Action): void {
    switch (action.do) {
      case "messages":
        for (let n = 0; n < action.count; n++) this.#message({});
        break;
      case "message": {
        const { thread, mentions: whom } = action;
        this.#message({
          ...(thread > 0 && { thread }),
          ...(whom !== undefined && { mentions: whom }),
        });
        break;
      }
      case "edit":
        this.#edit(this.#at(action.back), action.mentions);
        break;
      case "delete":
        this.#delete(this.#at(action.back));
        break;
      case "look-up":
        this.#lookUp(this.#at(action.back));
        break;
      case "other":
        this.#take({ t: "pinned", target: 1, on: true });
        break;
      case "hole":
        this.#head++; // A line that is no event, in front of the next one.
        this.#take({ t: "pinned", target: 1, on: true });
        break;
      case "trim":
        this.targets.trim(this.#archived);
        break;
      case "archive":
        this.#archived += Math.floor(((this.#head - this.#archived) * action.tenths) / 10);
        break;
      case "forget":
        this.#forgottenTo = Math.max(
          this.#forgottenTo,
          Math.floor((this.#head * action.tenths) / 10),
        );
        this.targets.forgetUpTo(this.#forgottenTo);
        break;
      default:
        unreachable(action);
    }
  }

  /** `isExact`: the memory is counted to the last target. */
  check(isExact: boolean): void {
    let mentioned = 0;
    for (let seq = 1; seq <= this.#head; seq++) {
      const said = this.targets.find(seq);
      if (typeof said === "object" && Array.isArray(said.mentions)) {
        mentioned += said.mentions.length;
      }
      const wrong = said === undefined ? this.#forgotten(seq) : this.#untrue(seq, said);
      if (wrong !== undefined) expect.fail(`${seq} ${wrong}: ${JSON.stringify(said)}`);
    }
    const due = (this.targets.size + mentioned) * TARGET_BYTES - this.account.usedBy("targets");
    expect(Math.abs(due), "the memory").to.be.below(isExact ? 1 : STEP * TARGET_BYTES);
  }

  #forgotten(seq: Seq): string | undefined {
    const isOld = seq < FIRST || seq <= this.#forgottenTo || seq <= this.#head - TARGETS_MAX;
    if (!isOld) return "should be known";
    const deletion = this.#deletedBy.get(seq) ?? 0;
    const mayBeLost = deletion <= this.#archived || deletion <= this.#forgottenTo;
    return mayBeLost ? undefined : "should be known as deleted"; // message-targets.2
  }

  #untrue(seq: Seq, said: TargetMessage | "none"): string | undefined {
    const truth = this.#messages.get(seq);
    if (said === "none" || truth === undefined) {
      return said === "none" && truth === undefined ? undefined : "is no message, or is one";
    }
    if (said.isDeleted !== truth.isDeleted) return "has another deletion";
    if (truth.isDeleted === true) return undefined; // Nothing else of it matters.
    if (said.from !== truth.from || said.at !== truth.at) return "has another author or time";
    if (said.thread !== truth.thread) return "is in another thread";
    const isKnown = this.#learnt.has(seq) || said.mentions === truth.mentions;
    return isKnown ? undefined : "mentions others";
  }

  #at(steps: number): Seq {
    return Math.max(1, this.#head - steps);
  }

  #take(event: object): RoomEvent {
    const seq = ++this.#head;
    const head = { seq, room: "general" as RoomId, id: idAt(T0, 1), at: this.#timeOf(seq) };
    const whole = { ...head, from: this.#senderOf(seq), ...event } as RoomEvent;
    if (seq >= FIRST) this.targets.take(whole);
    return whole;
  }

  #message(more: Pick<TargetMessage, "thread" | "mentions">): void {
    const { seq, from, at } = this.#take({ t: "msg", body: {}, ...more });
    this.#messages.set(seq, { from, at, ...more });
  }

  #edit(target: Seq, whom: Mentions | undefined): void {
    const known = this.#messages.get(target);
    if (known === undefined || known.isDeleted === true) return; // The owner refuses it.
    if (this.targets.find(target) === undefined) this.#learnt.add(target); // message-targets.4
    const more = whom === undefined ? {} : { mentions: whom };
    this.#take({ t: "edited", target, body: {}, ...more });
    this.#messages.set(target, { ...known, ...more });
  }

  #delete(target: Seq): void {
    const known = this.#messages.get(target);
    if (known === undefined || known.isDeleted === true) return;
    const { seq } = this.#take({ t: "deleted", target });
    this.#deletedBy.set(target, seq);
    this.#messages.set(target, { ...known, isDeleted: true });
  }

  #lookUp(seq: Seq): void {
    const { targets } = this;
    if (targets.find(seq) !== undefined || !targets.mayAsk(this.#archived)) return;
    const truth = this.#messages.get(seq);
    if (truth === undefined || seq > this.#archived) return;
    const isDeleted = (this.#deletedBy.get(seq) ?? Infinity) <= this.#archived;
    const { isDeleted: _later, ...message } = truth;
    targets.learn(seq, isDeleted ? { ...message, isDeleted } : message);
    this.#learnt.add(seq);
  }

  #senderOf(seq: Seq): UserId {
    return USERS[seq % USERS.length]!;
  }

  #timeOf(seq: Seq): Millis {
    return T0 + seq;
  }
}

describe("Targets, by property", () => {
  it("message-targets.1, message-targets.2, message-targets.3: what memory and archive say of a message is true, and counts as memory", () => {
    fc.assert(
      fc.property(fc.array(action, { minLength: 1, maxLength: 50 }), (actions) => {
        const scene = new Scene();
        for (const each of actions) {
          scene.do(each);
          scene.check(each.do === "forget");
        }
        scene.targets.clear();
        expect([scene.targets.size, scene.account.usedBy("targets")]).to.deep.equal([0, 0]);
      }),
      { numRuns: 100 },
    );
  });
});
