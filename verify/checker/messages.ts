// Messages: every message that the clients of a run sent, under a number of its own, as columns of
// integers.
//
// Owns: the facts about each message. Does not own: the judgement. A message needs about a hundred
// and fifty bytes, so a million of them fit into memory.

import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { Column, Names } from "./column.ts";
import { idOfWrite } from "./write-ids.ts";

/** An observer received it. */
const SEEN = 1;
/** A client sent it again after an observer had received it: the answer must be the old number. */
const RETRIED_SEEN = 2;
/** It may have any place in the order (I7): on a later connection, or from its first send on. */
const DISORDERLY = 4;

export class Messages {
  readonly #ids = new Names();
  readonly clients = new Names();
  readonly rooms = new Names();
  readonly client = new Column();
  readonly room = new Column();
  /** `sumOf` its body; 0 when the client recorded none. */
  readonly sum = new Column();
  /** The acknowledged sequence number; 0 before the acknowledgement. */
  readonly seq = new Column();
  readonly invoked = new Column();
  readonly refused = new Column();
  /** Milliseconds from the run's first record to its first send. */
  readonly at = new Column();
  /** Milliseconds from the run's first record to its first acknowledgement; 0 before it. */
  readonly ackedAt = new Column();
  /** The number of the connection on which it has its place in the order. */
  readonly conn = new Column();
  readonly #flags = new Column();
  readonly #more = new Map<number, readonly number[]>();
  /** The write whose further event this one is; 0 for a message that was sent itself. */
  readonly #write = new Column();

  get count(): number {
    return this.#ids.size;
  }

  add(id: MessageId, client: UserId, room: RoomId): number {
    const m = this.#ids.number(id);
    this.client.set(m, this.clients.number(client));
    this.room.set(m, this.rooms.number(room));
    return m;
  }

  /** The further events of the write `m`, numbered like messages. */
  addMore(m: number, count: number): void {
    const id = this.#ids.name(m);
    const more = Array.from({ length: count }, (_, i) => {
      const own = this.#ids.number(idOfWrite(id as MessageId, i + 1));
      this.client.set(own, this.client.at(m));
      this.room.set(own, this.room.at(m));
      this.#write.set(own, m);
      return own;
    });
    this.#more.set(m, more);
  }

  more(m: number): readonly number[] {
    return this.#more.get(m) ?? [];
  }

  /** 0 for a message that no client sent. */
  number(id: MessageId): number {
    return this.#ids.known(id);
  }

  id(m: number): string {
    return m === 0 ? "nothing" : this.#ids.name(m);
  }

  isOnlyRefused(m: number): boolean {
    const sent = this.#write.at(m) === 0 ? m : this.#write.at(m);
    return this.seq.at(sent) === 0 && this.refused.at(sent) >= this.invoked.at(sent);
  }

  markSeen(m: number): void {
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
