// Room: one chat room, executed one command at a time.
//
// Owns: the room's numbers, its recent lines, the ids it has seen, and the commands that wait until it
// is loaded. Does not own: the log, the commit window, look-ups, presence, sockets, time.
//
//   room/room.1. Numbers are dense: the next one is always `next`, and `next` moves by one per event.
//   room/room.2. `head` is what the log confirmed; `next - 1` may be ahead of it, and nobody hears of that.
//   room/room.3. While a room is being loaded, all its commands wait, so none overtakes another.
//   room/room.4. An id stays remembered while a look-up that was asked before its archiving is undecided.
//   room/room.5. `at` never goes backwards within the room.
// A room is rebuilt from a snapshot and the replayed part of the log; it is thrown away, never
// rolled back, when the outcome of an append is in doubt (P5).

import { assert } from "#shared/kit/assert.ts";
import type { Command, SendCommand } from "#shared/protocol/commands.ts";
import { decodeEvent, encodeEvent } from "#shared/protocol/events.ts";
import type { RoomSnapshot } from "#shared/protocol/history.ts";
import type { LogSeq, MessageId, Millis, ProcessId, RoomId } from "#shared/protocol/ids.ts";
import type { Seq, UserId } from "#shared/protocol/ids.ts";
import type { Found } from "#shared/ports/archive.ts";
import { Dedupe } from "./dedupe.ts";
import { Holds } from "./holds.ts";
import type { Numbered } from "./dedupe.ts";
import { Recent } from "./recent.ts";
import type { BlockOwner, RecentBlock } from "./recent-block.ts";
import type { ReplayedRoom } from "./replayed-room.ts";
import type { IdHolder, IdsToForget, RoomMemory } from "./room-memory.ts";

/** Commands of one room that wait until it is loaded; one more gets `busy`. */
export const WAITING_MAX = 1_024;

/** A command as it came. */
export interface Arrival<C extends Command = Command> {
  readonly gateway: ProcessId;
  readonly command: C;
  readonly cameAt: Millis;
  /** It gets `busy` when its turn comes, behind what its sender sent before (O4). */
  readonly isRefused?: true;
}

export type Phase =
  /** Is not loaded, and waits for its turn if anybody wants it (room-loads.ts). */
  | { readonly kind: "queued" }
  /** `mark`: the archive's watermark when it was asked; an older answer is refused (P25). */
  | { readonly kind: "loading"; readonly watermark: LogSeq }
  | { readonly kind: "ready" };

export type Decision =
  | { readonly kind: "event"; readonly seq: Seq; readonly at: Millis; readonly line: string }
  | ({ readonly kind: "repeat" } & Numbered)
  | { readonly kind: "refuse"; readonly error: "bad_id" | "busy" | "not_found" | "unavailable" }
  | { readonly kind: "look-up" };

export class Room implements BlockOwner, IdHolder {
  readonly id: RoomId;
  readonly recent: Recent;
  /** In the order in which they came. */
  readonly waiting: Arrival[] = [];
  /** Undecided look-ups, the oldest first, each with the archived head before it was asked (room/room.4). */
  readonly pins = new Set<{ readonly archived: Seq }>();
  readonly holds = new Holds();
  phase: Phase = { kind: "queued" };
  usedAt: Millis;
  readonly #memory: RoomMemory;
  #dedupe: Dedupe;
  /** Ids up to this number may be missing, though the archive may not have them yet (dedupe.2 of dedupe.ts). */
  #forgottenTo: Seq = 0;
  #born = "";
  #head: Seq = 0;
  #next: Seq = 1;
  #archived: Seq = 0;
  #lastAt: Millis = 0;

  constructor(id: RoomId, memory: RoomMemory, now: Millis) {
    this.id = id;
    this.#memory = memory;
    this.#dedupe = new Dedupe(0);
    this.recent = new Recent(memory, this);
    this.usedAt = now;
  }

  get head(): Seq {
    return this.#head;
  }

  /** The archive has everything up to here. */
  get archived(): Seq {
    return this.#archived;
  }

  get born(): string {
    return this.#born;
  }

  /** Its head and its recent ids are known. */
  get isLoaded(): boolean {
    return this.phase.kind === "ready";
  }

  /** Nothing of this room is on its way or waits for the archive (P12). */
  get isSettled(): boolean {
    return (
      this.phase.kind === "ready" &&
      this.#next === this.#head + 1 &&
      this.#archived === this.#head &&
      this.pins.size === 0
    );
  }

  /**
   * Becomes ready: the archive's snapshot, and above it what the replay found. False when the two do not
   * meet: the snapshot is too old (P25).
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
    // The tail ends where the first block begins. Some of them may have been given up, and then it does
    // not reach it and is left to the archive (recent.1 of recent.ts).
    const end = isNewer ? (above[0]?.first ?? Infinity) - 1 : head;
    const lines = end > head ? [] : tail.slice(0, Math.max(0, tail.length - (head - end)));
    if (lines.length > 0) this.recent.addTail(end - lines.length + 1, lines);
    for (const block of above) this.#adopt(block);
    if (isNewer) this.#applyReplayed(replayed);
    if (replayed !== undefined) replayed.loadedRoom = this;
    if (replayed !== undefined) this.#dedupe.absorb(replayed.ids, head);
    this.#next = this.#head + 1;
    this.#memory.addIds(this);
    this.phase = { kind: "ready" };
    return true;
  }

  /** Whether `decide` would need a look-up. */
  isUnsure(from: UserId, id: MessageId, now: Millis): boolean {
    const isUnsure = this.#dedupe.judge(from, id, now).kind === "unsure";
    return isUnsure && this.#archived >= this.#forgottenTo; // dedupe.2: no answer could decide it.
  }

  /**
   * Decides a send. `known` is what a look-up found, when one was made for this command; `isHeld`:
   * an earlier send of its sender was refused and is not back yet (holds.ts).
   */
  decide(
    command: SendCommand,
    now: Millis,
    known?: { readonly found?: Found },
    isHeld = false,
  ): Decision {
    const { from, id, body, replyTo, late } = command;
    const verdict = this.#dedupe.judge(from, id, now);
    if (verdict.kind === "known") return { ...verdict, kind: "repeat" };
    if (verdict.kind === "ahead") return { kind: "refuse", error: "bad_id" };
    if (verdict.kind === "unsure") {
      if (this.#archived < this.#forgottenTo) return { kind: "refuse", error: "unavailable" }; // dedupe.2
      if (known === undefined)
        return isHeld ? { kind: "refuse", error: "busy" } : { kind: "look-up" };
      if (known.found !== undefined) return { kind: "repeat", ...known.found };
    }
    if (late === true) return { kind: "refuse", error: "unavailable" }; // O4
    if (isHeld) return { kind: "refuse", error: "busy" }; // O4
    if (replyTo !== undefined && replyTo >= this.#next)
      return { kind: "refuse", error: "not_found" };
    const seq = this.#next++; // O1
    const at = (this.#lastAt = Math.max(now, this.#lastAt)); // O13
    const { id: room } = this;
    const event = { t: "msg", room, seq, id, from, at, body } as const;
    const line = encodeEvent(replyTo === undefined ? event : { ...event, replyTo });
    this.#dedupe.remember(from, id, { seq, at });
    return { kind: "event", seq, at, line };
  }

  /** The log confirmed these lines. */
  commit(first: Seq, lines: readonly string[], logSeq: LogSeq): RecentBlock {
    assert(first === this.#head + 1, "a room is committed in order");
    this.#head += lines.length;
    assert(this.#head < this.#next, "nothing is committed that was not decided");
    // Not when it was decided: nobody may hear of a birth that the log then refuses (O2).
    if (first === 1) this.#born = decodeEvent(lines[0] ?? "").id;
    return this.recent.add({ first, lines, logSeq });
  }

  /** The archive has everything up to `seq`. */
  onArchived(seq: Seq): void {
    this.#archived = Math.max(this.#archived, seq);
    this.recent.trim(this.#archived);
  }

  prune(now: Millis): void {
    const [oldest] = this.pins;
    this.#dedupe.prune(now, oldest?.archived ?? this.#archived, this.#memory.idWindowMs);
  }

  forgetArchivedIds(ids: IdsToForget): void {
    this.forgetIds(this.#archived, ids);
  }

  forgetIds(seq: Seq, ids: IdsToForget): boolean {
    // Raised also while look-ups keep ids (room/room.4): no new one is begun, and these end within seconds.
    this.#forgottenTo = Math.max(this.#forgottenTo, seq);
    const [oldest] = this.pins;
    const upTo = Math.min(seq, oldest?.archived ?? seq);
    return this.#dedupe.forgetUpTo(upTo, ids) && upTo === seq;
  }

  /** Gives all memory back; the room is not used afterwards. */
  clear(): void {
    this.recent.clear();
    this.#dedupe.clear();
    this.#memory.removeIds(this);
  }

  /** The places of lines up to `seq` are given up (recent.4 of recent.ts). */
  forgetLines(seq: Seq): void {
    this.recent.forgetUpTo(seq);
  }

  #adopt(block: RecentBlock): void {
    block.move("unarchived");
    this.recent.adopt(block);
  }

  #applyReplayed({ head, born, lastAt, forgottenTo, archived }: ReplayedRoom): void {
    this.#archived = Math.max(this.#archived, archived);
    this.#forgottenTo = forgottenTo;
    this.#head = head;
    this.#lastAt = lastAt;
    this.#born = born ?? this.#born;
  }
}
