// Outbox: the sends without an outcome, in the order of submission.
//
// Owns: which sends are written, which wait for an answer, when a refused send is retried, when a
// send is given up. Does not own: the socket, whether a room is joined, promises.
//
//   sdk/outbox.1. A send ends exactly once: acked or refused. It survives any number of connections
//       (K2).
//   sdk/outbox.2. The sends of a room are written in the order of submission, always with the first
//       id and the first text. After a temporary refusal no send of that room is written until the
//       wait is over and every written send of the room has its answer. The server refuses those
//       sends, too, and an earlier write would overtake them.
//   sdk/outbox.3. It holds at most OUTBOX_MAX sends; at most WIRE_SENDS_MAX of them are written and
//       unanswered.
//   sdk/outbox.4. Leaving a room refuses the sends that were not written. A written send can still
//       be answered on this connection, and is not resent on another.
//   sdk/outbox.5. The wait of a room grows with each refusal and is short again after each ack. In
//       slow mode the server takes one send after the other, and refuses the next one before it
//       acks that one.

import { fullJitter } from "#shared/kit/backoff.ts";
import type { Random } from "#shared/ports/clock.ts";
import type { Millis, RoomId, Seq } from "#shared/protocol/ids.ts";
import { AFTER_MS_MAX, OUTBOX_MAX, RETRY, SEND_DEADLINE_MS } from "./bounds.ts";
import { earliest } from "./earliest.ts";
import type { SendResult } from "./effects.ts";
import { CLOSED, FULL, NO_ANSWER } from "./refusals.ts";
import type { Cause } from "./refusals.ts";

export interface Settled {
  readonly id: string;
  readonly result: SendResult;
}

export interface Refusal extends Cause {
  readonly retry: boolean;
  readonly afterMs?: number | undefined;
}

interface Item {
  readonly id: string;
  readonly room: RoomId;
  readonly text: string;
  /** It is written only while its room is joined. */
  readonly needsRoom: boolean;
  readonly until: Millis;
  /** When it was written to the present connection; undefined while it waits here. */
  writtenAt: Millis | undefined;
  isAbandoned: boolean;
}

/** A room whose sends wait after a temporary refusal. */
interface Hold {
  /** The hold ends when this send has its outcome. */
  readonly id: string;
  attempt: number;
  until: Millis;
  /** `until` of a first attempt. */
  soonest: Millis;
  /** The refused sends were written again. */
  isRetried: boolean;
}

export class Outbox {
  readonly #random: Random;
  readonly #deadlineMs: number;
  /** In the order of submission, which is the order of writing (sdk/outbox.2). */
  readonly #items: Map<string, Item> = new Map();
  readonly #holds: Map<RoomId, Hold> = new Map();

  constructor(random: Random, deadlineMs = SEND_DEADLINE_MS) {
    this.#random = random;
    this.#deadlineMs = deadlineMs;
  }

  get size(): number {
    return this.#items.size;
  }

  /** When the oldest unanswered send was written; undefined when there is none. */
  get unansweredSince(): Millis | undefined {
    return earliest(Array.from(this.#items.values(), ({ writtenAt }) => writtenAt));
  }

  /** The next deadline or end of a hold. A hold that ended before `now` needs no wake-up. */
  wakeAt(now: Millis): Millis | undefined {
    // All deadlines have the same length, so the first item has the earliest.
    const [first] = this.#items.values();
    const holds = Array.from(this.#holds.values(), ({ until }) => until);
    return earliest([first?.until, ...holds.filter((until) => until > now)]);
  }

  has(id: string): boolean {
    return this.#items.has(id);
  }

  add(
    send: { id: string; room: RoomId; text: string; needsRoom?: boolean },
    now: Millis,
  ): readonly Settled[] {
    if (this.#items.size >= OUTBOX_MAX) {
      return [refused(send.id, FULL)]; // sdk/outbox.3
    }
    const until = now + this.#deadlineMs;
    this.#items.set(send.id, {
      needsRoom: true,
      ...send,
      until,
      writtenAt: undefined,
      isAbandoned: false,
    });
    return [];
  }

  /** The texts to write now, in order. `window`: the maximum of unanswered sends (sdk/outbox.3). */
  take(now: Millis, window: number, isJoined: (room: RoomId) => boolean): readonly string[] {
    let onWire = 0;
    const unanswered = new Set<RoomId>();
    for (const item of this.#items.values()) {
      if (item.writtenAt === undefined) continue;
      onWire++;
      unanswered.add(item.room);
    }
    const texts: string[] = [];
    for (const item of this.#items.values()) {
      if (onWire >= window) break;
      if (item.writtenAt !== undefined || (item.needsRoom && !isJoined(item.room))) {
        continue;
      }
      const hold = this.#holds.get(item.room);
      // sdk/outbox.2
      if (hold !== undefined && (hold.until > now || unanswered.has(item.room))) continue;
      if (hold !== undefined) hold.isRetried = true;
      item.writtenAt = now;
      onWire++;
      texts.push(item.text);
    }
    return texts;
  }

  onAck(id: string, seq: Seq, at: Millis): readonly Settled[] {
    const item = this.#items.get(id);
    if (item === undefined) return []; // A repeated ack: the send has its outcome (sdk/outbox.1).
    this.#remove(item);
    const hold = this.#holds.get(item.room);
    if (hold !== undefined) {
      hold.attempt = 0; // sdk/outbox.5
      hold.until = Math.min(hold.until, hold.soonest);
    }
    return [{ id, result: { kind: "acked", seq, at } }];
  }

  onRefused(id: string, refusal: Refusal, now: Millis): readonly Settled[] {
    const item = this.#items.get(id);
    if (item === undefined) return [];
    if (!refusal.retry || item.isAbandoned) {
      this.#remove(item);
      return [refused(id, refusal)];
    }
    item.writtenAt = undefined;
    this.#hold(item, refusal.afterMs ?? 0, now);
    return [];
  }

  /** No written send gets an answer now. The next connection writes them again, in order. */
  onDisconnected(): readonly Settled[] {
    const settled: Settled[] = [];
    for (const item of this.#items.values()) {
      if (item.isAbandoned) settled.push(this.#giveUp(item, NO_ANSWER)); // sdk/outbox.4
      item.writtenAt = undefined;
    }
    return settled;
  }

  onLeft(room: RoomId, cause: Cause): readonly Settled[] {
    const settled: Settled[] = [];
    this.#holds.delete(room);
    for (const item of this.#items.values()) {
      if (item.room !== room) continue;
      if (item.writtenAt === undefined) settled.push(this.#giveUp(item, cause)); // sdk/outbox.4
      item.isAbandoned = true;
    }
    return settled;
  }

  onClosed(): readonly Settled[] {
    const ids = [...this.#items.keys()];
    this.#items.clear();
    this.#holds.clear();
    return ids.map((id) => refused(id, CLOSED));
  }

  tick(now: Millis): readonly Settled[] {
    const settled: Settled[] = [];
    for (const item of this.#items.values()) {
      if (item.until > now) break;
      settled.push(this.#giveUp(item, NO_ANSWER));
    }
    return settled;
  }

  #giveUp(item: Item, cause: Cause): Settled {
    this.#remove(item);
    return refused(item.id, cause);
  }

  #remove({ id, room }: Item): void {
    this.#items.delete(id);
    if (this.#holds.get(room)?.id === id) this.#holds.delete(room);
  }

  #hold({ id, room }: Item, afterMs: number, now: Millis): void {
    const hold = this.#holds.get(room);
    const least = now + Math.min(afterMs, AFTER_MS_MAX);
    if (hold !== undefined && !hold.isRetried) {
      hold.until = Math.max(hold.until, least); // Several refusals in a row are one hold.
      hold.soonest = Math.max(hold.soonest, least);
      return;
    }
    const attempt = hold === undefined ? 0 : hold.attempt + 1;
    const jitter = fullJitter(attempt, RETRY, this.#random);
    const until = Math.max(least, now + jitter);
    const soonest = Math.max(least, now + jitter / 2 ** attempt);
    this.#holds.set(room, { id, attempt, until, soonest, isRetried: false });
  }
}

function refused(id: string, { name: error, message }: Cause): Settled {
  return { id, result: { kind: "refused", error, message } };
}
