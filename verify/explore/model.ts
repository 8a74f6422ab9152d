// Model: a small system of two owners, one gateway and one log, in which every step is a choice.
//
// The owners and the lane are the real cores. The model supplies what connects them: pipes that
// hold messages, a log that appends only at the expected sequence, an archive. A pause needs no
// step of its own: a process is paused as long as the search does not choose its inbox.
//
// Owns: the state and its steps. Does not own: the pipes of an owner (owner.ts), the order in which
// steps are tried (search.ts), the rules that every state must fulfil (invariants.ts).
//
//   model.1. `choices` names all steps that are possible now, and `take` takes one of them. Both
//            depend on the state alone, so a list of names determines a run.
//   model.2. `budget` bounds faults and external events, so the number of states is finite.
//   model.3. Each pipe keeps its order. Pipes of different senders are independent of each other.

import { Lane } from "../../services/gateway/core/lane.ts";
import type { LaneEffect } from "../../services/gateway/core/lane-io.ts";
import type { SyncRoom } from "../../services/gateway/core/sync.ts";
import type { Effect, Input } from "../../services/room/core/partition-io.ts";
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
import { ackViolation, logViolation, shownViolation } from "./invariants.ts";
import { splitLast } from "./choice.ts";
import { createOwner } from "./owner.ts";
import type { Owner } from "./owner.ts";

export const PLANTED_BUGS = ["skip-fence", "ack-before-commit"] as const;
export type PlantedBug = (typeof PLANTED_BUGS)[number];

/** How often each external event may occur in one run. */
export interface Budget {
  claims: number;
  drains: number;
  sends: number;
  /** A client resends its newest acknowledged message, as after a lost answer. */
  resends: number;
  /** Lost bus messages, appends and append answers, in total. */
  losses: number;
  /** Steps of TICK_MS, in which all due timers fire. */
  ticks: number;
  archivings: number;
}

const ROOM = "r" as RoomId;
const USER = "u" as UserId;
const GATEWAY = "gateway-g" as ProcessId;
/** The answer timeout of a lane. A fenced owner waits less than two ticks before a claim. */
const TICK_MS = 2_000;
const BEGAN_AT = 1_700_000_000_000;

/** The part of a gateway that a lane needs: command numbers, and the users of each room. */
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
  readonly plantedBug: PlantedBug | undefined;
  readonly log: string[] = [];
  /** The sequence number in the newest acknowledgement of each message. */
  readonly acked: (Seq | undefined)[] = [];
  /** The first violation of a rule. */
  violation: string | undefined;
  now: Millis = BEGAN_AT;
  watermark: LogSeq = 0;
  #sent = 0;
  /** Batches in transit, to the subject of the partition (0) or of one epoch. */
  #outgoing: { readonly to: Epoch; readonly batch: string }[] = [];
  readonly #lane: Lane<number>;
  readonly #owners: readonly Owner[];

  constructor(budget: Budget, plantedBug?: PlantedBug) {
    this.budget = { ...budget };
    this.plantedBug = plantedBug;
    this.#lane = new Lane<number>(new LaneHost());
    this.#owners = [createOwner("a"), createOwner("b")];
  }

  /** The names of all steps that are possible now. */
  choices(): string[] {
    const { budget } = this;
    const found: string[] = [];
    if (budget.sends > 0) found.push("send");
    if (budget.resends > 0 && this.acked.length > 0) found.push("resend");
    if (budget.ticks > 0) found.push("tick");
    if (budget.archivings > 0 && this.watermark < this.log.length) found.push("archive");
    const [first] = this.#outgoing;
    if (first !== undefined) {
      found.push(...this.#subscribersOf(first.to).map(({ name }) => `route ${name}`));
      if (this.#subscribersOf(first.to).length === 0) found.push("bounce");
      if (budget.losses > 0) found.push("lose batch");
    }
    for (const owner of this.#owners) found.push(...this.#choicesOf(owner));
    return found;
  }

  #choicesOf(owner: Owner): string[] {
    const { budget } = this;
    const { name, core, inbox, toLog, fromLog, requests, reader, results } = owner;
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
      requests.length > 0 && `answer ${name}`,
      reader !== undefined && reader.next <= this.log.length && `read ${name}`,
      results.length > 0 && `results ${name}`,
      results.length > 0 && mayLose && `lose results ${name}`,
      this.#isBeatNews(owner) && `beat ${name}`,
      owner.knownWatermark < this.watermark && `watermark ${name}`,
    ].filter((choice) => choice !== false);
  }

  /** Takes one step by its name. */
  take(choice: string): void {
    const [step, name] = splitLast(choice);
    const owner = this.#owners.find((item) => item.name === name);
    if (owner === undefined) this.#takeExternal(choice);
    else this.#takeOfOwner(owner, step);
  }

  #takeExternal(choice: string): void {
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
        this.watermark = this.log.length;
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

  #takeOfOwner(owner: Owner, step: string): void {
    const { budget } = this;
    switch (step) {
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
        this.#onAppend(owner, step === "lose append");
        return;
      case "appended":
      case "lose appended":
        this.#onAppended(owner, step === "lose appended");
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
        if (decoded === undefined) throw new Error("the results of an owner cannot be decoded");
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
      case "watermark":
        owner.knownWatermark = this.watermark;
        this.#step(owner, { kind: "watermark", seq: this.watermark });
        return;
      default:
        throw new Error(`there is no step ${step}`);
    }
  }

  #submit(message: number): void {
    const id = idOf(message);
    const command = { op: "send", room: ROOM, from: USER, id, body: {} } as const;
    this.#stepLane({ kind: "submit", command, context: message });
  }

  #subscribersOf(to: Epoch): Owner[] {
    return this.#owners.filter(({ subjects }) => subjects.includes(to));
  }

  /** The beat of the other owner contains an epoch that is new to this owner or to the lane. */
  #isBeatNews(owner: Owner): boolean {
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
    const append = owner.toLog.shift();
    if (append === undefined) return;
    const { n, tenure, text } = append;
    if (isLost) this.budget.losses--;
    const outcome: AppendOutcome = isLost
      ? { kind: "unknown", reason: "lost" }
      : this.#tryAppend(text, append.expected);
    const isAckedAlready = this.plantedBug === "ack-before-commit" && n > 0;
    if (!isAckedAlready) owner.fromLog.push({ n, tenure, outcome });
  }

  #tryAppend(text: string, expected: LogSeq): AppendOutcome {
    const last = this.log.length;
    if (expected !== last && this.plantedBug !== "skip-fence") return { kind: "conflict", last };
    this.log.push(text);
    this.violation ??= logViolation(this.log);
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
    const pending = owner.requests.shift();
    if (pending === undefined) return;
    const { tenure, request } = pending;
    switch (request.kind) {
      case "flush-bus":
        return this.#step(owner, { kind: "unsubscribed", tenure });
      case "read-last": {
        const outcome = { kind: "ok", first: 1, last: this.log.length, bytes: 0 } as const;
        return this.#step(owner, { kind: "last", tenure, outcome, archived: this.watermark });
      }
      case "get-entry": {
        const text = this.log[request.logSeq - 1];
        const entry = text === undefined ? undefined : decodeEntry(text);
        return this.#step(owner, { kind: "entry-read", tenure, logSeq: request.logSeq, entry });
      }
      case "read-watermark": {
        const value = watermarkOf(this.log, this.watermark);
        return this.#step(owner, {
          kind: "watermark-read",
          tenure,
          outcome: { kind: "ok", value },
        });
      }
      case "load-room": {
        const value = snapshotOf(ROOM, this.log, this.watermark);
        const outcome = { kind: "ok", value } as const;
        return this.#step(owner, { kind: "room-loaded", tenure, room: request.room, outcome });
      }
      case "look-up": {
        const { room, from, id } = request;
        const outcome = { kind: "ok", value: { watermark: this.watermark } } as const;
        return this.#step(owner, { kind: "looked-up", tenure, room, from, id, outcome });
      }
    }
  }

  #read(owner: Owner): void {
    const { reader } = owner;
    if (reader === undefined) return;
    for (const text of this.log.slice(reader.next - 1)) {
      if (owner.reader !== reader) return; // The previous entry ended the replay.
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
        if (this.plantedBug !== "ack-before-commit" || n === 0) return;
        owner.fromLog.push({ n, tenure, outcome: { kind: "ok", seq: expected + 1 } });
        return;
      }
      case "read-last":
      case "read-watermark":
      case "get-entry":
      case "load-room":
      case "look-up":
        owner.requests.push({ tenure, request: effect });
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
        owner.requests.push({ tenure, request: { kind: "flush-bus" } });
        return;
      case "reply": {
        for (const { result } of effect.results) {
          if ("ok" in result && result.ok === "sent") {
            this.violation ??= ackViolation(this.log, result.seq);
          }
        }
        owner.results.push(...encodeResults(0, effect.epoch, effect.results));
        return;
      }
      case "resync":
        owner.results.push(encodeResync(0, effect.epoch, effect.lane, effect));
        return;
      case "broadcast":
        for (const [i, line] of effect.lines.entries()) {
          this.violation ??= shownViolation(this.log, effect.first + i, line);
        }
        return;
      case "announce":
      case "changed":
      case "flush-soon":
      case "log":
      case "note":
      case "repeat-head":
        return; // No rule of order depends on these.
    }
  }

  #stepLane(input: Parameters<Lane<number>["step"]>[0]): void {
    for (const effect of this.#lane.step(input, this.now)) this.#performLane(effect);
  }

  #onAck(message: number, seq: Seq): void {
    this.violation ??= ackViolation(this.log, seq, idOf(message));
    const before = this.acked.slice(0, message);
    const after = this.acked.slice(message + 1);
    const isInOrder =
      before.every((n) => (n ?? 0) < seq) && after.every((n) => (n ?? seq + 1) > seq);
    if (!isInOrder)
      this.violation ??= `O4: message ${message} of the sender has sequence number ${seq}, out of the order of its sends`;
    this.acked[message] = seq;
  }

  #performLane(effect: LaneEffect<number>): void {
    switch (effect.kind) {
      case "flush-soon":
        return this.#stepLane({ kind: "flush" });
      case "publish":
        return void this.#outgoing.push({ to: effect.to, batch: effect.batch });
      case "answer": {
        const { result } = effect.answer;
        if ("ok" in result && result.ok === "sent") this.#onAck(effect.context, result.seq);
        return;
      }
      case "heads":
      case "moved":
      case "suspect":
        return; // No rule of order depends on these, and the model has no split.
    }
  }
}

function idOf(message: number): MessageId {
  return `018bcfe5-6800-7000-8000-00000000000${message}` as MessageId;
}
