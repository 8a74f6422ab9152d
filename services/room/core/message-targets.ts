// Message targets: what the owner knows of the messages of one room that a change or a reply in a
// thread can name.
//
// Owns: the sender, the thread and the deletion of recent messages. Does not own: older messages,
// which a look-up in the archive gives (look-ups.ts), who may change them (changes.ts).
//
//   message-targets.1. Every message from `completeFrom` on is kept. So a number from there on that
//       is not kept belongs to no message.
//   message-targets.2. A deletion is kept until the archive has it, and while a look-up is open
//       that was requested before (Room.pins). So an answer of the archive and this memory together
//       have every deletion.
//   message-targets.3. At most TARGETS_MAX targets are kept beside those that the archive lacks.
//       Under memory pressure those go, too: then only an archive that has them can answer.

import type { DeletedEvent, MessageEvent, RoomEvent } from "#shared/protocol/events.ts";
import type { TargetMessage } from "#shared/protocol/history.ts";
import type { Seq } from "#shared/protocol/ids.ts";
import type { RoomMemory } from "./room-memory.ts";

/** Archived targets of one room in memory. */
export const TARGETS_MAX = 1_000;
/** The memory of a target. */
const TARGET_BYTES = 112;
/** Targets that one trim examines. */
const TRIM_STEPS_MAX = 2_048;

interface Kept extends TargetMessage {
  /** The newest event that it was learnt from; 0: from the archive. */
  readonly since: Seq;
}

export class Targets {
  readonly #account: RoomMemory["account"] | undefined;
  readonly #first: Seq;
  readonly #kept = new Map<Seq, Kept>();
  #completeFrom: Seq;
  /** Something up to this number was forgotten before the archive had it (message-targets.3). */
  #forgottenTo: Seq = 0;

  constructor(completeFrom: Seq, account?: RoomMemory["account"]) {
    this.#first = this.#completeFrom = completeFrom;
    this.#account = account;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** "none": no message has this number. Undefined: a look-up decides. */
  find(seq: Seq): TargetMessage | "none" | undefined {
    return this.#kept.get(seq) ?? (seq >= this.#completeFrom ? "none" : undefined);
  }

  /**
   * Whether the answer of an archive with all events up to `archived` would count
   * (message-targets.3).
   */
  mayAsk(archived: Seq): boolean {
    return archived >= this.#forgottenTo;
  }

  /** An event of the room, each in order: decided, replayed, or of a snapshot. */
  take(event: RoomEvent): void {
    if (event.t === "msg") this.#add(event);
    else if (event.t === "deleted") this.#delete(event);
  }

  /** The archive's answer. What memory has is as new or newer. */
  learn(seq: Seq, message: TargetMessage): void {
    if (!this.#kept.has(seq)) this.#put(seq, { ...message, since: 0 });
  }

  /** Takes over what a replay read. */
  absorb(replayed: Targets): void {
    for (const [seq, kept] of replayed.#kept) {
      const known = this.#kept.get(seq);
      if (known?.isDeleted !== true) this.#put(seq, kept);
    }
    this.#forgottenTo = Math.max(this.#forgottenTo, replayed.#forgottenTo);
    const isWhole = replayed.#completeFrom === replayed.#first;
    if (!isWhole) this.#completeFrom = Math.max(this.#completeFrom, replayed.#completeFrom);
  }

  /** Forgets the oldest targets beyond TARGETS_MAX that the archive has since `archived`. */
  trim(archived: Seq): void {
    let steps = 0;
    for (const [seq, { since }] of this.#kept) {
      if (this.#kept.size <= TARGETS_MAX || steps++ >= TRIM_STEPS_MAX) return;
      if (since <= archived) this.#forget(seq);
    }
  }

  /** Forgets what was learnt from events up to `seq`, archived or not. */
  forgetUpTo(seq: Seq): void {
    this.#forgottenTo = Math.max(this.#forgottenTo, seq);
    for (const [target, { since }] of this.#kept) if (since <= seq) this.#forget(target);
  }

  /** Gives all memory back. */
  clear(): void {
    this.#account?.add("targets", -this.#kept.size * TARGET_BYTES);
    this.#kept.clear();
  }

  #add({ seq, from, thread, deleted }: MessageEvent): void {
    this.#put(seq, {
      from,
      since: seq,
      ...(thread !== undefined && { thread }),
      ...(deleted !== undefined && { isDeleted: true }),
    });
  }

  /** A message that this memory lacks counts as deleted, too: nothing else of it matters then. */
  #delete({ target, seq }: DeletedEvent): void {
    this.#put(target, { ...this.#kept.get(target), isDeleted: true, since: seq });
  }

  #put(seq: Seq, kept: Kept): void {
    if (!this.#kept.has(seq)) this.#account?.add("targets", TARGET_BYTES);
    this.#kept.set(seq, kept);
  }

  #forget(seq: Seq): void {
    this.#kept.delete(seq);
    this.#account?.add("targets", -TARGET_BYTES);
    this.#completeFrom = Math.max(this.#completeFrom, seq + 1); // message-targets.1
  }
}
