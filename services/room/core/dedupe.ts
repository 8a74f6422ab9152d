// Dedupe: the message ids of one room that already have a sequence number. Memory is bounded;
// together with the archive, recognition has no time limit.
//
// Owns: the remembered ids, the dedupe floor, and the floors of single senders. An id below a floor
// may be forgotten. Does not own: the archive, which has all archived ids and answers look-ups
// (look-ups.ts).
//
//   dedupe.1. Memory has every numbered id whose own time is at or above both the dedupe floor and
//       its sender's floor. So an id that is above both and not in memory is new. This holds for
//       any clock, because floors are compared with ids and not with the time.
//   dedupe.2. Floors only rise, and only past archived ids, or past ids that `forgetUpTo` drops
//       because memory is short. In the second case the room decides about an id below the floor
//       only after the archive has the dropped ids (room.ts).
//   dedupe.3. An id is kept while its own time or the time of its sequence number is within
//       DEDUPE_WINDOW_MS. If more than `idsMax` ids are held, the oldest archived ids are dropped
//       earlier, and a resend of them needs a look-up.
//   dedupe.4. The dedupe floor stays FLOOR_BEHIND_MS behind the clock, unless memory is short
//       (P23). When a later id is forgotten, only the floor of its sender rises (P24). So a sender
//       of ids from the future causes look-ups for its own sends only. A client with a fast
//       clock causes no look-ups, because each of its ids is above its floor.
//   dedupe.5. At most AHEAD_IDS_MAX archived ids from the future and SENDER_FLOORS_MAX sender
//       floors are kept. Above that, the sender floor that rose least recently becomes the dedupe
//       floor of the room.

import { LazyMap } from "#shared/kit/lazy-map.ts";
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
  /** Below a floor: only the archive can decide. */
  | { readonly kind: "unsure" }
  /** Its own time is more than a day ahead (O6). */
  | { readonly kind: "ahead" };

/** Ids of one room in memory. Above it archived ids are dropped early. */
export const DEDUPE_IDS_MAX = 200_000;
/**
 * Archived ids from the future of one room. Above it those with the lowest sequence numbers are
 * dropped.
 */
export const AHEAD_IDS_MAX = 8_192;
export const SENDER_FLOORS_MAX = 8_192;
/** Ids of this period stay in memory, unless their number exceeds a bound (dedupe.3, dedupe.5). */
const FLOOR_BEHIND_MS = TAKE_OVER_IDS_MS;
/** Ids that one prune examines, so that a prune does not block the event loop. */
const PRUNE_STEPS_MAX = 2_048;

export interface DedupeOptions {
  readonly idsMax?: number;
  readonly aheadMax?: number;
  /** The account of ids and sender floors. */
  readonly account?: RoomMemory["account"];
}

const ID_LENGTH = 36;

const NEW: Verdict = { kind: "new" };
const UNSURE: Verdict = { kind: "unsure" };

interface Judged {
  readonly id: MessageId;
  readonly time: Millis;
}

interface Kept extends Numbered {
  readonly sender: UserId;
  readonly time: Millis;
}

type Ids = Map<string, Kept> | LazyMap<string, Kept>;

export class Dedupe {
  readonly #idsMax: number;
  readonly #aheadMax: number;
  /** In the order of sequence numbers. Their own times have almost the same order. */
  readonly #kept = new Map<string, Kept>();
  /**
   * The same, for ids that were more than ID_SLACK_MS ahead of the time of their sequence number.
   */
  readonly #ahead = new LazyMap<string, Kept>();
  /** The ids that are kept with the name of their sender, because another sender had them first. */
  #shared = 0;
  /** Sender floors above the dedupe floor; the one that rose most recently is last. */
  readonly #floors = new LazyMap<UserId, Millis>();
  #floor: Millis;
  /** The last id that was judged, and its time: an accepted write is remembered next. */
  #judged: Judged = { id: "" as MessageId, time: 0 };
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

  /** The number of senders with a floor. */
  get senderFloors(): number {
    return this.#floors.size;
  }

  judge(sender: UserId, id: MessageId, now: Millis): Verdict {
    const kept = this.#find(this.#kept, sender, id) ?? this.#find(this.#ahead, sender, id);
    if (kept !== undefined) return { kind: "known", seq: kept.seq, at: kept.at };
    const time = messageTime(id);
    this.#judged = { id, time };
    if (time > now + ID_AHEAD_MAX_MS) return { kind: "ahead" };
    const senderFloor = this.#floors.get(sender) ?? 0;
    return time < this.#floor || time < senderFloor ? UNSURE : NEW; // dedupe.1
  }

  remember(sender: UserId, id: MessageId, { seq, at }: Numbered): void {
    const judged = this.#judged;
    const time = judged.id === id ? judged.time : messageTime(id);
    this.#keep(id, { sender, time, seq, at });
  }

  /**
   * Takes over the ids of `other` with sequence numbers above `seq`. `other` is not used
   * afterwards.
   */
  absorb(other: Dedupe, seq: Seq): void {
    for (const ids of [other.#kept, other.#ahead]) {
      for (const [key, kept] of ids) if (kept.seq > seq) this.#keep(idIn(key), kept);
    }
    this.#floor = Math.max(this.#floor, other.#floor);
    for (const [sender, floor] of other.#floors) this.raise(sender, floor);
    other.clear();
  }

  /** Gives the memory back. The object is not used afterwards. */
  clear(): void {
    for (const ids of [this.#kept, this.#ahead])
      for (const [key, kept] of ids) this.#drop(ids, key, kept);
    for (const sender of this.#floors.keys()) this.#dropFloor(sender);
  }

  /** From now on memory may lack ids of this sender below `floor`. */
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
   * Forgets ids up to sequence number `seq`, archived or not, and raises the floors. Returns false
   * when an id stays because it is too young.
   */
  forgetUpTo(seq: Seq, { before, now }: IdsToForget): boolean {
    for (const [key, kept] of this.#kept) {
      if (kept.seq > seq) break;
      if (kept.time > now) continue;
      if (kept.time >= before) return false;
      this.#drop(this.#kept, key, kept);
      this.#floor = Math.max(this.#floor, kept.time + 1);
    }
    if (now < Infinity) return true;
    for (const [key, kept] of this.#ahead) {
      if (kept.seq > seq) break;
      this.#drop(this.#ahead, key, kept);
      this.raise(kept.sender, kept.time + 1); // dedupe.4
    }
    return true;
  }

  /**
   * Forgets the ids that dedupe.3 and dedupe.5 permit. `archived` is the last archived sequence
   * number of the room.
   */
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
    ids: Ids,
    max: number,
    archived: Seq,
    { now, limit }: { readonly now: Millis; readonly limit: Millis },
  ): void {
    let steps = 0;
    for (const [key, kept] of ids) {
      const { sender, seq, time, at } = kept;
      if (steps++ >= PRUNE_STEPS_MAX) return;
      if (seq > archived) return; // dedupe.2; the remaining ids have higher sequence numbers.
      const isOld = time < limit && at < limit;
      if (!isOld && ids.size <= max) return;
      this.#drop(ids, key, kept);
      // Preserves dedupe.1.
      if (time < now - FLOOR_BEHIND_MS) this.#floor = Math.max(this.#floor, time + 1);
      else this.raise(sender, time + 1); // dedupe.4
    }
  }

  #find(ids: Ids, sender: UserId, id: MessageId): Kept | undefined {
    const kept = ids.get(id);
    if (kept?.sender === sender) return kept;
    return this.#shared > 0 ? ids.get(keyOf(sender, id)) : undefined;
  }

  #keep(id: MessageId, kept: Kept): void {
    const { sender } = kept;
    const ids = kept.time > kept.at + ID_SLACK_MS ? this.#ahead : this.#kept;
    const holder = ids.get(id);
    const known = this.#find(ids, sender, id);
    const isShared = holder !== known;
    ids.set(isShared ? keyOf(sender, id) : id, kept);
    if (known !== undefined) return;
    if (isShared) this.#shared++;
    this.#account?.add("ids", bytesOf(id, sender));
  }

  #drop(ids: Ids, key: string, { sender }: Kept): void {
    ids.delete(key);
    const id = idIn(key);
    if (key !== id) this.#shared--;
    this.#account?.add("ids", -bytesOf(id, sender));
  }

  #dropFloor(sender: UserId): void {
    if (this.#floors.delete(sender)) this.#account?.add("ids", -bytesOf(sender));
  }
}

/** Both texts with at most two bytes per unit, the value, and its slot in the map. */
function bytesOf(id: string, sender: UserId | "" = ""): number {
  return 160 + 2 * (id.length + sender.length);
}

/** Ids have a fixed length, so two pairs never have the same key. */
function keyOf(sender: UserId, id: MessageId): string {
  return id + sender;
}

function idIn(key: string): MessageId {
  return (key.length > ID_LENGTH ? key.slice(0, ID_LENGTH) : key) as MessageId;
}
