// Look-ups, by property: an archive that answers late, out of order, from an earlier state or not
// at all; lanes that resend; clocks that jump; senders with old and new ids on two gateways.

import { expect } from "chai";
import * as fc from "fast-check";
import { decodeEntry } from "#shared/protocol/entry.ts";
import { decodeEvent } from "#shared/protocol/events.ts";
import type { SendCommand } from "#shared/protocol/commands.ts";
import { DEDUPE_WINDOW_MS } from "#shared/protocol/limits.ts";
import type { Found } from "#shared/ports/archive.ts";
import type { LogSeq, ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { LOOK_UPS_PER_SENDER_MAX } from "../core/look-ups.ts";
import type { Effect, Input } from "../core/partition-io.ts";
import { WAITING_MAX_MS } from "../core/tenure.ts";
import { PartitionFixture, emptySnapshot, idAt, send, T0 } from "./partition-fixture.ts";

const ROOMS = ["r0", "r1"] as RoomId[];
const USERS = ["ada", "bob"] as UserId[];
const GATEWAYS = ["gw-1", "gw-2"] as ProcessId[];
const FLOOR = T0 - DEDUPE_WINDOW_MS;

type Action =
  | {
      do: "send";
      gw: number;
      user: number;
      room: number;
      id: number;
      isOld: boolean;
      overHttp?: boolean;
    }
  | { do: "resend"; gw: number }
  | { do: "answer"; which: number; how: "now" | "then" | "lost" }
  | { do: "settle" | "archive" }
  | { do: "tick"; ms: number; jumpMs: number };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant("send" as const),
      gw: fc.nat(1),
      user: fc.nat(1),
      room: fc.nat(1),
      id: fc.nat(8),
      isOld: fc.boolean(),
      overHttp: fc.constantFrom(false, false, true),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("resend" as const), gw: fc.nat(1) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("answer" as const),
      which: fc.nat(7),
      how: fc.constantFrom("now" as const, "now" as const, "then" as const, "lost" as const),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("settle" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("archive" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("tick" as const),
      ms: fc.nat(1_500),
      jumpMs: fc.constantFrom(0, 0, 3 * DEDUPE_WINDOW_MS, -3 * DEDUPE_WINDOW_MS),
    }),
  },
);

/** Events in all runs. The test fails when one of them is too rare to prove anything. */
const seen = { lookUps: 0, repeats: 0, stale: 0, numbered: 0, refused: 0, overHttp: 0 };

interface Question {
  readonly effect: Extract<Effect, { kind: "look-up" }>;
  /** The ids in the archive at the time of the request. */
  readonly held: ReadonlyMap<string, Found>;
  readonly watermark: LogSeq;
}

class LookUpModel {
  readonly #fixture = new PartitionFixture();
  /** Sequence numbers by room, sender and id. */
  readonly #numbers = new Map<string, number>();
  readonly #unanswered = GATEWAYS.map(() => new Map<number, SendCommand>());
  readonly #lanes = GATEWAYS.map(() => ({ lane: 1, n: 0 }));
  /** The newest acknowledged new number, by gateway, sender and room (O4). */
  readonly #newest = new Map<string, { c: number; seq: number }>();
  readonly #questions: Question[] = [];
  readonly #appends: { n: number; expected: LogSeq; events: [string, Found][] }[] = [];
  readonly #log: { seq: LogSeq; events: [string, Found][] }[] = [];
  #archive = new Map<string, Found>();
  #watermark: LogSeq = 0;
  #wallAhead = 0;

  constructor() {
    this.#fixture.serve();
    for (const [i, room] of ROOMS.entries()) {
      this.#fixture.step({
        kind: "batch",
        batch: {
          v: 1,
          gw: "gw-9" as ProcessId,
          lane: 1,
          n: i + 1,
          commands: [{ c: i + 1, op: "head", room }],
        },
      });
      const value = { ...emptySnapshot(room, 0), floor: FLOOR };
      const outcome = { kind: "ok", value } as const;
      this.#step({ kind: "room-loaded", tenure: this.#fixture.tenure, room, outcome });
    }
  }

  do(item: Action): void {
    switch (item.do) {
      case "send": {
        const id = idAt(item.isOld ? FLOOR - 1 : T0, item.id);
        const from = USERS[item.user]!;
        const mark = item.overHttp === true && ({ unordered: true } as const);
        const command = send({ room: ROOMS[item.room]!, from, id, ...mark }) as SendCommand;
        const mayWait = this.#mayWait(command);
        this.#unanswered[item.gw]!.set(command.c, command);
        this.#publish(item.gw, [command]);
        this.#step({ kind: "flush" });
        if (!mayWait && !this.#isAsked(command) && !this.#isAtBound(from)) {
          this.#expectDecided(item.gw, command);
        }
        return;
      }
      case "resend": {
        const lane = this.#lanes[item.gw]!;
        this.#lanes[item.gw] = { lane: lane.lane + 1, n: 0 };
        return this.#publish(item.gw, [...this.#unanswered[item.gw]!.values()]);
      }
      case "answer":
        return this.#answer(item.which, item.how);
      case "settle": {
        const append = this.#appends.shift();
        if (append === undefined) return;
        const { n, expected, events } = append;
        const seq = expected + 1;
        this.#log.push({ seq, events });
        const outcome = { kind: "ok", seq } as const;
        return this.#step({ kind: "appended", tenure: this.#fixture.tenure, n, outcome });
      }
      case "archive": {
        const last = this.#log.at(-1)?.seq ?? 0;
        this.#archive = new Map(this.#log.flatMap(({ events }) => events));
        this.#watermark = last;
        return this.#step({ kind: "watermark", seq: last });
      }
      case "tick":
        this.#fixture.now += item.ms;
        this.#wallAhead += item.jumpMs;
        return this.#step({ kind: "tick" });
    }
  }

  /**
   * Expects that no send waits longer than its timeout, although no look-up is answered any more.
   */
  end(): void {
    for (let ms = 0; ms <= WAITING_MAX_MS; ms += 500) this.do({ do: "tick", ms: 500, jumpMs: 0 });
    this.#step({ kind: "flush" });
    while (this.#appends.length > 0) this.do({ do: "settle" });
    for (const waiting of this.#unanswered) expect([...waiting.values()]).to.deep.equal([]);
  }

  #publish(gw: number, commands: readonly SendCommand[]): void {
    const lane = this.#lanes[gw]!;
    lane.n++;
    this.#step({ kind: "batch", batch: { v: 1, gw: GATEWAYS[gw]!, ...lane, commands } });
  }

  /** P21: only a sender with an unanswered send in that room may have to wait. */
  #mayWait({ room, from }: SendCommand): boolean {
    return this.#unanswered.some((sends) =>
      [...sends.values()].some((other) => other.room === room && other.from === from),
    );
  }

  #isAsked(command: SendCommand): boolean {
    return this.#questions.some(({ effect }) => keyOf(effect) === keyOf(command));
  }

  /** look-ups.5: a further look-up of this sender waits for one of its own answers. */
  #isAtBound(sender: UserId): boolean {
    const own = this.#questions.filter(({ effect }) => effect.from === sender);
    return own.length >= LOOK_UPS_PER_SENDER_MAX;
  }

  #expectDecided(gw: number, command: SendCommand): void {
    // The decision is visible after the appends before it are settled.
    while (this.#appends.length > 0) this.do({ do: "settle" });
    const isNumbered = this.#numbers.has(keyOf(command));
    const isAnswered = !this.#unanswered[gw]!.has(command.c);
    expect(isNumbered || isAnswered, `command ${command.c} is decided`).to.equal(true);
  }

  #answer(which: number, how: "now" | "then" | "lost"): void {
    const [question] = this.#questions.splice(which % (this.#questions.length || 1), 1);
    if (question === undefined) return;
    const { effect } = question;
    const { room, from, id } = effect;
    const found = (how === "then" ? question.held : this.#archive).get(keyOf(effect));
    const watermark = how === "then" ? question.watermark : this.#watermark;
    if (how === "then" && watermark < this.#watermark) seen.stale++;
    const value = { watermark, ...(found && { found }) };
    const outcome =
      how === "lost"
        ? ({ kind: "unavailable", reason: "test" } as const)
        : ({ kind: "ok", value } as const);
    this.#step({ kind: "looked-up", tenure: this.#fixture.tenure, room, from, id, outcome });
  }

  #step(input: Input): void {
    const { now } = this.#fixture;
    for (const effect of this.#fixture.partition.step(input, now, now + this.#wallAhead)) {
      this.#perform(effect);
    }
  }

  #perform(effect: Effect): void {
    if (effect.kind === "look-up") {
      seen.lookUps++;
      this.#questions.push({ effect, held: this.#archive, watermark: this.#watermark });
    } else if (effect.kind === "append") {
      const entry = decodeEntry(effect.text);
      if (entry.kind !== "commit") return;
      const events = entry.groups.flatMap(({ lines }) => lines.map((line) => this.#number(line)));
      this.#appends.push({ n: effect.n, expected: effect.expected, events });
    } else if (effect.kind === "reply") {
      const gw = GATEWAYS.indexOf(effect.gateway);
      if (gw < 0) return;
      for (const { result } of effect.results) {
        const command = this.#unanswered[gw]!.get(result.c);
        this.#unanswered[gw]!.delete(result.c);
        if ("error" in result) seen.refused++;
        if (command === undefined || !("ok" in result) || result.ok !== "sent") continue;
        expect(result.seq, `the number of command ${command.c}`).to.equal(
          this.#numbers.get(keyOf(command)),
        );
        if (result.repeat === true) seen.repeats++;
        else if (command.unordered === true) seen.overHttp++;
        else this.#inOrder(`${gw} ${command.from} ${command.room}`, result.c, result.seq);
      }
    }
  }

  #number(line: string): [string, Found] {
    const { room, from, id, seq, at } = decodeEvent(line);
    const key = keyOf({ room, from, id });
    expect(this.#numbers.has(key), `${key} already has a number`).to.equal(false);
    this.#numbers.set(key, seq);
    seen.numbered++;
    return [key, { seq, at }];
  }

  #inOrder(stream: string, c: number, seq: number): void {
    const newest = this.#newest.get(stream);
    if (newest !== undefined) expect(c > newest.c, stream).to.equal(seq > newest.seq);
    if (newest === undefined || c > newest.c) this.#newest.set(stream, { c, seq });
  }
}

const ask = (user: number, room: number, id: number, isOld = true): Action => {
  return { do: "send", gw: 0, user, room, id, isOld };
};
/**
 * bob has seven open look-ups when one answer is lost, and its refusal refuses the sends behind it.
 * After one more, the refused send comes again: its look-up waits for its turn, although no send of
 * his is unanswered in that room.
 */
const AT_BOUND: Action[] = [
  ask(0, 1, 0, false),
  { do: "archive" },
  { do: "tick", ms: 0, jumpMs: 3 * DEDUPE_WINDOW_MS },
  ask(0, 0, 0),
  ask(0, 0, 1),
  ask(0, 1, 0, false),
  ask(1, 1, 0, false),
  ask(0, 0, 2),
  ask(1, 0, 8),
  { do: "answer", which: 0, how: "now" },
  ask(1, 0, 0),
  { do: "answer", which: 0, how: "now" },
  ask(1, 0, 1),
  ask(1, 0, 2),
  ask(1, 1, 1, false),
  ask(1, 0, 3),
  ask(1, 1, 0),
  { do: "answer", which: 3, how: "lost" },
  ask(1, 1, 1),
  ask(1, 0, 8),
];

function keyOf({ room, from, id }: Pick<SendCommand, "room" | "from" | "id">): string {
  return `${room} ${from} ${id}`;
}

describe("Look-ups, by property", () => {
  it("P21: each id gets one number, senders keep their order, and only a sender with a look-up waits", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 120, size: "max" }), (actions) => {
        const model = new LookUpModel();
        for (const item of actions) model.do(item);
        model.end();
      }),
      { numRuns: 1_000, examples: [[AT_BOUND]] },
    );
    expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).to.be.greaterThan(200);
  });
});
