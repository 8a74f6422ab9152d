// Messages: every message that a run sent, by a number of its own, as columns of small numbers.
//
// Owns: what is known of a message while and after it is in flight. Does not own: any judgement.
// About a hundred and fifty bytes a message, so that a million fit beside everything else.

import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { Column, Names } from "./column.ts";

/** Somebody was shown it. */
const SEEN = 1;
/** It was sent again after somebody had been shown it: its answer must be an old number. */
const RETRIED_SEEN = 2;
/**
 * An error was the answer to one of its sends: on a later connection it may stand anywhere (I7).
 */
const DISORDERLY = 4;

export class Messages {
  readonly #ids = new Names();
  readonly clients = new Names();
  readonly rooms = new Names();
  readonly client = new Column();
  readonly room = new Column();
  /** sumOf its body; 0 when the client did not say. */
  readonly sum = new Column();
  /** The acknowledged number; 0 while there is none. */
  readonly seq = new Column();
  readonly invoked = new Column();
  readonly refused = new Column();
  /** Milliseconds from the run's first record to its first send. */
  readonly at = new Column();
  /** The connection on which it has its place in the order, by its number in the run. */
  readonly conn = new Column();
  readonly #flags = new Column();

  get count(): number {
    return this.#ids.size;
  }

  add(id: MessageId, client: UserId, room: RoomId): number {
    const m = this.#ids.number(id);
    this.client.set(m, this.clients.number(client));
    this.room.set(m, this.rooms.number(room));
    return m;
  }

  /** 0 for one that was never sent. */
  number(id: MessageId): number {
    return this.#ids.known(id);
  }

  id(m: number): string {
    return m === 0 ? "nothing" : this.#ids.name(m);
  }

  isOnlyRefused(m: number): boolean {
    return this.seq.at(m) === 0 && this.refused.at(m) >= this.invoked.at(m);
  }

  show(m: number): void {
    this.#flags.set(m, this.#flags.at(m) | SEEN);
  }

  retry(m: number): void {
    const flags = this.#flags.at(m);
    if ((flags & SEEN) !== 0) this.#flags.set(m, flags | RETRIED_SEEN);
  }

  isRetriedSeen(m: number): boolean {
    return (this.#flags.at(m) & RETRIED_SEEN) !== 0;
  }

  disorder(m: number): void {
    this.#flags.set(m, this.#flags.at(m) | DISORDERLY);
  }

  isDisorderly(m: number): boolean {
    return (this.#flags.at(m) & DISORDERLY) !== 0;
  }
}
