// Message targets: what the owner knows of the messages of one room that a change or a reply in a
// thread can name.
//
// Owns: the sender, the time, the thread, the mentions and the deletion of recent messages. Does
// not own: older messages, which a look-up in the archive gives (look-ups.ts), who may change them
// (changes.ts).
//
//   message-targets.1. The events from `#base` on are known, each in its slot. So a number from
//       there on without a sender belongs to no message.
//   message-targets.2. A deletion is kept until the archive has it, and while a look-up is open
//       that was requested before (Room.pins). So an answer of the archive and this memory together
//       have every deletion.
//   message-targets.3. At most TARGETS_MAX targets are kept beside those that the archive lacks.
//       Under memory pressure those go, too: then only an archive that has them can answer.
//   message-targets.4. Mentions decide notes only, which are hints. So an edit of a message that
//       this memory lacks is not kept for them, and each mentioned user counts as memory.
//
// Every message of every room passes here, so a message of the main line costs two slots.

import { LazyMap } from "#shared/kit/lazy-map.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { TargetMessage } from "#shared/protocol/history.ts";
import type { Millis, Seq, UserId } from "#shared/protocol/ids.ts";
import type { RoomMemory } from "./room-memory.ts";

/** Archived targets of one room in memory. */
export const TARGETS_MAX = 1_000;
/** The memory of a target, and of each user whom it mentions. */
const TARGET_BYTES = 72;
/** Targets are dropped and counted in steps of this size. */
const STEP = 64;
/** Targets that one trim examines. */
const TRIM_STEPS_MAX = 2_048;

interface Kept extends TargetMessage {
  /** The newest event that it was learnt from; 0: from the archive. */
  readonly since: Seq;
}

export class Targets {
  readonly #account: RoomMemory["account"] | undefined;
  readonly #first: Seq;
  #base: Seq;
  /** The senders of the messages from `#base` on; undefined for an event that is no message. */
  #senders: (UserId | undefined)[] = [];
  /** When they were sent. */
  #times: Millis[] = [];
  /**
   * Messages in threads, those with mentions, deleted ones, and those of the archive. They count
   * before the slots.
   */
  readonly #others = new LazyMap<Seq, Kept>();
  /** The users whom they mention, those of each message on its own. */
  #mentioned = 0;
  /** Something up to this number was forgotten before the archive had it (message-targets.3). */
  #forgottenTo: Seq = 0;
  /** The targets and mentioned users that the account has. */
  #counted = 0;

  /** `first`: the number of the first event that will be taken. */
  constructor(first: Seq, account?: RoomMemory["account"]) {
    this.#first = this.#base = first;
    this.#account = account;
  }

  get size(): number {
    return this.#senders.length + this.#others.size;
  }

  /** "none": no message has this number. Undefined: a look-up decides. */
  find(seq: Seq): TargetMessage | "none" | undefined {
    const other = this.#others.get(seq);
    if (other !== undefined || seq < this.#base) return other;
    const from = this.#senders[seq - this.#base];
    return from === undefined ? "none" : { from, at: this.#times[seq - this.#base] ?? 0 };
  }

  /**
   * Whether the answer of an archive with all events up to `archived` would count
   * (message-targets.3).
   */
  mayAsk(archived: Seq): boolean {
    return archived >= this.#forgottenTo;
  }

  /** The next event of the room: decided, replayed, or of a snapshot. */
  take(event: RoomEvent): void {
    const { seq, at } = event;
    // A line of a snapshot that is no event leaves its slot empty.
    while (this.#end < seq) this.#add(undefined, 0);
    if (this.#end === seq) this.#add(event.t === "msg" ? event.from : undefined, at);
    if (event.t === "msg") {
      const { from, thread, mentions, deleted } = event;
      if (thread === undefined && mentions === undefined && deleted === undefined) {
        return this.#count();
      }
      this.#keep(seq, {
        from,
        at,
        since: seq,
        ...(thread !== undefined && { thread }),
        ...(mentions !== undefined && { mentions }),
        ...(deleted !== undefined && { isDeleted: true }),
      });
    } else if (event.t === "deleted") {
      // A message that this memory lacks counts as deleted, too: nothing else of it matters then.
      const known = this.find(event.target);
      const { mentions: _mentions, ...before } = known === "none" ? {} : (known ?? {});
      this.#keep(event.target, { ...before, isDeleted: true, since: seq });
    } else if (event.t === "edited" && event.mentions !== undefined) {
      const known = this.find(event.target);
      const isKnown = known !== undefined && known !== "none" && known.isDeleted !== true;
      if (isKnown) this.#keep(event.target, { ...known, mentions: event.mentions, since: seq });
    }
    this.#count();
  }

  /** The archive's answer. What memory has is as new or newer. */
  learn(seq: Seq, message: TargetMessage): void {
    if (seq >= this.#base || this.#others.has(seq)) return;
    this.#keep(seq, { ...message, since: 0 });
    this.#count();
  }

  /** Takes over what a replay read, which continues what was taken here. */
  absorb(replayed: Targets): void {
    const isWhole = replayed.#base === replayed.#first;
    if (!isWhole && replayed.#base > this.#end) {
      this.#senders = [];
      this.#times = [];
      this.#base = replayed.#base;
    }
    for (let seq = this.#end; seq < replayed.#end; seq++) {
      const slot = seq - replayed.#base;
      this.#add(replayed.#senders[slot], replayed.#times[slot] ?? 0);
    }
    for (const [seq, kept] of replayed.#others) {
      if (this.#others.get(seq)?.isDeleted !== true) this.#keep(seq, kept);
    }
    this.#forgottenTo = Math.max(this.#forgottenTo, replayed.#forgottenTo);
    this.#count();
  }

  /** Forgets the oldest targets beyond TARGETS_MAX that the archive has since `archived`. */
  trim(archived: Seq): void {
    const excess = Math.min(this.#senders.length - TARGETS_MAX, archived + 1 - this.#base);
    if (excess >= STEP) this.#forgetSlots(excess);
    let steps = 0;
    for (const [seq, { since }] of this.#others) {
      if (this.#others.size <= TARGETS_MAX || steps++ >= TRIM_STEPS_MAX) break;
      // Above the base it says more than its slot.
      if (since <= archived && seq < this.#base) this.#drop(seq);
    }
    this.#count();
  }

  /** Forgets what was learnt from events up to `seq`, archived or not. */
  forgetUpTo(seq: Seq): void {
    this.#forgottenTo = Math.max(this.#forgottenTo, seq);
    if (seq >= this.#base) this.#forgetSlots(Math.min(seq + 1 - this.#base, this.#senders.length));
    // Their messages are below the base: a message is older than what is learnt of it.
    for (const [target, { since }] of this.#others) if (since <= seq) this.#drop(target);
    this.#count(true);
  }

  /** Gives all memory back. */
  clear(): void {
    this.#senders = [];
    this.#times = [];
    this.#others.clear();
    this.#mentioned = 0;
    this.#count(true);
  }

  /** The number behind the last slot. */
  get #end(): Seq {
    return this.#base + this.#senders.length;
  }

  #add(from: UserId | undefined, at: Millis): void {
    this.#senders.push(from);
    this.#times.push(at);
  }

  #keep(seq: Seq, kept: Kept): void {
    this.#mentioned += usersIn(kept) - usersIn(this.#others.get(seq));
    this.#others.set(seq, kept);
  }

  #drop(seq: Seq): void {
    this.#mentioned -= usersIn(this.#others.get(seq));
    this.#others.delete(seq);
  }

  #forgetSlots(count: number): void {
    this.#senders = this.#senders.slice(count);
    this.#times = this.#times.slice(count);
    this.#base += count;
  }

  #count(isExact = false): void {
    const more = this.size + this.#mentioned - this.#counted;
    if (more === 0 || (!isExact && Math.abs(more) < STEP)) return;
    this.#counted += more;
    this.#account?.add("targets", more * TARGET_BYTES);
  }
}

function usersIn(kept: Kept | undefined): number {
  return Array.isArray(kept?.mentions) ? kept.mentions.length : 0;
}
