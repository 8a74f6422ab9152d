// Look-ups: writes whose ids, or whose targets, memory may have forgotten, until the archive
// answers, and the later writes of the same sender to the same room. "Send" stands for every write.
//
// Owns: one queue of sends per room and sender, and the look-ups for them. Does not own: the
// decision about a send (writes.ts, room.ts), the request to the archive
// (runtime/partition-runner.ts).
//
//   look-ups.1. A queue holds the sends of one sender to one room in order of arrival and returns
//       them in that order (O4). It exists only while a look-up for one of its sends is open, so no
//       other sender and no other room waits (P21).
//   look-ups.2. There is one look-up per room, sender, id and target. Copies of a send share its
//       answer.
//   look-ups.3. An answer counts only if its watermark is at least the watermark at the time of the
//       request (P25).
//   look-ups.4. An id that was not archived when its look-up was requested stays in the room's
//       memory until every send that waits for the answer is decided, because the answer may lack
//       it (Room.pins).
//   look-ups.5. At most LOOK_UPS_MAX look-ups are requested at a time, and LOOK_UPS_PER_SENDER_MAX
//       for one sender. The senders of the others take turns. A send beyond WAITING_SENDS_MAX, or
//       beyond WAITING_SENDS_PER_SENDER_MAX of its sender, gets `busy`. If earlier sends of its
//       queue wait, it waits behind them without its body and gets `busy` after them. The refusals
//       keep the order, because holds.ts accepts the send first that was refused first. A write
//       over HTTP has no order and gets `busy` at once.

import { behaviourOf } from "#shared/protocol/commands.ts";
import type { Write } from "#shared/protocol/commands.ts";
import type { ArchivedTarget } from "#shared/protocol/history.ts";
import type { LogSeq, MessageId, Millis, ProcessId, RoomId, Seq } from "#shared/protocol/ids.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import type { Found } from "#shared/ports/archive.ts";
import type { Effect, Input } from "./partition-io.ts";
import type { Arrival, Room } from "./room.ts";

/** Requested look-ups of one partition at a time. */
export const LOOK_UPS_MAX = 32;
/** Of these, for one sender. */
export const LOOK_UPS_PER_SENDER_MAX = 8;
/** Waiting sends of one partition. The lane of a gateway bounds their bytes. */
export const WAITING_SENDS_MAX = 4_096;
/** Of these, from one sender: the unanswered sends of four SDK connections. */
export const WAITING_SENDS_PER_SENDER_MAX = 256;

type Sent = Arrival<Write>;
type LookedUp = Extract<Input, { kind: "looked-up" }>;

interface LookUp {
  readonly room: Room;
  readonly from: UserId;
  readonly id: MessageId;
  readonly target: Seq | undefined;
  /** The last archived sequence number of the room before the request (look-ups.4). */
  readonly archived: Seq;
  /** The number of sends that wait for the answer. */
  waiters: number;
  /** The watermark at the time of the request. Undefined while the look-up waits for its turn. */
  watermark: LogSeq | undefined;
  answer: Answer | undefined;
}

/** `unavailable`: no answer, or one that does not count. */
export type Answer =
  | { readonly kind: "known"; readonly found?: Found; readonly target?: ArchivedTarget }
  | { readonly kind: "unavailable" };

interface Waiting {
  readonly arrival: Sent;
  /** Undefined when the send only waits for the sends before it. */
  readonly lookUp: LookUp | undefined;
}

interface SendQueue {
  readonly room: Room;
  readonly from: UserId;
  readonly waiting: Waiting[];
}

export interface Ready {
  readonly arrival: Sent;
  readonly answer: Answer | undefined;
}

export class LookUps {
  readonly #queues = new Map<string, SendQueue>();
  /** Look-ups that wait for a turn or an answer, or have an answer that a send waits for. */
  readonly #open = new Map<string, LookUp>();
  /** Look-ups that wait for a turn, by sender. The first sender has the next turn. */
  readonly #turns = new Map<UserId, LookUp[]>();
  /** The same, for senders that have reached LOOK_UPS_PER_SENDER_MAX. */
  readonly #atBound = new Map<UserId, LookUp[]>();
  /** The number of requested look-ups and of waiting sends, by sender. */
  readonly #requestedOf = new Map<UserId, number>();
  readonly #waitingOf = new Map<UserId, number>();
  #requested = 0;
  #waiting = 0;

  /** Whether a send of this sender to this room has to wait (look-ups.1). */
  isWaiting(room: RoomId, from: UserId): boolean {
    return this.#queues.size > 0 && this.#queues.has(queueKey(room, from));
  }

  /** Returns false when a bound is reached (look-ups.5). */
  wait(room: Room, arrival: Sent, needsLookUp: boolean): boolean {
    const { from } = arrival.command;
    const ofSender = this.#waitingOf.get(from) ?? 0;
    if (this.#waiting >= WAITING_SENDS_MAX || ofSender >= WAITING_SENDS_PER_SENDER_MAX) {
      return false;
    }
    this.#queueOf(room, from).waiting.push(this.#enter(room, arrival, needsLookUp));
    return true;
  }

  /**
   * Queues a send that is refused after the sends before it. The unanswered commands of the lanes
   * bound these.
   */
  waitRefused(room: Room, arrival: Sent): void {
    const entry = this.#enter(room, arrival, false);
    this.#queueOf(room, arrival.command.from).waiting.push(entry);
  }

  /**
   * Puts a send back to the front of its queue: the floor rose in the meantime, and it needs a
   * look-up.
   */
  waitFirst(room: Room, arrival: Sent): void {
    const entry = this.#enter(room, arrival, true);
    this.#queueOf(room, arrival.command.from).waiting.unshift(entry);
  }

  /** The look-ups to request now. */
  request(watermark: LogSeq): Effect[] {
    const effects: Effect[] = [];
    for (const [sender, turns] of this.#turns) {
      if (this.#requested >= LOOK_UPS_MAX) break;
      this.#turns.delete(sender);
      const lookUp = turns.shift();
      if (lookUp === undefined) continue;
      const requested = (this.#requestedOf.get(sender) ?? 0) + 1;
      const isAtBound = requested >= LOOK_UPS_PER_SENDER_MAX;
      // After the other senders.
      if (turns.length > 0) (isAtBound ? this.#atBound : this.#turns).set(sender, turns);
      lookUp.watermark = watermark;
      this.#requested++;
      this.#requestedOf.set(sender, requested);
      const { room, from, id, target } = lookUp;
      const named = target !== undefined && { target };
      effects.push({ kind: "look-up", room: room.id, from, id, ...named });
    }
    return effects;
  }

  /** Records an answer. Afterwards the queue of this room and sender may have sends to return. */
  answer({ room, from, id, target, outcome }: LookedUp): void {
    const lookUp = this.#open.get(lookUpKey(room, from, id, target));
    if (lookUp?.watermark === undefined || lookUp.answer !== undefined) return;
    // look-ups.3
    const isGood = outcome.kind === "ok" && outcome.value.watermark >= lookUp.watermark;
    lookUp.answer = isGood ? { kind: "known", ...outcome.value } : { kind: "unavailable" };
    this.#requested--;
    count(this.#requestedOf, from, -1);
    const turns = this.#atBound.get(from);
    if (turns !== undefined) this.#turns.set(from, turns);
    this.#atBound.delete(from);
    this.#release(lookUp);
  }

  /**
   * The next send of a queue, unless it waits for a look-up (look-ups.1). A send that `isHeld` does
   * not wait, because it is refused whatever the answer is.
   */
  take(room: RoomId, from: UserId, isHeld: (arrival: Sent) => boolean): Ready | undefined {
    const queue = this.#queues.get(queueKey(room, from));
    const first = queue?.waiting[0];
    if (queue === undefined || first === undefined) return undefined;
    const isOpen = first.lookUp !== undefined && first.lookUp.answer === undefined;
    if (isOpen && !isHeld(first.arrival)) return undefined;
    queue.waiting.shift();
    this.#leave(first);
    if (queue.waiting.length === 0) this.#queues.delete(queueKey(room, from));
    return { arrival: first.arrival, answer: first.lookUp?.answer };
  }

  /**
   * Removes the sends that arrived before `limit`. The changed `queues` may have sends to return.
   */
  expire(limit: Millis): { readonly expired: Sent[]; readonly queues: readonly SendQueue[] } {
    const expired: Sent[] = [];
    const queues = this.#remove((queue) => {
      const { waiting } = queue;
      const kept = waiting.findIndex(({ arrival }) => arrival.arrivedAt >= limit);
      const gone = waiting.splice(0, kept < 0 ? waiting.length : kept);
      expired.push(...gone.map(({ arrival }) => arrival));
      return gone;
    });
    return { expired, queues };
  }

  /** Removes the sends of `gateway`. The returned queues may have sends to return. */
  dropOf(gateway: ProcessId): readonly SendQueue[] {
    return this.#remove(({ waiting }) => {
      const gone = waiting.filter(({ arrival }) => arrival.gateway === gateway);
      const kept = waiting.filter(({ arrival }) => arrival.gateway !== gateway);
      waiting.splice(0, waiting.length, ...kept);
      return gone;
    });
  }

  #remove(from: (queue: SendQueue) => readonly Waiting[]): SendQueue[] {
    const changed: SendQueue[] = [];
    for (const [key, queue] of this.#queues) {
      const gone = from(queue);
      for (const entry of gone) this.#leave(entry);
      if (queue.waiting.length === 0) this.#queues.delete(key);
      else if (gone.length > 0) changed.push(queue);
    }
    return changed;
  }

  #queueOf(room: Room, from: UserId): SendQueue {
    const key = queueKey(room.id, from);
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = { room, from, waiting: [] };
      this.#queues.set(key, queue);
    }
    return queue;
  }

  #enter(room: Room, arrival: Sent, needsLookUp: boolean): Waiting {
    this.#waiting++;
    count(this.#waitingOf, arrival.command.from, 1);
    return { arrival, lookUp: needsLookUp ? this.#share(room, arrival.command) : undefined };
  }

  #leave({ arrival, lookUp }: Waiting): void {
    this.#waiting--;
    count(this.#waitingOf, arrival.command.from, -1);
    if (lookUp === undefined) return;
    lookUp.waiters--;
    this.#release(lookUp);
  }

  /** look-ups.2. */
  #share(room: Room, write: Write): LookUp {
    const { from, id } = write;
    const target = behaviourOf(write).target(write);
    const key = lookUpKey(room.id, from, id, target);
    let lookUp = this.#open.get(key);
    if (lookUp === undefined) {
      const { archived } = room;
      const asked = { room, from, id, target, archived };
      lookUp = { ...asked, waiters: 0, watermark: undefined, answer: undefined };
      this.#open.set(key, lookUp);
      room.pins.add(lookUp); // look-ups.4
      const isAtBound = (this.#requestedOf.get(from) ?? 0) >= LOOK_UPS_PER_SENDER_MAX;
      const queue = isAtBound ? this.#atBound : this.#turns;
      const turns = queue.get(from);
      if (turns === undefined) queue.set(from, [lookUp]);
      else turns.push(lookUp);
    }
    lookUp.waiters++;
    return lookUp;
  }

  /**
   * Forgets a look-up that no send waits for, unless it was requested: a copy of the send may share
   * the answer.
   */
  #release(lookUp: LookUp): void {
    const { room, from, id, target, waiters, watermark, answer } = lookUp;
    if (waiters > 0 || (watermark !== undefined && answer === undefined)) return;
    this.#open.delete(lookUpKey(room.id, from, id, target));
    room.pins.delete(lookUp);
    for (const queue of [this.#turns, this.#atBound]) {
      const turns = queue.get(from) ?? [];
      const at = turns.indexOf(lookUp);
      if (at >= 0) turns.splice(at, 1);
      if (turns.length === 0) queue.delete(from);
    }
  }
}

function count(counts: Map<UserId, number>, of: UserId, by: number): void {
  const sum = (counts.get(of) ?? 0) + by;
  if (sum === 0) counts.delete(of);
  else counts.set(of, sum);
}

/** A room id contains no space, so two pairs never have the same key. */
function queueKey(room: RoomId, from: UserId): string {
  return `${room} ${from}`;
}

/** Ids have a fixed length, and a number has no space, so two look-ups never have the same key. */
function lookUpKey(room: RoomId, from: UserId, id: MessageId, target: Seq = 0): string {
  return `${id}${target} ${queueKey(room, from)}`;
}
