// Dedupe: which message ids of one room are already numbered. Bounded memory, recognition for ever.
//
// Owns: the ids it remembers, the `floor` below which it may have forgotten some, and the floors of senders
// that it may have forgotten more of. Does not own: the archive, which knows them all and is asked when
// this memory is unsure.
//
//   dedupe.1. Every numbered id of a sender whose own time is ≥ the floor and ≥ the sender's own floor is in
//       memory. So "not here and above both" is proof of novelty, and it is proof without trusting any
//       clock: floors are about ids.
//   dedupe.2. Floors only rise, and only past ids that are archived (the archive recognises them); or past ids
//       that `forgetUpTo` takes because memory is short. Then the room answers for ids below a floor only
//       when the archive has those (room.ts).
//   dedupe.3. An id is kept while its own time or the time of its number is within DEDUPE_WINDOW_MS, unless more
//       than `idsMax` archived ones are held; then the oldest go early and their kind costs a look-up.
//   dedupe.4. The floor stays FLOOR_BEHIND_MS behind the clock, unless memory is short (P23). An id that is forgotten although its time is
//       later raises the floor of its sender alone (P24): who sends ids from the future pays for them with
//       look-ups, and nobody else does. A client whose clock is ahead pays nothing: its next id is above.
//   dedupe.5. At most AHEAD_IDS_MAX archived ids from the future are kept, and SENDER_FLOORS_MAX own floors. When
//       those are full, the one that rose longest ago becomes the floor of all.

import { messageTime } from "#shared/protocol/ids.ts";
import type { MessageId, Millis, Seq, UserId } from "#shared/protocol/ids.ts";
import {
  DEDUPE_WINDOW_MS,
  ID_AHEAD_MAX_MS,
  ID_SLACK_MS,
  TAKE_OVER_IDS_MS,
} from "#shared/protocol/limits.ts";
import type { IdsToForget, RoomMemory } from "./room-memory.ts";

export interface Numbered {
  readonly seq: Seq;
  readonly at: Millis;
}

export type Verdict =
  | ({ readonly kind: "known" } & Numbered)
  | { readonly kind: "new" }
  /** Older than a floor: only the archive can tell. */
  | { readonly kind: "unsure" }
  /** Claims a time more than a day ahead (O6). */
  | { readonly kind: "ahead" };

/** Ids of one room in memory beyond which archived ones go early. */
export const DEDUPE_IDS_MAX = 200_000;
/** Archived ids of one room from the future beyond which the oldest numbers go. */
export const AHEAD_IDS_MAX = 8_192;
export const SENDER_FLOORS_MAX = 8_192;
/** The ids of this time are always recognised from memory, but for their number (dedupe.3, dedupe.5). */
const FLOOR_BEHIND_MS = TAKE_OVER_IDS_MS;
/** How many ids one prune looks at, so that a prune is never a pause. */
const PRUNE_STEPS_MAX = 2_048;

export interface DedupeOptions {
  readonly idsMax?: number;
  readonly aheadMax?: number;
  /** Where ids and own floors are counted. */
  readonly account?: RoomMemory["account"];
}

interface Kept extends Numbered {
  readonly sender: UserId;
  readonly time: Millis;
}

export class Dedupe {
  readonly #idsMax: number;
  readonly #aheadMax: number;
  /** In the order of their numbers, which their own times follow closely. */
  readonly #kept = new Map<string, Kept>();
  /** The same for ids that were ahead of the time of their number by more than ID_SLACK_MS. */
  readonly #ahead = new Map<string, Kept>();
  /** Own floors above the floor, the one that rose last at the end. */
  readonly #floors = new Map<UserId, Millis>();
  #floor: Millis;

  readonly #account: RoomMemory["account"] | undefined;

  constructor(floor: Millis, options: DedupeOptions = {}) {
    this.#floor = floor;
    this.#idsMax = options.idsMax ?? DEDUPE_IDS_MAX;
    this.#aheadMax = options.aheadMax ?? AHEAD_IDS_MAX;
    this.#account = options.account;
  }

  get size(): number {
    return this.#kept.size + this.#ahead.size;
  }

  get floor(): Millis {
    return this.#floor;
  }

  /** How many senders have a floor of their own. */
  get senderFloors(): number {
    return this.#floors.size;
  }

  judge(sender: UserId, id: MessageId, now: Millis): Verdict {
    const name = key(sender, id);
    const kept = this.#kept.get(name) ?? this.#ahead.get(name);
    if (kept !== undefined) return { kind: "known", seq: kept.seq, at: kept.at };
    const time = messageTime(id);
    if (time > now + ID_AHEAD_MAX_MS) return { kind: "ahead" };
    const senderFloor = this.#floors.get(sender) ?? 0;
    return { kind: time < this.#floor || time < senderFloor ? "unsure" : "new" }; // dedupe.1
  }

  remember(sender: UserId, id: MessageId, { seq, at }: Numbered): void {
    const time = messageTime(id);
    this.#keep(key(sender, id), { sender, time, seq, at });
  }

  /** Takes over what `other` remembers of numbers above `seq`; `other` is not used afterwards. */
  absorb(other: Dedupe, seq: Seq): void {
    for (const ids of [other.#kept, other.#ahead]) {
      for (const [name, kept] of ids) if (kept.seq > seq) this.#keep(name, kept);
    }
    this.#floor = Math.max(this.#floor, other.#floor);
    for (const [sender, floor] of other.#floors) this.raise(sender, floor);
    other.clear();
  }

  /** Gives the memory back; it is not used afterwards. */
  clear(): void {
    for (const ids of [this.#kept, this.#ahead])
      for (const name of ids.keys()) this.#drop(ids, name);
    for (const sender of this.#floors.keys()) this.#dropFloor(sender);
  }

  /** Ids of this sender below `floor` may be unknown here. */
  raise(sender: UserId, floor: Millis): void {
    const senderFloor = this.#floors.get(sender) ?? 0;
    if (floor <= senderFloor || floor <= this.#floor) return;
    this.#dropFloor(sender);
    this.#floors.set(sender, floor);
    this.#account?.add("ids", bytesOf(sender));
    if (this.#floors.size <= SENDER_FLOORS_MAX) return;
    for (const [other, oldest] of this.#floors) {
      this.#dropFloor(other); // dedupe.5
      this.#floor = Math.max(this.#floor, oldest);
      return;
    }
  }

  /**
   * Forgets ids up to number `seq`, archived or not; floors rise past them. False when one stays because it
   * is too young.
   */
  forgetUpTo(seq: Seq, { before, now }: IdsToForget): boolean {
    for (const [name, kept] of this.#kept) {
      if (kept.seq > seq) break;
      if (kept.time > now) continue;
      if (kept.time >= before) return false;
      this.#drop(this.#kept, name);
      this.#floor = Math.max(this.#floor, kept.time + 1);
    }
    if (now < Infinity) return true;
    for (const [name, kept] of this.#ahead) {
      if (kept.seq > seq) break;
      this.#drop(this.#ahead, name);
      this.raise(kept.sender, kept.time + 1); // dedupe.4
    }
    return true;
  }

  /** Forgets what dedupe.3 and dedupe.5 allow; `archived` is the room's archived head. */
  prune(now: Millis, archived: Seq, windowMs = DEDUPE_WINDOW_MS): void {
    const at = { now, limit: now - windowMs };
    this.#pruneIds(this.#kept, this.#idsMax, archived, at);
    this.#pruneIds(this.#ahead, this.#aheadMax, archived, at);
    let steps = 0;
    for (const [sender, floor] of this.#floors) {
      if (steps++ >= PRUNE_STEPS_MAX) return;
      if (floor <= this.#floor) this.#dropFloor(sender);
    }
  }

  #pruneIds(
    ids: Map<string, Kept>,
    max: number,
    archived: Seq,
    { now, limit }: { readonly now: Millis; readonly limit: Millis },
  ): void {
    let steps = 0;
    for (const [name, { sender, seq, time, at }] of ids) {
      if (steps++ >= PRUNE_STEPS_MAX) return;
      if (seq > archived) return; // dedupe.2; what follows was numbered later still.
      const isOld = time < limit && at < limit;
      if (!isOld && ids.size <= max) return;
      this.#drop(ids, name);
      // dedupe.1 stays true.
      if (time < now - FLOOR_BEHIND_MS) this.#floor = Math.max(this.#floor, time + 1);
      else this.raise(sender, time + 1); // dedupe.4
    }
  }

  #keep(name: string, kept: Kept): void {
    const ids = kept.time > kept.at + ID_SLACK_MS ? this.#ahead : this.#kept;
    if (!ids.has(name)) this.#account?.add("ids", bytesOf(name));
    ids.set(name, kept);
  }

  #drop(ids: Map<string, Kept>, name: string): void {
    ids.delete(name);
    this.#account?.add("ids", -bytesOf(name));
  }

  #dropFloor(sender: UserId): void {
    if (this.#floors.delete(sender)) this.#account?.add("ids", -bytesOf(sender));
  }
}

/** A key of two bytes a unit at the most, what is kept with it, and its place in the map. */
function bytesOf(name: string): number {
  return 160 + 2 * name.length;
}

/** Ids have a fixed length, so the pair cannot be confused with another one. */
function key(sender: UserId, id: MessageId): string {
  return id + sender;
}
