// ChatStore: the state of one signed-in window. The views read it and call its methods.
//
// Owns: the open rooms, the shown room, the state of the connection. Does not own: the DOM, the
// address bar, animation timers.
//
//   chat-store.1. Every open room is joined, also when it is not shown, so that its unread count is
//       right.
//   chat-store.2. Listeners run once per `schedule` after any number of changes (in a browser: once
//       a frame).
//   chat-store.3. A room with an invalid name (N1) is never opened.

import { isRoomId } from "#shared/protocol/ids.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { ChatClient, Fault, Unsubscribe } from "./client-port.ts";
import { ROOMS_MAX, SavedRooms } from "./saved-rooms.ts";
import type { KeyValue } from "./saved-rooms.ts";
import { RoomStore } from "./room-store.ts";
import { textOf } from "./timeline-rows.ts";
import { failureWords } from "./words.ts";
import type { Connection } from "./words.ts";

/** Rooms that the page suggests in a new cluster. */
export const SUGGESTED_ROOMS = ["general", "engineering", "on-call", "random"] as const;
const TAIL_MESSAGES = 100;

export interface WaitingSend {
  readonly id: string;
  readonly room: string;
  readonly at: number;
  readonly text: string;
}

export interface ChatStoreOptions {
  readonly client: ChatClient;
  readonly me: string;
  readonly clock: Clock;
  readonly storage: KeyValue;
  /** Runs the function after the next frame in a browser; at once in a test. */
  readonly schedule: (run: () => void) => void;
}

export class ChatStore {
  readonly me: string;
  readonly #options: ChatStoreOptions;
  readonly #saved: SavedRooms;
  readonly #rooms = new Map<string, RoomStore>();
  readonly #listeners = new Set<() => void>();
  readonly #subscriptions: readonly Unsubscribe[];
  #active: RoomStore | undefined;
  #hasFocus = true;
  #isScheduled = false;
  #problem: string | undefined;

  constructor(options: ChatStoreOptions) {
    const { client, me, storage, clock } = options;
    this.me = me;
    this.#options = options;
    this.#saved = new SavedRooms(storage, me, clock);
    this.#subscriptions = [
      client.on("state", () => this.#onState()),
      client.on("unsent", () => this.#changed()),
      client.on("error", (fault) => this.#onFault(fault)),
    ];
    for (const room of this.#saved.rooms) this.#join(room);
  }

  get connection(): Connection {
    const { state, retryAt } = this.#options.client;
    return { state, retryAt, problem: this.#problem };
  }
  /** The messages that wait for the connection; none while it serves. */
  get waiting(): readonly WaitingSend[] {
    const { state, unsent } = this.#options.client;
    if (state === "online") return [];
    return unsent.map(({ id, room, body, at }) => ({ id, room, at, text: textOf(body) }));
  }
  /** In the order of opening. */
  get rooms(): readonly RoomStore[] {
    return [...this.#rooms.values()];
  }
  get active(): RoomStore | undefined {
    return this.#active;
  }
  get suggestions(): readonly string[] {
    return SUGGESTED_ROOMS.filter((room) => !this.#rooms.has(room));
  }
  /** Unread messages of all rooms, for the title of the window. */
  get unread(): number {
    let sum = 0;
    for (const room of this.#rooms.values()) sum += room.unread;
    return sum;
  }

  subscribe(listener: () => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Joins the room if necessary and shows it. False for an invalid name (chat-store.3) or too many
   * rooms.
   */
  open(name: string): boolean {
    if (!isRoomId(name)) return false;
    let room = this.#rooms.get(name);
    if (room === undefined) {
      if (this.#rooms.size >= ROOMS_MAX) return false;
      room = this.#join(name);
      this.#saved.setRooms([...this.#rooms.keys()]);
    }
    this.#show(room);
    return true;
  }

  leave(name: string): void {
    const room = this.#rooms.get(name);
    if (room === undefined) return;
    const index = this.rooms.indexOf(room);
    this.#rooms.delete(name);
    room.close();
    this.#saved.setRooms([...this.#rooms.keys()]);
    if (this.#active === room) this.#show(this.rooms[index] ?? this.rooms[index - 1]);
    this.#changed();
  }

  /** Shows the next or the previous room, cyclically. */
  step(by: 1 | -1): void {
    const { rooms } = this;
    if (rooms.length === 0) return;
    const index = this.#active === undefined ? 0 : rooms.indexOf(this.#active) + by;
    this.#show(rooms.at(index % rooms.length));
  }

  /** The browser window gained or lost the focus. */
  setFocus(hasFocus: boolean): void {
    if (this.#hasFocus === hasFocus) return;
    this.#hasFocus = hasFocus;
    this.#active?.setInFront(hasFocus);
    this.#changed();
  }

  /** Stores the read positions now, before the window closes. */
  flush(): void {
    this.#saved.flush();
  }

  /** Connects now instead of after the wait. */
  reconnect(): void {
    this.#options.client.connect();
  }

  close(): void {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    this.#listeners.clear();
    this.#saved.flush();
    for (const room of this.#rooms.values()) room.close();
    this.#options.client.close();
  }

  #join(name: string): RoomStore {
    const { client, clock } = this.#options;
    const room = new RoomStore({
      handle: client.join(name, { tail: TAIL_MESSAGES }),
      me: this.me,
      clock,
      readThrough: this.#saved.readThrough(name),
      changed: () => this.#changed(),
      onRead: (seq) => this.#saved.setRead(name, seq),
      draftOf: (thread) => this.#saved.draft(name, thread),
      onDraft: (text, thread) => this.#saved.setDraft(text, name, thread),
    });
    this.#rooms.set(name, room);
    return room;
  }

  #show(room: RoomStore | undefined): void {
    if (room === this.#active) return;
    this.#active?.setInFront(false);
    this.#active = room;
    room?.enter();
    room?.setInFront(this.#hasFocus);
    this.#changed();
  }

  #onState(): void {
    if (this.#options.client.state === "online") this.#problem = undefined;
    this.#changed();
  }

  #onFault({ name, room }: Fault): void {
    const problem = failureWords(name);
    if (room === undefined) this.#problem = problem;
    else this.#rooms.get(room)?.fail(problem);
    this.#changed();
  }

  #changed(): void {
    if (this.#isScheduled) return; // chat-store.2
    this.#isScheduled = true;
    this.#options.schedule(() => {
      this.#isScheduled = false;
      for (const listener of this.#listeners) listener();
    });
  }
}
