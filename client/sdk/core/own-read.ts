// OwnRead: how far the user of this client has read a room, and when to say so.
//
//   own-read.1. A position only grows. It is said at most once in READ_REPEAT_MS, the newest one
//        last.
//   own-read.2. It is said again on every new connection: the gateway may have lost it (U1).

import type { Millis, Seq } from "#shared/protocol/ids.ts";
import { READ_REPEAT_MS } from "./bounds.ts";

export class OwnRead {
  #seq: Seq = 0;
  #saidSeq: Seq = 0;
  #saidAt: Millis | undefined;

  read(seq: Seq): void {
    this.#seq = Math.max(this.#seq, seq);
  }

  /** own-read.2. */
  onDisconnected(): void {
    this.#saidSeq = 0;
    this.#saidAt = undefined;
  }

  /** When a position is due; undefined: everything was said. */
  get dueAt(): Millis | undefined {
    if (this.#seq <= this.#saidSeq) return undefined;
    return this.#saidAt === undefined ? 0 : this.#saidAt + READ_REPEAT_MS;
  }

  /** The position to say now. */
  take(now: Millis): Seq | undefined {
    const { dueAt } = this;
    if (dueAt === undefined || dueAt > now) return undefined;
    this.#saidAt = now;
    this.#saidSeq = this.#seq;
    return this.#seq;
  }
}
