// Room: the room actor. It executes the commands of one room one at a time.
//
// Owns: the sequence numbers of the room, its recent lines, the ids it recognises, and the commands
// that wait until it is loaded. Does not own: the log, the commit window, look-ups, presence,
// sockets, time.
//
//   room/room.1. Sequence numbers are dense: each event takes `next`, and `next` grows by one.
//   room/room.2. `head` is the last sequence number that the log confirmed. `next - 1` may be
//       higher, and is never shown.
//   room/room.3. While a room is being loaded, all its commands wait, so no command overtakes
//       another.
//   room/room.4. An id is remembered while a look-up is open that was requested before the id was
//       archived.
//   room/room.5. `at` never decreases within the room.
//   room/room.6. `state` has every decided event. While one of them that changes it is not
//       committed (`isChanging`), an answer that depends on it waits for the commit (O2), and has
//       the decided head and birth.
//
// A room is rebuilt from a snapshot and the replay. After an uncertain outcome it is discarded and
// never rolled back (P5).

import { assert } from "#shared/kit/assert.ts";
import { behaviourOf } from "#shared/protocol/commands.ts";
import type { ImportCommand, Query, Write } from "#shared/protocol/commands.ts";
import { decodeEvent, encodeEvent, isStateEvent, readEvent } from "#shared/protocol/events.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { ArchivedTarget, RoomSnapshot } from "#shared/protocol/history.ts";
import type { LogSeq, Millis, ProcessId, RoomId, Seq } from "#shared/protocol/ids.ts";
import type { Found } from "#shared/ports/archive.ts";
import { isTargeted, judgeTarget } from "./changes.ts";
import type { ChangeRefusal } from "./changes.ts";
import { Dedupe } from "./dedupe.ts";
import { Erasures } from "./erasures.ts";
import { Holds } from "./holds.ts";
import { judgeImport } from "./imports.ts";
import type { ImportRefusal } from "./imports.ts";
import type { Numbered } from "./dedupe.ts";
import { notesOf } from "./notes.ts";
import type { UserNote } from "./notes.ts";
import { Recent } from "./recent.ts";
import { judge, judgeEntry, kindOf, roleIn, waitMs } from "./rights.ts";
import type { JudgedRoom, RightsRefusal } from "./rights.ts";
import { RoomState } from "./room-state.ts";
import type { BlockOwner, RecentBlock } from "./recent-block.ts";
import type { ReplayedRoom } from "./replayed-room.ts";
import type { IdHolder, IdsToForget, RoomMemory } from "./room-memory.ts";
import { Targets } from "./message-targets.ts";

/** The maximum number of commands that wait for one room. A further command gets `busy`. */
export const WAITING_MAX = 1_024;

/** A command and its arrival. */
export interface Arrival<C extends Write | Query | ImportCommand = Write | Query | ImportCommand> {
  readonly gateway: ProcessId;
  readonly command: C;
  readonly arrivedAt: Millis;
  /** The running time of the owner at its arrival (running-time.ts). */
  readonly ranMs: Millis;
  /** It gets `busy` in its turn, after the earlier sends of its sender (O4). */
  readonly isRefused?: true;
}

export type Phase =
  /** Not loaded. It waits for its turn if it is needed (room-loads.ts). */
  | { readonly kind: "queued" }
  /**
   * `watermark`: the archive's watermark at the time of the request. An older snapshot is refused
   * (P25).
   */
  | { readonly kind: "loading"; readonly watermark: LogSeq }
  | { readonly kind: "ready" };

export type Decision =
  /** `lines` are numbered seq, seq + 1, … and belong into one entry. */
  | {
      readonly kind: "event";
      readonly seq: Seq;
      readonly at: Millis;
      readonly lines: readonly string[];
      readonly notes: readonly UserNote[];
    }
  | ({ readonly kind: "repeat" } & Numbered)
  | { readonly kind: "refuse"; readonly error: RefusedWrite; readonly afterMs?: Millis }
  | { readonly kind: "look-up" };

type RefusedWrite =
  | "bad_id"
  | "busy"
  | "unavailable"
  | "rate_limited"
  | RightsRefusal
  | ChangeRefusal;

/** The answer of a look-up. */
interface Known {
  readonly found?: Found;
  readonly target?: ArchivedTarget;
}

export class Room implements BlockOwner, IdHolder, JudgedRoom {
  readonly id: RoomId;
  readonly recent: Recent;
  /** In order of arrival. */
  readonly waiting: Arrival[] = [];
  /**
   * Open look-ups, the oldest first, each with the archived head before its request (room/room.4).
   */
  readonly pins = new Set<{ readonly archived: Seq }>();
  readonly holds = new Holds();
  readonly state: RoomState;
  phase: Phase = { kind: "queued" };
  usedAt: Millis;
  readonly #memory: RoomMemory;
  #dedupe: Dedupe;
  #targets: Targets;
  readonly #erasures: Erasures;
  /**
   * Ids up to this sequence number may be missing, even if the archive does not have them yet
   * (dedupe.2 of dedupe.ts).
   */
  #forgottenTo: Seq = 0;
  #born = "";
  /** The birth, before the log confirmed it. */
  #decidedBorn = "";
  #head: Seq = 0;
  #next: Seq = 1;
  #archived: Seq = 0;
  #lastAt: Millis = 0;
  /** The newest event that changed `state`. */
  #changedAt: Seq = 0;

  constructor(id: RoomId, memory: RoomMemory, now: Millis) {
    this.id = id;
    this.#memory = memory;
    this.#dedupe = new Dedupe(0);
    this.#targets = new Targets(1);
    this.#erasures = new Erasures(memory.account);
    this.recent = new Recent(memory, this);
    this.state = new RoomState(memory.account);
    this.usedAt = now;
  }

  get head(): Seq {
    return this.#head;
  }

  /** The archive has all events up to here. */
  get archived(): Seq {
    return this.#archived;
  }

  get born(): string {
    return this.#born;
  }

  /** It has no event, decided or stored. */
  get isNew(): boolean {
    return this.#next === 1;
  }

  /** room/room.6. */
  get isChanging(): boolean {
    return this.#changedAt > this.#head;
  }

  /** The head and the birth for an answer (room/room.6). */
  get shown(): { readonly head: Seq; readonly born: string } {
    if (!this.isChanging) return { head: this.#head, born: this.#born };
    return { head: this.#next - 1, born: this.#born === "" ? this.#decidedBorn : this.#born };
  }

  /** Its head and its recent ids are known. */
  get isLoaded(): boolean {
    return this.phase.kind === "ready";
  }

  /** No event of this room is in flight or waits for the archive (P12). */
  get isSettled(): boolean {
    return (
      this.phase.kind === "ready" &&
      this.#next === this.#head + 1 &&
      this.#archived === this.#head &&
      this.pins.size === 0
    );
  }

  /**
   * Loads the room from the archive's snapshot and the replay above it. Returns false when there is
   * a gap between them, because the snapshot is too old (P25).
   */
  load(snapshot: RoomSnapshot, replayed?: ReplayedRoom): boolean {
    const { head, tail } = snapshot;
    const isNewer = replayed !== undefined && replayed.head > head;
    if (isNewer && replayed.first > head + 1) return false;
    this.#dedupe = new Dedupe(snapshot.floor, { account: this.#memory.account });
    for (const [id, sender, seq, at] of snapshot.ids)
      this.#dedupe.remember(sender, id, { seq, at });
    for (const [sender, floor] of snapshot.floors ?? []) this.#dedupe.raise(sender, floor);
    this.#born = snapshot.born;
    this.#lastAt = snapshot.lastAt;
    this.#head = this.#archived = head;
    const blocks = replayed?.recent.takeAll() ?? [];
    for (const block of blocks) if (block.last <= head) block.drop();
    const above = blocks.filter(({ last }) => last > head);
    // The tail ends where the first block begins. If memory pressure dropped blocks between them,
    // the archive serves the tail instead (recent.1 of recent.ts).
    const end = isNewer ? (above[0]?.first ?? Infinity) - 1 : head;
    const lines = end > head ? [] : tail.slice(0, Math.max(0, tail.length - (head - end)));
    this.#targets = new Targets(head - tail.length + 1, this.#memory.account);
    for (const line of tail) {
      const event = readEvent(line);
      if (event === undefined) continue;
      this.#targets.take(event);
      this.#erasures.take(event);
    }
    if (isNewer) {
      this.#targets.absorb(replayed.targets);
      this.#erasures.absorb(replayed.erasures);
    }
    const first = end - lines.length + 1;
    // A deletion of the replay erases lines of the tail.
    const shown = lines.map((line, i) => this.redact(first + i, line));
    if (lines.length > 0) this.recent.addTail(first, shown);
    for (const block of above) this.#adopt(block);
    if (snapshot.state !== undefined) this.state.load(snapshot.state);
    if (isNewer) this.#applyReplayed(replayed);
    this.state.loadSenders(snapshot.senders ?? [], isNewer ? replayed.senders : undefined);
    if (replayed !== undefined) replayed.loadedRoom = this;
    if (replayed !== undefined) this.#dedupe.absorb(replayed.ids, head);
    this.#next = this.#head + 1;
    this.#memory.addIds(this);
    this.phase = { kind: "ready" };
    return true;
  }

  /** Whether `decide` would need a look-up. */
  isUnsure(write: Write, now: Millis): boolean {
    const isUnsure = this.#dedupe.judge(write.from, write.id, now).kind === "unsure";
    // dedupe.2: otherwise no answer can decide it.
    if (isUnsure && this.#archived >= this.#forgottenTo) return true;
    const target = behaviourOf(write).target(write);
    if (target === undefined) return false;
    return this.#targets.find(target) === undefined && this.#targets.mayAsk(this.#archived);
  }

  /** The line as it may be shown (erasures.1). */
  redact(seq: Seq, line: string): string {
    return this.#erasures.redact(seq, line);
  }

  /**
   * Decides a write. `known`: the answer of a look-up for it, if there was one. `isHeld`: an
   * earlier send of its sender was refused and has not been resent yet (holds.ts).
   */
  decide(write: Write, now: Millis, known?: Known, isHeld = false): Decision {
    const { from, id, late } = write;
    const { refersTo, events: eventsOf } = behaviourOf(write);
    const verdict = this.#dedupe.judge(from, id, now);
    if (verdict.kind === "known") return { ...verdict, kind: "repeat" };
    if (verdict.kind === "ahead") return { kind: "refuse", error: "bad_id" };
    if (verdict.kind === "unsure") {
      // dedupe.2
      if (this.#archived < this.#forgottenTo) return { kind: "refuse", error: "unavailable" };
      if (known === undefined)
        return isHeld ? { kind: "refuse", error: "busy" } : { kind: "look-up" };
      if (known.found !== undefined) return { kind: "repeat", ...known.found };
    }
    if (isHeld && late !== true) return { kind: "refuse", error: "busy" }; // O4
    const at = Math.max(now, this.#lastAt); // O13
    const refusal = judge(this, write, at);
    // O4: it has no number although a later one has: its owner refused it, and stays with that.
    if (late === true) return { kind: "refuse", error: refusal ?? "conflict" };
    if (refusal !== undefined) return { kind: "refuse", error: refusal };
    // After the right: `not_found` would show a stranger how many events a closed room has (M6).
    if ((refersTo(write) ?? 0) >= this.#next) return { kind: "refuse", error: "not_found" };
    const unfit = this.#judgeTarget(write, known, at);
    if (unfit !== undefined) return unfit;
    const afterMs = write.op === "send" ? waitMs(this, write, now) : 0;
    if (afterMs > 0) return { kind: "refuse", error: "rate_limited", afterMs }; // M10
    const seq = this.#next;
    this.#lastAt = at;
    const entry = write.op === "enter" ? judgeEntry(this.state, write, at) : undefined;
    const given = typeof entry === "object" ? entry : undefined;
    const events = eventsOf(write, { seq, at }, this.state.settings, given);
    this.#next += events.length; // O1
    if (seq === 1) this.#decidedBorn = id;
    const edited = write.op === "edit" ? this.#targets.find(write.target) : undefined;
    for (const event of events) {
      this.#dedupe.remember(from, event.id, { seq: event.seq, at });
      this.#take(event, now);
    }
    const notes = notesOf(events, this, this.#targets, edited);
    return { kind: "event", seq, at, lines: events.map(encodeEvent), notes };
  }

  /** Takes the next events of an import with their numbers, or refuses all of them. */
  decideImport(
    command: ImportCommand,
    now: Millis,
  ):
    | Extract<Decision, { kind: "event" }>
    | { readonly kind: "refuse"; readonly error: ImportRefusal } {
    const [next, born] = [this.#next, this.#born === "" ? this.#decidedBorn : this.#born];
    const room = { next, born, lastAt: this.#lastAt, state: this.state };
    const refusal = judgeImport(room, command, now);
    if (refusal !== undefined) return { kind: "refuse", error: refusal };
    const { events } = command;
    if (next === 1) this.#decidedBorn = command.born;
    for (const event of events) {
      this.#dedupe.remember(event.from, event.id, { seq: event.seq, at: event.at });
      this.#take(event, event.at);
    }
    this.#next += events.length;
    const at = events.at(-1)?.at ?? this.#lastAt;
    this.#lastAt = at;
    return { kind: "event", seq: next, at, lines: events.map(encodeEvent), notes: [] };
  }

  /** The next event, decided or imported. `sentAt`: by the clock that slow mode counts with. */
  #take(event: RoomEvent, sentAt: Millis): void {
    const { seq, from } = event;
    this.#targets.take(event);
    if (event.t === "msg") this.state.onMessage({ seq, from, at: sentAt });
    if (isStateEvent(event)) this.state.apply(event);
    else if (event.t !== "deleted") return;
    this.#changedAt = seq;
  }

  /** The refusal by what the write names, or the need of a look-up. */
  #judgeTarget(write: Write, known: Known | undefined, now: Millis): Decision | undefined {
    const seq = behaviourOf(write).target(write);
    if (seq === undefined || !isTargeted(write)) return undefined;
    const archived = known?.target?.seq === seq ? known.target : undefined;
    if (archived?.message !== undefined) this.#targets.learn(seq, archived.message);
    const target = this.#targets.find(seq) ?? (archived && "none");
    if (target === undefined) {
      // An answer without the target comes from an older version (N6), or does not count.
      const isPossible = known === undefined && this.#targets.mayAsk(this.#archived);
      return isPossible ? { kind: "look-up" } : { kind: "refuse", error: "unavailable" };
    }
    const role = roleIn(this, { ...write, user: write.from });
    const isAdmin = write.grant === "admin";
    const standing = { kind: kindOf(this), role, isAdmin, settings: this.state.settings, now };
    const error = judgeTarget(standing, write, target);
    return error === undefined ? undefined : { kind: "refuse", error };
  }

  /** The log confirmed these lines. */
  commit(first: Seq, lines: readonly string[], logSeq: LogSeq): RecentBlock {
    assert(first === this.#head + 1, "the lines of a room are committed in order");
    this.#head += lines.length;
    assert(this.#head < this.#next, "a commit has only decided lines");
    // Not in `decide`: the birth must not be shown before the log confirms the first message (O2).
    if (first === 1) this.#born = decodeEvent(lines[0] ?? "").id;
    const block = this.recent.add({ first, lines, logSeq });
    for (const line of lines) if (isChangeOfText(line)) this.#erase(decodeEvent(line));
    return block;
  }

  /** The archive has all events up to `seq`. */
  onArchived(seq: Seq): void {
    this.#archived = Math.max(this.#archived, seq);
    this.recent.trim(this.#archived);
    this.#erasures.trim(this.recent.first ?? this.#head + 1);
    const [oldest] = this.pins;
    this.#targets.trim(Math.min(this.#archived, oldest?.archived ?? Infinity)); // message-targets.2
  }

  prune(now: Millis): void {
    const [oldest] = this.pins;
    this.#dedupe.prune(now, oldest?.archived ?? this.#archived, this.#memory.idWindowMs);
  }

  forgetArchivedIds(ids: IdsToForget): void {
    this.forgetIds(this.#archived, ids);
  }

  forgetIds(seq: Seq, ids: IdsToForget): boolean {
    // It rises also while look-ups keep ids (room/room.4): no new look-up begins, and the open ones
    // end within seconds.
    this.#forgottenTo = Math.max(this.#forgottenTo, seq);
    const [oldest] = this.pins;
    const upTo = Math.min(seq, oldest?.archived ?? seq);
    this.#targets.forgetUpTo(upTo);
    return this.#dedupe.forgetUpTo(upTo, ids) && upTo === seq;
  }

  /** Gives all memory back. The room is not used afterwards. */
  clear(): void {
    this.recent.clear();
    this.#dedupe.clear();
    this.#targets.clear();
    this.#erasures.clear();
    this.state.clear();
    this.#memory.removeIds(this);
  }

  /** Drops the places of lines up to `seq` (recent.4 of recent.ts). */
  forgetLines(seq: Seq): void {
    this.recent.forgetUpTo(seq);
  }

  #erase(event: RoomEvent): void {
    for (const seq of this.#erasures.take(event)) {
      this.recent.rewrite(seq, (line) => this.redact(seq, line));
    }
  }

  #adopt(block: RecentBlock): void {
    block.move("unarchived");
    this.recent.adopt(block);
  }

  #applyReplayed(replayed: ReplayedRoom): void {
    const { head, born, lastAt, forgottenTo, archived, changes } = replayed;
    for (const change of changes) this.state.apply(change);
    this.#archived = Math.max(this.#archived, archived);
    this.#forgottenTo = forgottenTo;
    this.#head = head;
    this.#lastAt = lastAt;
    this.#born = born ?? this.#born;
  }
}

/** An `edited` or a `deleted` line: its kind begins behind `{"t":"` (events.2). */
function isChangeOfText(line: string): boolean {
  const first = line.charCodeAt(6);
  return first === 101 || first === 100;
}
