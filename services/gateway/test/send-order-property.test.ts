// Send order, by property: one connection, an owner, refusals of every kind, and a client that
// resends refused messages in any order. Acknowledged sends have the order of their first attempts
// (O4).

import { expect } from "chai";
import * as fc from "fast-check";
import { decodeClientFrames } from "#shared/protocol/client-frames.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import type { SessionId } from "#shared/protocol/session-records.ts";
import { UNANSWERED_SENDS_MAX } from "#shared/protocol/limits.ts";
import { Admission } from "../core/admission.ts";
import { Session } from "../core/session.ts";
import type { WriteOutcome } from "../core/room-api-port.ts";
import type { SessionInput } from "../core/session-io.ts";
import { idOf } from "./owner-model.ts";

const ROOMS: readonly RoomId[] = ["general" as RoomId, "dev" as RoomId];

/** A send that the session passed to its lane. */
interface Passed {
  readonly room: RoomId;
  readonly id: string;
  isAnswered: boolean;
}

type Move =
  | { readonly kind: "send"; readonly room: number; readonly count: number }
  /** The client resends `count` refused messages, from `from` on. */
  | { readonly kind: "again"; readonly from: number; readonly count: number }
  /** The owner decides `count` sends, the first `refused` of them with `busy`. */
  | { readonly kind: "decide"; readonly count: number; readonly refused: number }
  /** `count` answers reach the session. */
  | { readonly kind: "answer"; readonly count: number }
  | { readonly kind: "pass"; readonly ms: number };

const small = fc.integer({ min: 1, max: 20 });
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("send" as const), room: fc.nat(1), count: small }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("again" as const), from: fc.nat(30), count: small }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("decide" as const),
      count: small,
      refused: fc.nat(2),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("answer" as const), count: small }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("pass" as const),
      ms: fc.integer({ min: 1, max: 300 }),
    }),
  },
);

class Run {
  readonly session: Session;
  /** Sends that the session passed and the owner has not decided. */
  readonly lane: Passed[] = [];
  /** Sends that the owner decided and the session has no answer for. */
  readonly answers: { readonly of: Passed; readonly answer: WriteOutcome }[] = [];
  /** All passed sends in order. */
  readonly #passed: Passed[] = [];
  /** Per room, in the order of the first attempt. */
  readonly made = new Map<RoomId, string[]>(ROOMS.map((room) => [room, []]));
  readonly stored = new Map<RoomId, string[]>(ROOMS.map((room) => [room, []]));
  /** Refused and not resent, in the order of the refusals. */
  refused: { id: string; room: RoomId }[] = [];
  readonly refusals = new Map<string, number>();
  /**
   * The refused send that the owner holds the room for: one id per room, like core/holds.ts of the
   * room.
   */
  readonly #held = new Map<RoomId, string>();
  now = 0;
  #ids = 0;

  constructor() {
    const admission = new Admission(true);
    this.session = new Session(
      { pingMs: 25_000, admission },
      { name: "s" as SessionId, address: "::1" },
    );
    this.sendFrames({ t: "hello", token: "t" });
    const identity = { user: "ada" as UserId, admin: false, expiresAt: Infinity };
    this.step({ kind: "verified", verification: { kind: "ok", identity } });
    for (const room of ROOMS) this.sendFrames({ t: "join", ref: 1, room });
  }

  sendFrames(...frames: object[]): void {
    const text = frames.map((frame) => JSON.stringify(frame)).join("\n");
    for (const frame of decodeClientFrames(text)) this.step({ kind: "frame", frame });
  }

  step(input: SessionInput): void {
    for (const effect of this.session.step(input, { wall: 0, monotonic: this.now })) {
      if (effect.kind === "write") {
        const { room, id } = effect.frame;
        const passed = { room, id, isAnswered: false };
        this.lane.push(passed);
        this.#passed.push(passed);
      } else if (effect.kind === "close") throw new Error(`closed: ${effect.reason.reason}`);
      else if (effect.kind === "frame" && effect.frame.t === "error") {
        const { id, room, name } = effect.frame;
        this.refusals.set(name, (this.refusals.get(name) ?? 0) + 1);
        this.refused.push({ id: id!, room: room as RoomId });
      }
    }
  }

  send(room: RoomId): void {
    const id = idOf(++this.#ids);
    this.made.get(room)!.push(id);
    this.sendFrames({ t: "send", room, id, body: {} });
  }

  again(from: number, count: number): void {
    const chosen = this.refused.splice(from % Math.max(1, this.refused.length), count);
    for (const { id, room } of chosen) this.sendFrames({ t: "send", room, id, body: {} });
  }

  /**
   * In the order of the lane. After a refusal the owner refuses the rest until that send returns.
   */
  decide(isRefused: boolean): void {
    const next = this.lane.shift();
    if (next === undefined) return;
    if (next.isAnswered) return; // The lane failed it before it was sent.
    const { room, id } = next;
    const held = this.#held.get(room);
    const waits = held !== undefined && held !== id;
    let answer: WriteOutcome = { kind: "refused", error: "busy" };
    if (isRefused || waits) {
      if (held === undefined) this.#held.set(room, id);
    } else {
      if (held === id) this.#held.delete(room);
      const stored = this.stored.get(room)!;
      if (!stored.includes(id)) stored.push(id);
      answer = { kind: "sent", seq: stored.indexOf(id) + 1, at: 0 };
    }
    this.answers.push({ of: next, answer });
  }

  /** A refusal fails the later sends of its room (lane.6). */
  answer(): void {
    const next = this.answers.shift();
    if (next === undefined || next.of.isAnswered) return;
    this.#settle(next.of, next.answer);
    if (next.answer.kind === "sent") return;
    for (const later of this.#passed.slice(this.#passed.indexOf(next.of) + 1)) {
      if (later.room !== next.of.room || later.isAnswered) continue;
      this.#settle(later, { kind: "refused", error: "unavailable" });
    }
  }

  #settle(passed: Passed, answer: WriteOutcome): void {
    passed.isAnswered = true;
    const { id, room } = passed;
    this.step({ kind: "write-answered", id, room, answer });
  }

  play(step: Move): void {
    if (step.kind === "send") for (let n = 0; n < step.count; n++) this.send(ROOMS[step.room]!);
    else if (step.kind === "again") this.again(step.from, step.count);
    else if (step.kind === "decide") {
      for (let n = 0; n < step.count; n++) this.decide(n < step.refused);
    } else if (step.kind === "answer") {
      for (let n = 0; n < step.count; n++) this.answer();
    } else this.now += step.ms;
  }

  /** The owner refuses no more; the client resends refused messages until none is left. */
  heal(): void {
    for (let round = 0; round < 500; round++) {
      while (this.lane.length > 0) this.decide(false);
      while (this.answers.length > 0) this.answer();
      if (this.refused.length === 0) return;
      this.now += 50;
      this.again(0, this.refused.length);
    }
    throw new Error(`${this.refused.length} sends stayed refused`);
  }
}

describe("Send order, by property", () => {
  it("O4: acknowledged sends have the order of their first attempts, whatever was refused", () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(fc.array(move, { minLength: 5, maxLength: 40 }), (moves) => {
        const run = new Run();
        for (const step of moves) run.play(step);
        run.heal();
        for (const room of ROOMS) {
          expect(run.stored.get(room)).to.deep.equal(run.made.get(room));
        }
        for (const [name, count] of run.refusals) seen.set(name, (seen.get(name) ?? 0) + count);
      }),
      { numRuns: 300 },
    );
    expect(seen.get("busy")).to.be.above(1_000); // The run had enough sends.
    expect(seen.get("rate_limited")).to.be.above(100);
  });

  it("O4: the busy of the 65th unanswered send keeps its place", () => {
    const run = new Run();
    for (let n = 0; n < UNANSWERED_SENDS_MAX + 2; n++) run.send(ROOMS[0]!);
    run.now += 1_000;
    for (let n = 0; n < UNANSWERED_SENDS_MAX; n++) run.decide(false);
    while (run.answers.length > 0) run.answer();
    run.send(ROOMS[0]!);
    run.heal();
    expect(run.stored.get(ROOMS[0]!)).to.deep.equal(run.made.get(ROOMS[0]!));
  });
});
