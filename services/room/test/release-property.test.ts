// Release, by property: for any order of events, after a tenure has handed its release to the log,
// it hands over no commit and no second release, and it has no append in flight.
//
// The log has a real fence: it stores an append with the right expected sequence and refuses all
// others. All answers may be late or missing: rooms are loaded and ids are looked up late, appends
// are answered late, with an uncertain outcome, or with "full". Rivals claim in between, and drains
// and claims come at any time. The archive stays empty, so every tenure replays the whole log, and
// old ids are looked up.

import { expect } from "chai";
import * as fc from "fast-check";
import { unreachable } from "#shared/kit/assert.ts";
import { decodeEntry, encodeEntry } from "#shared/protocol/entry.ts";
import { DEDUPE_WINDOW_MS } from "#shared/protocol/limits.ts";
import type { AppendOutcome } from "#shared/ports/log.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import type { Effect, Input } from "../core/partition-io.ts";
import { Partition } from "../core/partition.ts";
import { RoomMemory } from "../core/room-memory.ts";
import { emptySnapshot, GW, idAt, NODE, RIVAL, send, T0 } from "./partition-fixture.ts";

const ROOMS = ["r0", "r1", "r2"] as RoomId[];
const FLOOR = T0 - DEDUPE_WINDOW_MS;
const OUTCOMES = [...Array<"ok">(17).fill("ok"), "lost", "stored and lost", "full"] as const;

type Action =
  | { readonly do: "claim" | "drain" | "flush" | "read" | "rival" }
  | { readonly do: "tick"; readonly ms: number }
  | { readonly do: "send"; readonly room: number; readonly id: number; readonly isOld: boolean }
  /** Answers the oldest append without an answer. */
  | { readonly do: "settle"; readonly how: (typeof OUTCOMES)[number] }
  /** Answers any other request, or reports a failure. */
  | { readonly do: "answer"; readonly which: number; readonly helps: boolean };

function just<D extends "claim" | "drain" | "flush" | "read" | "rival">(what: D, weight: number) {
  return { weight, arbitrary: fc.constant({ do: what }) };
}

const mostly = fc.integer({ min: 0, max: 9 }).map((n) => n > 0);
const action: fc.Arbitrary<Action> = fc.oneof(
  just("claim", 4),
  just("drain", 2),
  just("flush", 8),
  just("read", 8),
  just("rival", 1),
  { weight: 2, arbitrary: fc.record({ do: fc.constant("tick" as const), ms: fc.nat(1_000) }) },
  {
    weight: 16,
    arbitrary: fc.record({
      do: fc.constant("send" as const),
      room: fc.nat(ROOMS.length - 1),
      id: fc.nat(40),
      isOld: fc.boolean(),
    }),
  },
  {
    weight: 16,
    arbitrary: fc.record({ do: fc.constant("settle" as const), how: fc.constantFrom(...OUTCOMES) }),
  },
  {
    weight: 16,
    arbitrary: fc.record({ do: fc.constant("answer" as const), which: fc.nat(9), helps: mostly }),
  },
);

type Other = Exclude<Effect, { kind: "append" | "resync" | "open-reader" | "close-reader" }>;

/** Events in all runs. The test fails when one of them is too rare to prove anything. */
const seen = { commits: 0, releases: 0, releasesWithQuestions: 0, tenures: 0 };

class FencedLogFixture {
  readonly #partition = new Partition(NODE, new RoomMemory(1 << 20));
  /** The entries of the log. The first one has sequence 1. */
  readonly #log: string[] = [];
  readonly #appends: Extract<Effect & { tenure: number }, { kind: "append" }>[] = [];
  readonly #questions: { answer: (helps: boolean) => Input }[] = [];
  readonly #released = new Set<number>();
  #reader: { next: number; tenure: number } | undefined;
  #now = T0;
  #lane = 1;
  #n = 0;

  do(action: Action): void {
    switch (action.do) {
      case "claim":
      case "drain":
      case "flush":
        return this.#step({ kind: action.do });
      case "tick":
        this.#now += action.ms;
        return this.#step({ kind: "tick" });
      case "rival":
        this.#log.push(encodeEntry({ kind: "claim", node: RIVAL, at: T0 }));
        return;
      case "read":
        return this.#read();
      case "send":
        return this.#send(action.room, action.id, action.isOld);
      case "settle":
        return this.#settle(action.how);
      case "answer": {
        const [question] = this.#questions.splice(action.which % (this.#questions.length || 1), 1);
        if (question !== undefined) this.#step(question.answer(action.helps));
      }
    }
  }

  #send(room: number, n: number, isOld: boolean): void {
    const id = idAt(isOld ? FLOOR - 1 : T0, n);
    const command = send({ room: ROOMS[room]!, id });
    const batch = { v: 1, gw: GW, lane: this.#lane, n: ++this.#n, commands: [command] } as const;
    this.#step({ kind: "batch", batch });
  }

  /** Reads all entries to the end of the log. */
  #read(): void {
    while (this.#reader !== undefined) {
      const { next: logSeq, tenure } = this.#reader;
      const text = this.#log[logSeq - 1];
      if (text === undefined) return;
      this.#reader = { tenure, next: logSeq + 1 };
      this.#step({ kind: "entry", tenure, logSeq, entry: decodeEntry(text) });
    }
  }

  #settle(how: (typeof OUTCOMES)[number]): void {
    const append = this.#appends.shift();
    if (append === undefined) return;
    const { n, text, expected, tenure } = append;
    const fits = expected === this.#log.length;
    if (fits && (how === "ok" || how === "stored and lost")) this.#log.push(text);
    const last = this.#log.length;
    const stored: AppendOutcome = fits ? { kind: "ok", seq: last } : { kind: "conflict", last };
    const outcome: AppendOutcome =
      how === "ok" ? stored : how === "full" ? { kind: "full" } : { kind: "unknown", reason: how };
    this.#step({ kind: "appended", tenure, n, outcome });
  }

  #step(input: Input): void {
    for (const effect of this.#partition.step(input, this.#now)) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    const { tenure } = this.#partition;
    if (effect.kind === "append") {
      this.#judge(effect.text);
      this.#appends.push({ ...effect, tenure });
    } else if (effect.kind === "resync") {
      this.#lane++;
      this.#n = 0;
    } else if (effect.kind === "open-reader") this.#reader = { next: effect.from, tenure };
    else if (effect.kind === "close-reader") this.#reader = undefined;
    else {
      const answer = this.#answerTo(effect, tenure);
      if (answer !== undefined) this.#questions.push({ answer });
    }
  }

  /** Checks the property when an entry is handed to the log. */
  #judge(text: string): void {
    const entry = decodeEntry(text);
    if (entry.kind === "claim") seen.tenures++;
    if (entry.kind !== "commit" && entry.kind !== "release") return;
    const { kind, epoch } = entry;
    expect(this.#released.has(epoch), `a ${kind} of tenure ${epoch} after its release`).to.equal(
      false,
    );
    if (kind === "commit") seen.commits++;
    else {
      const open = this.#appends.filter(({ tenure }) => tenure === this.#partition.tenure);
      expect(open, `in flight when tenure ${epoch} was released`).to.deep.equal([]);
      this.#released.add(epoch);
      seen.releases++;
      if (this.#questions.length > 0) seen.releasesWithQuestions++;
    }
  }

  /** Undefined for an effect without an answer. */
  #answerTo(effect: Other, tenure: number): ((helps: boolean) => Input) | undefined {
    const none = { kind: "unavailable", reason: "test" } as const;
    const watermark = 0;
    switch (effect.kind) {
      case "unsubscribe":
        return () => ({ kind: "unsubscribed", tenure });
      case "read-last":
        return (helps) => {
          const last = this.#log.length;
          const known = { kind: "ok", first: Math.min(1, last), last, bytes: 0 } as const;
          const outcome = helps ? known : ({ kind: "unknown", reason: "test" } as const);
          return { kind: "last", tenure, outcome, archived: 0 };
        };
      case "read-watermark":
        return (helps) => {
          const value = { seq: 0, epoch: 0 };
          return { kind: "watermark-read", tenure, outcome: helps ? { kind: "ok", value } : none };
        };
      case "get-entry":
        return (helps) => {
          const { logSeq } = effect;
          const text = this.#log[logSeq - 1];
          const entry = helps && text !== undefined ? decodeEntry(text) : undefined;
          return { kind: "entry-read", tenure, logSeq, entry };
        };
      case "load-room":
        return (helps) => {
          const { room } = effect;
          const value = { ...emptySnapshot(room, 0), floor: FLOOR };
          const outcome = helps ? ({ kind: "ok", value } as const) : none;
          return { kind: "room-loaded", tenure, room, outcome };
        };
      case "look-up":
        return (helps) => {
          const { room, from, id } = effect;
          const outcome = helps ? ({ kind: "ok", value: { watermark } } as const) : none;
          return { kind: "looked-up", tenure, room, from, id, outcome };
        };
      case "announce":
      case "broadcast":
      case "changed":
      case "flush-soon":
      case "log":
      case "note":
      case "repeat-head":
      case "reply":
      case "subscribe":
        return undefined;
      default:
        return unreachable(effect);
    }
  }
}

describe("Release, by property", () => {
  it("P10: after its release a tenure hands nothing to the log, in any order of events", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 300, size: "max" }), (actions) => {
        const fixture = new FencedLogFixture();
        for (const item of actions) fixture.do(item);
      }),
      { numRuns: 1_500 },
    );
    expect(seen.commits).to.be.greaterThan(100);
    expect(seen.releases).to.be.greaterThan(100);
    expect(seen.releasesWithQuestions, "releases with requests still open").to.be.greaterThan(20);
  });
});
