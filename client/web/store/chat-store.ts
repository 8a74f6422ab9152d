// ChatStore: everything one signed-in window knows; the views read it and call its verbs.
//
// Owns: the open rooms and which one is shown, the connection as words need it. Does not own: the
// DOM, the address bar, timers of animation.
//
//   chat-store.1. Every open room is joined, shown or not, so that its unread count is true.
//   chat-store.2. Listeners are told once per `schedule`, however much changed (a hot room: once a frame).
//   chat-store.3. A room that cannot be named (N1) is never opened.

import { isRoomId } from "#shared/protocol/ids.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { ChatClient, Fault, Unsubscribe } from "./client-port.ts";
import { Memory, ROOMS_MAX } from "./saved-rooms.ts";
import type { KeyValue } from "./saved-rooms.ts";
import { RoomStore } from "./room-store.ts";
import type { Connection } from "./words.ts";

/** Where people find each other in a new cluster. */
export const SUGGESTED_ROOMS = ["general", "engineering", "on-call", "random"] as const;
const TAIL_MESSAGES = 100;

export interface ChatStoreOptions {
  readonly client: ChatClient;
  readonly me: string;
  readonly clock: Clock;
  readonly storage: KeyValue;
  /** Runs the function soon: after the next frame in a browser, at once in a test. */
  readonly schedule: (run: () => void) => void;
}

export class ChatStore {
  readonly me: string;
  readonly #options: ChatStoreOptions;
  readonly #memory: Memory;
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
    this.#memory = new Memory(storage, me, clock);
    this.#subscriptions = [
      client.on("state", () => this.#onState()),
      client.on("error", (fault) => this.#onFault(fault)),
    ];
    for (const room of this.#memory.rooms) this.#join(room);
  }

  get connection(): Connection {
    const { state, retryAt } = this.#options.client;
    return { state, retryAt, problem: this.#problem };
  }
  /** In the order in which they were opened. */
  get rooms(): readonly RoomStore[] {
    return [...this.#rooms.values()];
  }
  get active(): RoomStore | undefined {
    return this.#active;
  }
  get suggestions(): readonly string[] {
    return SUGGESTED_ROOMS.filter((room) => !this.#rooms.has(room));
  }
  /** Unread in all rooms, for the window's title. */
  get unread(): number {
    let sum = 0;
    for (const room of this.#rooms.values()) sum += room.unread;
    return sum;
  }

  subscribe(listener: () => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Joins the room if need be and shows it. False when it has no name (chat-store.3) or none fits. */
  open(name: string): boolean {
    if (!isRoomId(name)) return false;
    let room = this.#rooms.get(name);
    if (room === undefined) {
      if (this.#rooms.size >= ROOMS_MAX) return false;
      room = this.#join(name);
      this.#memory.setRooms([...this.#rooms.keys()]);
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
    this.#memory.setRooms([...this.#rooms.keys()]);
    if (this.#active === room) this.#show(this.rooms[index] ?? this.rooms[index - 1]);
    this.#changed();
  }

  /** The next room, or the one before; around the end. */
  step(by: 1 | -1): void {
    const { rooms } = this;
    if (rooms.length === 0) return;
    const index = this.#active === undefined ? 0 : rooms.indexOf(this.#active) + by;
    this.#show(rooms.at(index % rooms.length));
  }

  /** The browser window got or lost the focus. */
  setFocus(hasFocus: boolean): void {
    if (this.#hasFocus === hasFocus) return;
    this.#hasFocus = hasFocus;
    this.#active?.setInFront(hasFocus);
    this.#changed();
  }

  /** Before the window goes away: what is read is remembered. */
  flush(): void {
    this.#memory.flush();
  }

  /** Tries again now instead of later. */
  reconnect(): void {
    this.#options.client.connect();
  }

  close(): void {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    this.#listeners.clear();
    this.#memory.flush();
    for (const room of this.#rooms.values()) room.close();
    this.#options.client.close();
  }

  #join(name: string): RoomStore {
    const { client, clock } = this.#options;
    const room = new RoomStore({
      handle: client.join(name, { tail: TAIL_MESSAGES }),
      me: this.me,
      clock,
      readThrough: this.#memory.readThrough(name),
      changed: () => this.#changed(),
      onRead: (seq) => this.#memory.setRead(name, seq),
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

  #onFault({ message, room }: Fault): void {
    if (room === undefined) this.#problem = message;
    else this.#rooms.get(room)?.fail(message);
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
