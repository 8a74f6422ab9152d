// Look-ups: sends with an id that memory may have forgotten, until the archive has answered, and what
// their senders sent to the same rooms meanwhile.
//
// Owns: one line of sends per room and sender, and the questions that are asked for them.
// Does not own: what is decided about a send (sends.ts, room.ts), who performs a question (driver.ts).
//
//   look-ups.1. A line holds the sends of one sender to one room in the order in which they came, and gives
//        them out in that order (O4). It exists only while the archive is asked for one of them, so no
//        other sender and no other room waits (P21).
//   look-ups.2. One question per room, sender and id: copies of a send share its answer.
//   look-ups.3. An answer counts only if its watermark is at least the mark at which it was asked (P25).
//   look-ups.4. An id that was not archived when a question was asked stays in the room's memory until every send
//        that waits for the answer is decided: the answer need not know it (Room.pins).
//   look-ups.5. At most LOOK_UPS_MAX questions are under way, and LOOK_UPS_PER_SENDER_MAX of one sender; the
//        others wait in turns by sender. A send beyond WAITING_SENDS_MAX, or beyond
//        WAITING_SENDS_PER_SENDER_MAX of its sender, gets `busy`: in its turn, without its body, if others
//        of its line wait before it, for who is refused first passes first (holds.ts).

import type { SendCommand } from "#shared/protocol/commands.ts";
import type { LogSeq, MessageId, Millis, ProcessId, RoomId, Seq } from "#shared/protocol/ids.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import type { Found } from "#shared/ports/archive.ts";
import type { Effect, Input } from "./effects.ts";
import type { Arrival, Room } from "./room.ts";

/** Questions of one partition under way at a time. */
export const LOOK_UPS_MAX = 32;
/** Of these, for one sender. */
export const LOOK_UPS_PER_SENDER_MAX = 8;
/** Sends of one partition that wait. A gateway's lane bounds their bytes. */
export const WAITING_SENDS_MAX = 4_096;
/** Of these, from one sender: what four connections of an SDK have unanswered. */
export const WAITING_SENDS_PER_SENDER_MAX = 256;

type Sent = Arrival<SendCommand>;
type LookedUp = Extract<Input, { kind: "looked-up" }>;

interface LookUp {
  readonly room: Room;
  readonly from: UserId;
  readonly id: MessageId;
  /** The room's archived head before it was asked (look-ups.4). */
  readonly archived: Seq;
  /** Sends that wait for the answer. */
  waiters: number;
  /** The mark when it was asked; undefined: it waits for its turn. */
  watermark: LogSeq | undefined;
  answer: Answer | undefined;
}

/** `unavailable`: no answer, or one that does not count. */
export type Answer =
  | { readonly kind: "known"; readonly found?: Found }
  | { readonly kind: "unavailable" };

interface Waiting {
  readonly arrival: Sent;
  /** Undefined: it waits for those before it alone. */
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
  /** Under way, or answered and still waited for. */
  readonly #asked = new Map<string, LookUp>();
  /** Questions that wait for their turn, by sender; the first sender is next. */
  readonly #turns = new Map<UserId, LookUp[]>();
  /** The same of senders that have as many under way as they may. */
  readonly #atBound = new Map<UserId, LookUp[]>();
  /** Questions under way, and sends that wait, of each sender. */
  readonly #underWayOf = new Map<UserId, number>();
  readonly #waitingOf = new Map<UserId, number>();
  #underWay = 0;
  #waiting = 0;

  /** Whether a send of this sender to this room has to wait, too (look-ups.1). */
  isWaiting(room: RoomId, from: UserId): boolean {
    return this.#queues.size > 0 && this.#queues.has(queueKey(room, from));
  }

  /** False when there is no place for it (look-ups.5). */
  wait(room: Room, arrival: Sent, needsLookUp: boolean): boolean {
    const { from } = arrival.command;
    const ofSender = this.#waitingOf.get(from) ?? 0;
    if (this.#waiting >= WAITING_SENDS_MAX || ofSender >= WAITING_SENDS_PER_SENDER_MAX) {
      return false;
    }
    this.#queueOf(room, from).waiting.push(this.#enter(room, arrival, needsLookUp));
    return true;
  }

  /** It is to be refused behind the others of its queue. Bounded by what lanes have unanswered. */
  waitRefused(room: Room, arrival: Sent): void {
    const entry = this.#enter(room, arrival, false);
    this.#queueOf(room, arrival.command.from).waiting.push(entry);
  }

  /** It was the first of its queue, and needs an answer after all: the floor rose meanwhile. */
  waitFirst(room: Room, arrival: Sent): void {
    const entry = this.#enter(room, arrival, true);
    this.#queueOf(room, arrival.command.from).waiting.unshift(entry);
  }

  /** The questions that may be asked now. */
  ask(watermark: LogSeq): Effect[] {
    const effects: Effect[] = [];
    for (const [sender, turns] of this.#turns) {
      if (this.#underWay >= LOOK_UPS_MAX) break;
      this.#turns.delete(sender);
      const lookUp = turns.shift();
      if (lookUp === undefined) continue;
      const underWay = (this.#underWayOf.get(sender) ?? 0) + 1;
      const isAtBound = underWay >= LOOK_UPS_PER_SENDER_MAX;
      // Behind the other senders.
      if (turns.length > 0) (isAtBound ? this.#atBound : this.#turns).set(sender, turns);
      lookUp.watermark = watermark;
      this.#underWay++;
      this.#underWayOf.set(sender, underWay);
      const { room, from, id } = lookUp;
      effects.push({ kind: "look-up", room: room.id, from, id });
    }
    return effects;
  }

  /** Afterwards the line of this room and sender may have something to give out. */
  answer({ room, from, id, outcome }: LookedUp): void {
    const lookUp = this.#asked.get(lookUpKey(room, from, id));
    if (lookUp?.watermark === undefined || lookUp.answer !== undefined) return;
    const isGood = outcome.kind === "ok" && outcome.value.watermark >= lookUp.watermark; // look-ups.3
    lookUp.answer = isGood ? { kind: "known", ...outcome.value } : { kind: "unavailable" };
    this.#underWay--;
    count(this.#underWayOf, from, -1);
    const turns = this.#atBound.get(from);
    if (turns !== undefined) this.#turns.set(from, turns);
    this.#atBound.delete(from);
    this.#release(lookUp);
  }

  /**
   * The next send of a queue, if nothing holds it up (look-ups.1). One that `isHeld` does not wait for an answer, for
   * it is refused whatever that says.
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

  /** Removes what came before `limit`; `lines` may have something to give out then. */
  expire(limit: Millis): { readonly expired: Sent[]; readonly queues: readonly SendQueue[] } {
    const expired: Sent[] = [];
    const queues = this.#remove((queue) => {
      const { waiting } = queue;
      const kept = waiting.findIndex(({ arrival }) => arrival.cameAt >= limit);
      const gone = waiting.splice(0, kept < 0 ? waiting.length : kept);
      expired.push(...gone.map(({ arrival }) => arrival));
      return gone;
    });
    return { expired, queues };
  }

  /** Removes what this gateway had waiting; the lines may have something to give out then. */
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
  #share(room: Room, { from, id }: SendCommand): LookUp {
    const key = lookUpKey(room.id, from, id);
    let lookUp = this.#asked.get(key);
    if (lookUp === undefined) {
      const { archived } = room;
      lookUp = { room, from, id, archived, waiters: 0, watermark: undefined, answer: undefined };
      this.#asked.set(key, lookUp);
      room.pins.add(lookUp); // look-ups.4
      const isAtBound = (this.#underWayOf.get(from) ?? 0) >= LOOK_UPS_PER_SENDER_MAX;
      const queue = isAtBound ? this.#atBound : this.#turns;
      const turns = queue.get(from);
      if (turns === undefined) queue.set(from, [lookUp]);
      else turns.push(lookUp);
    }
    lookUp.waiters++;
    return lookUp;
  }

  /** Forgets a question without a waiter, unless it is under way: a copy of the send may share it. */
  #release(lookUp: LookUp): void {
    const { room, from, id, waiters, watermark, answer } = lookUp;
    if (waiters > 0 || (watermark !== undefined && answer === undefined)) return;
    this.#asked.delete(lookUpKey(room.id, from, id));
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

/** A room id has no space, so the pair cannot be confused with another one. */
function queueKey(room: RoomId, from: UserId): string {
  return `${room} ${from}`;
}

/** Ids have a fixed length. */
function lookUpKey(room: RoomId, from: UserId, id: MessageId): string {
  return id + queueKey(room, from);
}
