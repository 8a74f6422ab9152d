// Outbox: what one talker has said and not yet heard acknowledged, in the order in which it said it.
//
//   OB1. An id stays until it is acknowledged; what is not in flight is due again.
//   OB2. At most IN_FLIGHT_MAX are in flight, and at most OUTBOX_MAX are held: beyond it a new message
//        is not made, and counted.

import { systemRandom } from "#shared/adapters/clock-system.ts";
import { uuidv7 } from "#shared/kit/uuid.ts";
import type { MessageId, RoomId } from "#shared/protocol/ids.ts";

/** The protocol allows 64; a margin for answers that are on their way. */
const IN_FLIGHT_MAX = 60;
const OUTBOX_MAX = 400;
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
      this.skipped++; // OB2
      return;
    }
    const id = uuidv7(Date.now(), systemRandom);
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
    for (const post of this.#posts.values()) {
      if (this.#inFlight >= IN_FLIGHT_MAX) return;
      if (post.isInFlight || post.notBefore > now || !isIn(post.room)) continue;
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
