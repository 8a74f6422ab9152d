// RoomEntry: one room of the sidebar: listed by the server, opened in this window, or both.
//
// Owns: its place in the list, the unread count and the last message. Does not own: the messages
// (RoomStore), the list (ListedRooms), the choice of the rooms that are followed (ChatStore).
//
//   room-entry.1. While the room is followed, each event counts at once; the list replaces what is
//        older than it.

import type { RoomEvent } from "#shared/protocol/events.ts";
import { isDirectRoomId } from "#shared/protocol/direct-room.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { previewOf } from "#shared/protocol/room-list.ts";
import type { ListedRoom } from "#shared/protocol/room-list.ts";
import type { RoomKind } from "#shared/protocol/roles.ts";
import type { ChatRoom, Unsubscribe } from "./client-port.ts";
import type { RoomStore } from "./room-store.ts";
import { UnreadCount } from "./unread-count.ts";

export interface LastLine {
  readonly seq: number;
  readonly from: string;
  readonly at: number;
  readonly text: string;
  /** The names of its files. */
  readonly files?: readonly string[] | undefined;
}

export interface RoomEntryOptions {
  readonly name: string;
  readonly me: string;
  /** The number that the user read in an earlier visit. */
  readonly read: number | undefined;
  readonly changed: () => void;
  /** Something changed that only the list can say. */
  readonly listChanged: () => void;
}

export class RoomEntry {
  readonly name: string;
  readonly count: UnreadCount;
  /** The messages, when the room is open in this window. */
  store: RoomStore | undefined;
  readonly #options: RoomEntryOptions;
  #listed: ListedRoom | undefined;
  #last: LastLine | undefined;
  #at = 0;
  #peer: string | undefined;
  #handle: ChatRoom | undefined;
  #subscriptions: readonly Unsubscribe[] = [];

  constructor(options: RoomEntryOptions) {
    this.name = options.name;
    this.count = new UnreadCount(options.me, options.read);
    this.#options = options;
  }

  /** As the server lists it; undefined: the user is not its member. */
  get listed(): ListedRoom | undefined {
    return this.#listed;
  }
  get kind(): RoomKind {
    if (isDirectRoomId(this.name as RoomId)) return "direct";
    return this.store?.info.settings?.kind ?? this.#listed?.kind ?? "open";
  }
  /** What the user calls it: the other user of a direct room, the title, or the name. */
  get title(): string {
    if (this.kind === "direct") return this.#peer ?? this.name;
    const { settings } = this.store?.info ?? {};
    const title = settings === undefined ? this.#listed?.title : settings.title;
    return title === undefined || title === "" ? this.name : title;
  }
  /** The other user of a direct room, when it is known. */
  get peer(): string | undefined {
    return this.#peer;
  }
  get last(): LastLine | undefined {
    return this.#last;
  }
  /** The time of the newest event; 0: none is known. */
  get at(): number {
    return this.#at;
  }
  get unread(): number {
    return this.count.unread;
  }
  get mentions(): number {
    // Every message of a direct room is for the user.
    return this.kind === "direct" ? this.count.unread : this.count.mentions;
  }
  get isFollowed(): boolean {
    return this.#handle !== undefined && this.#handle.status !== "left";
  }

  setPeer(peer: string): void {
    this.#peer = peer;
  }

  /** `undefined`: the user is no member any more. */
  setListed(listed: ListedRoom | undefined): void {
    this.#listed = listed;
    if (listed === undefined) return;
    this.count.sync(listed);
    this.#at = Math.max(this.#at, listed.at);
    const { last } = listed;
    if (last !== undefined && last.seq >= (this.#last?.seq ?? 0)) this.#setLast(last);
  }

  /** Counts the events of this handle until `unfollow`. */
  follow(handle: ChatRoom): void {
    this.unfollow();
    this.#handle = handle;
    this.#subscriptions = [
      handle.on("event", (event) => this.#onEvent(event)),
      handle.on("reset", () => {
        this.count.reset();
        this.#last = undefined;
        this.#options.listChanged();
      }),
      handle.on("removed", () => this.#options.listChanged()),
      handle.on("read", ({ user, seq }) => user === this.#options.me && this.markRead(seq)),
    ];
  }

  /** Leaves the room. */
  unfollow(): void {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    this.#subscriptions = [];
    this.#handle?.leave();
    this.#handle = undefined;
  }

  markRead(seq: number): void {
    this.count.markRead(seq);
    this.#options.changed();
  }

  #onEvent(event: RoomEvent): void {
    this.count.receive(event);
    this.#at = Math.max(this.#at, event.at);
    const { me, listChanged, changed } = this.#options;
    if (event.t === "msg" && event.deleted === undefined) {
      const { seq, from, at, body, attachments } = event;
      const files = attachments?.map(({ name }) => name);
      const last = { seq, from, at, text: previewOf(body), files };
      if (seq > (this.#last?.seq ?? 0)) this.#setLast(last);
    } else if (event.t === "edited" && event.target === this.#last?.seq) {
      this.#last = { ...this.#last, text: previewOf(event.body) };
    } else if (event.t === "deleted" && event.target === this.#last?.seq) {
      this.#last = undefined;
      listChanged(); // It has the message before.
    } else if (event.t === "member") {
      if (this.kind === "direct" && event.user !== me) this.#peer = event.user;
      if (event.user === me) listChanged();
    }
    changed();
  }

  #setLast(last: LastLine): void {
    this.#last = last;
    if (this.kind === "direct" && last.from !== this.#options.me) this.#peer = last.from;
  }
}

/** Newest activity first; equal ones keep their order. */
export function byActivity(a: RoomEntry, b: RoomEntry): number {
  return b.at - a.at;
}

/** Whether the title, the name or the last message has the text. */
export function matchesFilter(entry: RoomEntry, typed: string): boolean {
  const wanted = typed.trim().toLocaleLowerCase();
  return [entry.title, entry.name].some((text) => text.toLocaleLowerCase().includes(wanted));
}
