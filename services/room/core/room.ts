// Room: one chat room, executed one command at a time.
//
// Owns: the room's numbers, its recent lines, the ids it has seen, and the commands that wait while
// the archive is asked about it. Does not own: the log, the commit window, presence, sockets, time.
//
//   O1. Numbers are dense: the next one is always `next`, and `next` moves by one per event.
//   O2. `head` is what the log confirmed; `next - 1` may be ahead of it, and nobody hears of that.
//   O4. While a room waits for the archive, all its commands wait, so none overtakes another.
//   O13. `at` never goes backwards within the room.
// A room is rebuilt from a snapshot and the replayed part of the log; it is thrown away, never
// rolled back, when the outcome of an append is in doubt (P5).

import { assert } from "#shared/kit/assert.ts";
import type { Command, SendCommand } from "#shared/protocol/commands.ts";
import { decodeEvent, encodeEvent } from "#shared/protocol/events.ts";
import type { RoomSnapshot } from "#shared/protocol/history.ts";
import type { LogSeq, Millis, ProcessId, RoomId, Seq } from "#shared/protocol/ids.ts";
import type { Found } from "#shared/ports/archive.ts";
import { Dedupe } from "./dedupe.ts";
import { Holds } from "./holds.ts";
import type { Numbered } from "./dedupe.ts";
import { Recent } from "./recent.ts";
import type { MemoryBudget, RecentBlock } from "./recent.ts";

/** Commands of one room that wait for the archive; one more gets `busy`. */
export const WAITING_MAX = 1_024;

/** A command as it came. */
export interface Arrival<C extends Command = Command> {
  readonly gateway: ProcessId;
  readonly command: C;
  readonly cameAt: Millis;
}

export interface WaitingCommand extends Arrival {
  /** Since when it waits for what it waits for now. */
  readonly since: Millis;
}

/** A replayed run of lines, not yet applied. */
export interface ReplayedBlock {
  readonly first: Seq;
  readonly lines: readonly string[];
  readonly logSeq: LogSeq;
}

export type Phase =
  /** Waits for its turn to be loaded, or for the next try. */
  | { readonly kind: "queued"; readonly notBefore: Millis }
  /** `mark`: the archive's watermark when it was asked; an older answer is refused (P14). */
  | { readonly kind: "loading"; readonly mark: LogSeq }
  /** The first waiting command's id is being looked up. */
  | { readonly kind: "looking-up"; readonly mark: LogSeq }
  | { readonly kind: "ready" };

export type Decision =
  | { readonly kind: "event"; readonly seq: Seq; readonly at: Millis; readonly line: string }
  | ({ readonly kind: "repeat" } & Numbered)
  | { readonly kind: "refuse"; readonly error: "bad_id" | "busy" | "not_found" | "unavailable" }
  | { readonly kind: "look-up" };

export class Room {
  readonly id: RoomId;
  readonly recent: Recent;
  readonly waiting: WaitingCommand[] = [];
  readonly holds = new Holds();
  phase: Phase = { kind: "queued", notBefore: 0 };
  usedAt: Millis;
  #dedupe = new Dedupe(0);
  #born = "";
  #head: Seq = 0;
  #next: Seq = 1;
  #archived: Seq = 0;
  #lastAt: Millis = 0;

  constructor(id: RoomId, budget: MemoryBudget, now: Millis) {
    this.id = id;
    this.recent = new Recent(budget);
    this.usedAt = now;
  }

  get head(): Seq {
    return this.#head;
  }

  get born(): string {
    return this.#born;
  }

  /** Nothing of this room is on its way or waits for the archive (P12). */
  get isSettled(): boolean {
    return (
      this.phase.kind === "ready" && this.#next === this.#head + 1 && this.#archived === this.#head
    );
  }

  /**
   * Becomes ready: the archive's snapshot, and above it what the replay found. Returns the blocks
   * that hold unarchived lines. False when the two do not meet: the snapshot is too old (P14).
   */
  load(snapshot: RoomSnapshot, replayed: readonly ReplayedBlock[]): RecentBlock[] | false {
    const above = replayed.filter((block) => block.first + block.lines.length - 1 > snapshot.head);
    const first = above[0];
    if (first !== undefined && first.first > snapshot.head + 1) return false;
    this.#dedupe = new Dedupe(snapshot.floor);
    for (const [id, sender, seq, at] of snapshot.ids)
      this.#dedupe.remember(sender, id, { seq, at });
    this.#born = snapshot.born;
    this.#lastAt = snapshot.lastAt;
    this.#head = this.#archived = snapshot.head;
    if (snapshot.tail.length > 0) {
      this.recent.add(snapshot.head - snapshot.tail.length + 1, snapshot.tail, 0);
    }
    const blocks: RecentBlock[] = [];
    for (const block of above) {
      const lines = block.lines.slice(Math.max(0, snapshot.head + 1 - block.first));
      for (const line of lines) this.#applyReplayed(line);
      blocks.push(this.recent.add(this.#head - lines.length + 1, lines, block.logSeq));
    }
    this.#next = this.#head + 1;
    this.phase = { kind: "ready" };
    return blocks;
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
      if (known === undefined) return { kind: "look-up" };
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
    return this.recent.add(first, lines, logSeq);
  }

  /** The archive has everything up to `seq`. */
  archived(seq: Seq): void {
    this.#archived = Math.max(this.#archived, seq);
    this.recent.trim(this.#archived);
  }

  prune(now: Millis): void {
    this.#dedupe.prune(now, this.#archived);
  }

  #applyReplayed(line: string): void {
    const event = decodeEvent(line);
    assert(event.seq === this.#head + 1, "a replayed room is dense");
    this.#head = event.seq;
    this.#lastAt = event.at;
    if (event.seq === 1) this.#born = event.id;
    this.#dedupe.remember(event.from, event.id, { seq: event.seq, at: event.at });
  }
}
