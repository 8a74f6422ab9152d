// UnreadCount: the unread messages and mentions of one room for one user.
//
// Two sources: the room list, as of an event of the room, and the events behind it.
//
//   unread-count.1. It counts messages of others behind the read position, replies in threads too,
//        as the server does; no change of a message.
//   unread-count.2. The read position only grows. Where it is ahead of the one in a list, the list
//        is older than the user's reading, and only events count.
//   unread-count.3. At most UNREAD_MAX messages are counted, as in the list.

import type { RoomEvent } from "#shared/protocol/events.ts";
import { UNREAD_MAX } from "#shared/protocol/limits.ts";

/** The part of a listed room that counts. */
export interface ListedCount {
  readonly head: number;
  readonly read: number;
  readonly unread: number;
  readonly mentions: number;
}

interface Unread {
  readonly seq: number;
  readonly isMention: boolean;
}

export class UnreadCount {
  readonly #me: string;
  #read: number | undefined;
  #listed = { head: 0, unread: 0, mentions: 0 };
  /** Behind the head of the list. */
  #recent: readonly Unread[] = [];

  /** `read` is undefined when the user has never read the room: then nothing counts yet. */
  constructor(me: string, read: number | undefined) {
    this.#me = me;
    this.#read = read;
  }

  get read(): number | undefined {
    return this.#read;
  }
  get unread(): number {
    return Math.min(UNREAD_MAX, this.#listed.unread + this.#recent.length);
  }
  get mentions(): number {
    const recent = this.#recent.filter(({ isMention }) => isMention).length;
    return Math.min(this.unread, this.#listed.mentions + recent);
  }

  receive(event: RoomEvent): void {
    if (event.t === "deleted") {
      this.#recent = this.#recent.filter(({ seq }) => seq !== event.target);
    }
    if (event.t !== "msg" || event.from === this.#me || event.deleted !== undefined) return;
    if (this.#read === undefined || event.seq <= Math.max(this.#read, this.#listed.head)) return;
    const isMention = mentionsUser(event.mentions, this.#me);
    this.#recent = [...this.#recent, { seq: event.seq, isMention }].slice(-UNREAD_MAX);
  }

  markRead(seq: number): void {
    if (seq <= (this.#read ?? -1)) return;
    this.#read = seq;
    this.#recent = this.#recent.filter((one) => one.seq > seq);
    if (seq >= this.#listed.head) this.#listed = { head: seq, unread: 0, mentions: 0 };
  }

  sync({ head, read, unread, mentions }: ListedCount): void {
    if (read < (this.#read ?? 0)) return; // unread-count.2
    this.markRead(read);
    this.#listed = { head, unread, mentions };
    this.#recent = this.#recent.filter((one) => one.seq > head);
  }

  /** The room was recreated: its numbers name other events. */
  reset(): void {
    this.#read = 0;
    this.#listed = { head: 0, unread: 0, mentions: 0 };
    this.#recent = [];
  }
}

export function mentionsUser(mentions: unknown, user: string): boolean {
  return mentions === "@room" || (Array.isArray(mentions) && mentions.includes(user));
}
