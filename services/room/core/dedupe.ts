// Dedupe: which message ids of one room are already numbered. Bounded memory, recognition for ever.
//
// Owns: the ids it remembers and the `floor` below which it may have forgotten some.
// Does not own: the archive, which knows them all and is asked when this memory is unsure.
//
//   X1. Every numbered id whose own time is ≥ floor is in memory. So "not here and ≥ floor" is
//       proof of novelty, and it is proof without trusting any clock: floor is about ids.
//   X2. The floor only rises, and only past ids that are archived (the archive recognises them); or past ids
//       that `forgetUpTo` takes because memory is short. Then the room answers for ids below the floor
//       only when the archive has those (room.ts).
//   X3. An id is kept while its own time is within DEDUPE_WINDOW_MS, unless more than `idsMax`
//       archived ones are held; then the oldest go early and their kind costs a look-up.

import { messageTime } from "#shared/protocol/ids.ts";
import type { MessageId, Millis, Seq, UserId } from "#shared/protocol/ids.ts";
import { DEDUPE_WINDOW_MS, ID_AHEAD_MAX_MS } from "#shared/protocol/limits.ts";
import type { RoomMemory } from "./room-memory.ts";

export interface Numbered {
  readonly seq: Seq;
  readonly at: Millis;
}

export type Verdict =
  | ({ readonly kind: "known" } & Numbered)
  | { readonly kind: "new" }
  /** Older than the floor: only the archive can tell. */
  | { readonly kind: "unsure" }
  /** Claims a time more than a day ahead (O6). */
  | { readonly kind: "ahead" };

/** Ids of one room in memory beyond which archived ones go early. */
export const DEDUPE_IDS_MAX = 200_000;
/** How many ids one prune looks at, so that a prune is never a pause. */
const PRUNE_STEPS_MAX = 2_048;
/** Entries at the front that a prune may put back because their time has not passed. */
const ROTATIONS_MAX = 16;

export interface IdsToForget {
  /** Their own time is before this. */
  readonly before: Millis;
  /** And not after this: the floor would rise above the time of other senders' new ids. */
  readonly now: Millis;
}

interface Kept extends Numbered {
  readonly time: Millis;
}

export class Dedupe {
  readonly #idsMax: number;
  /** Insertion order is numbering order, which follows the ids' own times closely. */
  readonly #kept = new Map<string, Kept>();
  #floor: Millis;
  readonly #account: RoomMemory["account"] | undefined;

  /** `account`: where the ids are counted. */
  constructor(floor: Millis, idsMax = DEDUPE_IDS_MAX, account?: RoomMemory["account"]) {
    this.#floor = floor;
    this.#idsMax = idsMax;
    this.#account = account;
  }

  get size(): number {
    return this.#kept.size;
  }

  get floor(): Millis {
    return this.#floor;
  }

  judge(sender: UserId, id: MessageId, now: Millis): Verdict {
    const kept = this.#kept.get(key(sender, id));
    if (kept !== undefined) return { kind: "known", seq: kept.seq, at: kept.at };
    const time = messageTime(id);
    if (time > now + ID_AHEAD_MAX_MS) return { kind: "ahead" };
    return { kind: time < this.#floor ? "unsure" : "new" }; // X1
  }

  remember(sender: UserId, id: MessageId, numbered: Numbered): void {
    this.#keep(key(sender, id), { ...numbered, time: messageTime(id) });
  }

  /** Takes over what `other` remembers of numbers above `seq`; `other` is not used afterwards. */
  absorb(other: Dedupe, seq: Seq): void {
    for (const [name, kept] of other.#kept) if (kept.seq > seq) this.#keep(name, kept);
    this.#floor = Math.max(this.#floor, other.#floor);
    other.clear();
  }

  /** Gives the memory back; it is not used afterwards. */
  clear(): void {
    for (const name of this.#kept.keys()) this.#account?.add("ids", -idBytes(name));
    this.#kept.clear();
  }

  /**
   * Forgets ids up to number `seq`, archived or not; the floor rises past them. False when one stays because it
   * is too young.
   */
  forgetUpTo(seq: Seq, { before, now }: IdsToForget): boolean {
    for (const [name, kept] of this.#kept) {
      if (kept.seq > seq) {
        if (now < Infinity) return true;
        continue; // A prune may have put one from the future behind it.
      }
      if (kept.time > now) continue;
      if (kept.time >= before) return false;
      this.#forget(name, kept);
    }
    return true;
  }

  /** Forgets what X3 allows; `archived` is the room's archived head. */
  prune(now: Millis, archived: Seq, windowMs = DEDUPE_WINDOW_MS): void {
    let rotations = 0;
    let steps = 0;
    for (const [name, kept] of this.#kept) {
      if (steps++ >= PRUNE_STEPS_MAX) return;
      if (kept.seq > archived) return; // X2; what follows was numbered later still.
      const isOld = kept.time < now - windowMs;
      if (!isOld && this.#kept.size <= this.#idsMax) {
        // One id from the future must not keep all later ones in memory: it goes to the back.
        if (rotations++ >= ROTATIONS_MAX || kept.time <= now) return;
        this.#kept.delete(name);
        this.#kept.set(name, kept);
        continue;
      }
      this.#forget(name, kept);
    }
  }

  #keep(name: string, kept: Kept): void {
    if (!this.#kept.has(name)) this.#account?.add("ids", idBytes(name));
    this.#kept.set(name, kept);
  }

  #forget(name: string, { time }: Kept): void {
    this.#kept.delete(name);
    this.#account?.add("ids", -idBytes(name));
    this.#floor = Math.max(this.#floor, time + 1); // X1 stays true.
  }
}

/** A key of two bytes a unit at the most, its numbers, and its place in the map. */
function idBytes(name: string): number {
  return 160 + 2 * name.length;
}

/** Ids have a fixed length, so the pair cannot be confused with another one. */
function key(sender: UserId, id: MessageId): string {
  return id + sender;
}
