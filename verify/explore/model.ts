// Model: two owners, one gateway and one log as one small world, whose every step is a choice.
//
// The owners and the lane are the real cores. The model is what stands between them: pipes in which
// messages wait, a log that appends only at the expected sequence, an archive. A pause is no step of
// its own: a process whose inbox is not chosen for long is paused.
// Owns: the state and its steps. Does not own: which steps are tried (search.ts), what must hold in
// every state (invariants.ts).
//
//   1. `choices` names every step that is possible now; `take` takes one. Both depend on the state
//      alone, so a list of names is a run.
//   2. Faults and outside events are bounded by `budget`, so the world is finite.
//   3. One pipe keeps its order. Pipes of different senders are independent of each other.

import { Lane } from "../../services/gateway/core/lane.ts";
import type { LaneEffect } from "../../services/gateway/core/lane-io.ts";
import type { SyncRoom } from "../../services/gateway/core/sync.ts";
import type { Effect, Input } from "../../services/room/core/partition-io.ts";
import { Partition } from "../../services/room/core/partition.ts";
import { RoomMemory } from "../../services/room/core/room-memory.ts";
import type { CommandBatch } from "#shared/protocol/commands.ts";
import { decodeEntry } from "#shared/protocol/entry.ts";
import type {
  Epoch,
  LogSeq,
  MessageId,
  Millis,
  ProcessId,
  RoomId,
  Seq,
  UserId,
} from "#shared/protocol/ids.ts";
import { decodeResults, encodeResults, encodeResync } from "#shared/protocol/results.ts";
import type { AppendOutcome } from "#shared/ports/log.ts";
import { snapshotOf, watermarkOf } from "./archive-answers.ts";
import { faultOfAck, faultOfLog, faultOfShown } from "./invariants.ts";

export const PLANTS = ["skip-fence", "ack-before-commit"] as const;
export type PlantName = (typeof PLANTS)[number];

/** How often each outside event may happen in one run. */
export interface Budget {
  claims: number;
  drains: number;
  sends: number;
  /** A client sends its newest acknowledged message again, as after a lost answer. */
  resends: number;
  /** Messages of the bus, appends and their answers that get lost, together. */
  losses: number;
  /** Steps of TICK_MS in which all timers that are due run out. */
  ticks: number;
  archivings: number;
}

interface PendingAppend {
  readonly n: number;
  readonly text: string;
  readonly expected: LogSeq;
  readonly tenure: number;
}

interface Answered {
  readonly n: number;
  readonly tenure: number;
  readonly outcome: AppendOutcome;
}

type Question =
  | Extract<
      Effect,
      { kind: "read-last" | "read-watermark" | "get-entry" | "load-room" | "look-up" }
    >
  | { readonly kind: "flush-bus" };

interface Owner {
  readonly name: "a" | "b";
  readonly core: Partition;
  /** Where commands reach it: 0 is the partition's own subject. Empty: nowhere. */
  subjects: Epoch[];
  inbox: string[];
  toLog: PendingAppend[];
  fromLog: Answered[];
  questions: { readonly tenure: number; readonly question: Question }[];
  reader: { next: LogSeq; readonly tenure: number } | undefined;
  results: string[];
  heardMark: LogSeq;
}

const ROOM = "r" as RoomId;
const USER = "u" as UserId;
const GATEWAY = "gateway-g" as ProcessId;
/** As long as a lane waits for an answer; two of them are longer than a fenced owner stands back. */
const TICK_MS = 2_000;
/** Nothing is shed. */
const MEMORY_BYTES = 1_000_000;
const BEGAN_AT = 1_700_000_000_000;

/** What the lane asks of its gateway: a number for each command, and who is where. */
class LaneHost {
  readonly gw = GATEWAY;
  readonly users: readonly UserId[] = [USER];
  numbers = 0;

  nextNumber(): number {
    return ++this.numbers;
  }

  *localRooms(): Generator<SyncRoom> {
    yield [ROOM, 0, this.users];
  }
}

export class Model {
  readonly budget: Budget;
  readonly plant: PlantName | undefined;
  readonly log: string[] = [];
  /** The number that each message was acknowledged with. */
  readonly acked: (Seq | undefined)[] = [];
  /** The first broken rule, if there is one. */
  broken: string | undefined;
  now: Millis = BEGAN_AT;
  mark: LogSeq = 0;
  #sent = 0;
  /** Batches on their way: to whoever owns the partition, or to one epoch. */
  #outgoing: { readonly to: Epoch; readonly batch: string }[] = [];
  readonly #lane: Lane<number>;
  readonly #owners: readonly Owner[];

  constructor(budget: Budget, plant?: PlantName) {
    this.budget = { ...budget };
    this.plant = plant;
    this.#lane = new Lane<number>(new LaneHost());
    this.#owners = (["a", "b"] as const).map((name) => ({
      name,
      core: new Partition(`room-${name}` as ProcessId, new RoomMemory(MEMORY_BYTES)),
      subjects: [],
      inbox: [],
      toLog: [],
      fromLog: [],
      questions: [],
      reader: undefined,
      results: [],
      heardMark: 0,
    }));
  }

  /** The names of all steps that are possible now. */
  choices(): string[] {
    const { budget } = this;
    const found: string[] = [];
    if (budget.sends > 0) found.push("send");
    if (budget.resends > 0 && this.acked.length > 0) found.push("resend");
    if (budget.ticks > 0) found.push("tick");
    if (budget.archivings > 0 && this.mark < this.log.length) found.push("archive");
    const [first] = this.#outgoing;
    if (first !== undefined) {
      found.push(...this.#takers(first.to).map(({ name }) => `route ${name}`));
      if (this.#takers(first.to).length === 0) found.push("bounce");
      if (budget.losses > 0) found.push("lose batch");
    }
    for (const owner of this.#owners) found.push(...this.#choicesOf(owner));
    return found;
  }

  #choicesOf(owner: Owner): string[] {
    const { budget } = this;
    const { name, core, inbox, toLog, fromLog, questions, reader, results } = owner;
    const isIdle = core.state === "idle" || core.state === "fenced";
    const mayLose = budget.losses > 0;
    return [
      budget.claims > 0 && isIdle && `claim ${name}`,
      budget.drains > 0 && core.state === "serving" && `drain ${name}`,
      inbox.length > 0 && `commands ${name}`,
      toLog.length > 0 && `append ${name}`,
      toLog.length > 0 && mayLose && `lose append ${name}`,
      fromLog.length > 0 && `appended ${name}`,
      fromLog[0]?.outcome.kind === "ok" && mayLose && `lose appended ${name}`,
      questions.length > 0 && `answer ${name}`,
      reader !== undefined && reader.next <= this.log.length && `read ${name}`,
      results.length > 0 && `results ${name}`,
      results.length > 0 && mayLose && `lose results ${name}`,
      this.#isNewsTo(owner) && `beat ${name}`,
      owner.heardMark < this.mark && `mark ${name}`,
    ].filter((choice) => choice !== false);
  }

  /** Takes one step by its name. */
  take(choice: string): void {
    const [what, name] = splitLast(choice);
    const owner = this.#owners.find((item) => item.name === name);
    if (owner === undefined) this.#takeWorld(choice);
    else this.#takeOf(owner, what);
  }

  #takeWorld(choice: string): void {
    const { budget } = this;
    switch (choice) {
      case "send":
        budget.sends--;
        this.#submit(this.#sent++);
        return;
      case "resend":
        budget.resends--;
        this.#submit(this.acked.length - 1);
        return;
      case "tick":
        budget.ticks--;
        this.now += TICK_MS;
        for (const owner of this.#owners) this.#step(owner, { kind: "tick" });
        if ((this.#lane.wakeAt ?? Infinity) <= this.now) this.#stepLane({ kind: "wake" });
        return;
      case "archive":
        budget.archivings--;
        this.mark = this.log.length;
        return;
      case "bounce": {
        const { to } = this.#outgoing.shift() ?? { to: 0 };
        this.#stepLane({ kind: "no-responders", epoch: to });
        return;
      }
      case "lose batch":
        budget.losses--;
        this.#outgoing.shift();
        return;
      default:
        throw new Error(`there is no step ${choice}`);
    }
  }

  #takeOf(owner: Owner, what: string): void {
    const { budget } = this;
    switch (what) {
      case "claim":
        budget.claims--;
        this.#step(owner, { kind: "claim" });
        return;
      case "drain":
        budget.drains--;
        this.#step(owner, { kind: "drain" });
        return;
      case "route": {
        const sent = this.#outgoing.shift();
        if (sent !== undefined) owner.inbox.push(sent.batch);
        return;
      }
      case "commands": {
        const batch = JSON.parse(owner.inbox.shift() ?? "") as CommandBatch;
        this.#step(owner, { kind: "batch", batch });
        return;
      }
      case "append":
      case "lose append":
        this.#onAppend(owner, what === "lose append");
        return;
      case "appended":
      case "lose appended":
        this.#onAppended(owner, what === "lose appended");
        return;
      case "answer":
        this.#answer(owner);
        return;
      case "read":
        this.#read(owner);
        return;
      case "results": {
        const decoded = decodeResults(Buffer.from(owner.results.shift() ?? ""), (bytes) =>
          Buffer.from(bytes).toString(),
        );
        if (decoded === undefined) throw new Error("an owner's results are not readable");
        const { epoch, answers, resync, above } = decoded;
        if (resync === undefined) this.#stepLane({ kind: "results", epoch, answers });
        else this.#stepLane({ kind: "resync", epoch, incarnation: resync, above });
        return;
      }
      case "lose results":
        budget.losses--;
        owner.results.shift();
        return;
      case "beat":
        this.#beat(owner);
        return;
      case "mark":
        owner.heardMark = this.mark;
        this.#step(owner, { kind: "watermark", seq: this.mark });
        return;
      default:
        throw new Error(`there is no step ${what}`);
    }
  }

  #submit(message: number): void {
    const id = idOf(message);
    const command = { op: "send", room: ROOM, from: USER, id, body: {} } as const;
    this.#stepLane({ kind: "submit", command, context: message });
  }

  #takers(to: Epoch): Owner[] {
    return this.#owners.filter(({ subjects }) => subjects.includes(to));
  }

  /** A beat of the other owner would tell this one, or the lane, something. */
  #isNewsTo(owner: Owner): boolean {
    const other = this.#owners.find((item) => item !== owner);
    const holds = other?.core.holds ?? 0;
    return holds > (owner.core.holds ?? Infinity) || holds > this.#lane.epoch;
  }

  #beat(owner: Owner): void {
    const other = this.#owners.find((item) => item !== owner);
    const epoch = other?.core.holds;
    if (other === undefined || epoch === undefined) return;
    this.#step(owner, { kind: "superseded", epoch, by: `room-${other.name}` as ProcessId });
    this.#stepLane({ kind: "epoch", epoch });
  }

  #onAppend(owner: Owner, isLost: boolean): void {
    const asked = owner.toLog.shift();
    if (asked === undefined) return;
    const { n, tenure, text } = asked;
    if (isLost) this.budget.losses--;
    const outcome: AppendOutcome = isLost
      ? { kind: "unknown", reason: "lost" }
      : this.#tryAppend(text, asked.expected);
    const isAckedAlready = this.plant === "ack-before-commit" && n > 0;
    if (!isAckedAlready) owner.fromLog.push({ n, tenure, outcome });
  }

  #tryAppend(text: string, expected: LogSeq): AppendOutcome {
    const last = this.log.length;
    if (expected !== last && this.plant !== "skip-fence") return { kind: "conflict", last };
    this.log.push(text);
    this.broken ??= faultOfLog(this.log);
    return { kind: "ok", seq: last + 1 };
  }

  #onAppended(owner: Owner, isLost: boolean): void {
    const answered = owner.fromLog.shift();
    if (answered === undefined) return;
    if (isLost) this.budget.losses--;
    const outcome: AppendOutcome = isLost ? { kind: "unknown", reason: "lost" } : answered.outcome;
    this.#step(owner, { kind: "appended", n: answered.n, tenure: answered.tenure, outcome });
  }

  #answer(owner: Owner): void {
    const asked = owner.questions.shift();
    if (asked === undefined) return;
    const { tenure, question } = asked;
    switch (question.kind) {
      case "flush-bus":
        return this.#step(owner, { kind: "unsubscribed", tenure });
      case "read-last": {
        const outcome = { kind: "ok", first: 1, last: this.log.length, bytes: 0 } as const;
        return this.#step(owner, { kind: "last", tenure, outcome, archived: this.mark });
      }
      case "get-entry": {
        const text = this.log[question.logSeq - 1];
        const entry = text === undefined ? undefined : decodeEntry(text);
        return this.#step(owner, { kind: "entry-read", tenure, logSeq: question.logSeq, entry });
      }
      case "read-watermark": {
        const value = watermarkOf(this.log, this.mark);
        return this.#step(owner, {
          kind: "watermark-read",
          tenure,
          outcome: { kind: "ok", value },
        });
      }
      case "load-room": {
        const value = snapshotOf(ROOM, this.log, this.mark);
        const outcome = { kind: "ok", value } as const;
        return this.#step(owner, { kind: "room-loaded", tenure, room: question.room, outcome });
      }
      case "look-up": {
        const { room, from, id } = question;
        const outcome = { kind: "ok", value: { watermark: this.mark } } as const;
        return this.#step(owner, { kind: "looked-up", tenure, room, from, id, outcome });
      }
    }
  }

  #read(owner: Owner): void {
    const { reader } = owner;
    if (reader === undefined) return;
    for (const text of this.log.slice(reader.next - 1)) {
      if (owner.reader !== reader) return; // The entry before ended the replay, and with it the reader.
      const logSeq = reader.next++;
      this.#step(owner, { kind: "entry", tenure: reader.tenure, logSeq, entry: decodeEntry(text) });
    }
  }

  #step(owner: Owner, input: Input): void {
    let isFlushDue = false;
    for (const effect of owner.core.step(input, this.now)) {
      if (effect.kind === "flush-soon") isFlushDue = true;
      else this.#perform(owner, effect);
    }
    if (isFlushDue) this.#step(owner, { kind: "flush" });
  }

  #perform(owner: Owner, effect: Effect): void {
    const { tenure } = owner.core;
    switch (effect.kind) {
      case "append": {
        const { n, text, expected } = effect;
        owner.toLog.push({ n, text, expected, tenure });
        if (this.plant !== "ack-before-commit" || n === 0) return;
        owner.fromLog.push({ n, tenure, outcome: { kind: "ok", seq: expected + 1 } });
        return;
      }
      case "read-last":
      case "read-watermark":
      case "get-entry":
      case "load-room":
      case "look-up":
        owner.questions.push({ tenure, question: effect });
        return;
      case "open-reader":
        owner.reader = { next: effect.from, tenure };
        return;
      case "close-reader":
        owner.reader = undefined;
        return;
      case "subscribe": {
        const { epoch } = owner.core;
        if (owner.subjects.length === 0) owner.subjects = epoch === undefined ? [0] : [0, epoch];
        return;
      }
      case "unsubscribe":
        owner.subjects = [];
        owner.questions.push({ tenure, question: { kind: "flush-bus" } });
        return;
      case "reply": {
        for (const { result } of effect.results) {
          if ("ok" in result && result.ok === "sent") {
            this.broken ??= faultOfAck(this.log, result.seq);
          }
        }
        owner.results.push(...encodeResults(0, effect.epoch, effect.results));
        return;
      }
      case "resync":
        owner.results.push(encodeResync(0, effect.epoch, effect.lane, effect.above));
        return;
      case "broadcast":
        for (const [i, line] of effect.lines.entries()) {
          this.broken ??= faultOfShown(this.log, effect.first + i, line);
        }
        return;
      case "announce":
      case "changed":
      case "flush-soon":
      case "log":
      case "repeat-head":
        return; // They promise nothing about order.
    }
  }

  #stepLane(input: Parameters<Lane<number>["step"]>[0]): void {
    for (const effect of this.#lane.step(input, this.now)) this.#performLane(effect);
  }

  #onAck(message: number, seq: Seq): void {
    this.broken ??= faultOfAck(this.log, seq, idOf(message));
    const before = this.acked.slice(0, message);
    const after = this.acked.slice(message + 1);
    const isInOrder =
      before.every((n) => (n ?? 0) < seq) && after.every((n) => (n ?? seq + 1) > seq);
    if (!isInOrder) this.broken ??= `O4: message ${message} of one sender has number ${seq}`;
    this.acked[message] = seq;
  }

  #performLane(effect: LaneEffect<number>): void {
    switch (effect.kind) {
      case "flush-soon":
        return this.#stepLane({ kind: "flush" });
      case "publish":
        this.#outgoing.push({ to: effect.to, batch: effect.batch });
        return;
      case "answer": {
        const { result } = effect.answer;
        if ("ok" in result && result.ok === "sent") this.#onAck(effect.context, result.seq);
        return;
      }
      case "heads":
      case "suspect":
        return;
    }
  }
}

function idOf(message: number): MessageId {
  return `018bcfe5-6800-7000-8000-00000000000${message}` as MessageId;
}

function splitLast(choice: string): [string, string] {
  const at = choice.lastIndexOf(" ");
  return [choice.slice(0, at), choice.slice(at + 1)];
}
