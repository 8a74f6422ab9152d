// Outbox: what one talker has said and not yet heard acknowledged, in the order in which it said it.
//
//   wire-client/outbox.1. An id stays until it is acknowledged; what is not in flight is due again.
//   wire-client/outbox.2. At most IN_FLIGHT_MAX are in flight, and at most OUTBOX_MAX are held: beyond it a new message
//        is not made, and counted.
//   wire-client/outbox.3. One id in OLD_EVERY is an hour old, as from a phone that was off: memory may have forgotten it, so
//        the archive is asked (P13).
//   wire-client/outbox.4. Behind a refused message that has to wait, those of its room wait as well: the server would refuse
//        them until it is back (O4).

import { systemRandom } from "#shared/adapters/clock-system.ts";
import { uuidv7 } from "#shared/kit/uuid.ts";
import type { MessageId, RoomId } from "#shared/protocol/ids.ts";

/** The protocol allows 64; a margin for answers that are on their way. */
const IN_FLIGHT_MAX = 60;
const OUTBOX_MAX = 400;
const OLD_EVERY = 50;
const OLD_MS = 3_600_000;
/** Acknowledged long ago, kept to be asked again (I6). */
const OLD_MAX = 200;

export interface Post {
  readonly id: MessageId;
  readonly room: RoomId;
  readonly body: object;
  readonly isSummed: boolean;
  isInFlight: boolean;
  /** Not again before; after a refusal. */
  notBefore: number;
}

export class Outbox {
  readonly #posts = new Map<MessageId, Post>();
  readonly #old: Post[] = [];
  #inFlight = 0;
  #said = 0;
  skipped = 0;

  get size(): number {
    return this.#posts.size;
  }

  get(id: MessageId): Post | undefined {
    return this.#posts.get(id);
  }

  holds(room: RoomId): boolean {
    for (const post of this.#posts.values()) if (post.room === room) return true;
    return false;
  }

  say(room: RoomId, body: object, isSummed: boolean): void {
    if (this.#posts.size >= OUTBOX_MAX) {
      this.skipped++; // wire-client/outbox.2
      return;
    }
    const isOld = ++this.#said % OLD_EVERY === 0; // wire-client/outbox.3
    const id = uuidv7(Date.now() - (isOld ? OLD_MS : 0), systemRandom);
    this.#posts.set(id, { id, room, body, isSummed, isInFlight: false, notBefore: 0 });
  }

  /** Puts in again what was acknowledged. */
  repeat(): void {
    const old = this.#old.shift();
    if (old === undefined || this.#posts.has(old.id)) return;
    this.#posts.set(old.id, { ...old, isInFlight: false, notBefore: 0 });
  }

  /** Those to send now, oldest first; each counts as in flight from then on. */
  *due(now: number, isIn: (room: RoomId) => boolean): Generator<Post> {
    const waiting = new Set<RoomId>();
    for (const post of this.#posts.values()) {
      if (this.#inFlight >= IN_FLIGHT_MAX) return;
      if (post.isInFlight) continue;
      if (post.notBefore > now) waiting.add(post.room); // wire-client/outbox.4
      if (waiting.has(post.room) || !isIn(post.room)) continue;
      post.isInFlight = true;
      this.#inFlight++;
      yield post;
    }
  }

  acknowledged(post: Post): void {
    this.#land(post);
    this.#posts.delete(post.id);
    if (post.isSummed && this.#old.push(post) > OLD_MAX) this.#old.shift();
  }

  refused(post: Post, notBefore: number): void {
    this.#land(post);
    post.notBefore = notBefore;
  }

  /** The connection is gone: gives back what was in flight, now due again. */
  lost(): Post[] {
    const lost = [...this.#posts.values()].filter((post) => post.isInFlight);
    for (const post of lost) this.#land(post);
    return lost;
  }

  #land(post: Post): void {
    if (post.isInFlight) this.#inFlight--;
    post.isInFlight = false;
  }
}
