// SavedRooms: the open rooms and read positions of a user, in the browser's storage between visits.
// When the storage is full or forbidden, nothing is saved and everything else works.
//
//   saved-rooms.1. Per user: the open rooms (at most ROOMS_MAX) and the read position of each.
//   saved-rooms.2. A write is delayed by up to SAVE_MS, so that a busy room does not write for each
//       message.
//   saved-rooms.3. Stored data can come from another program: every value is checked when it is
//       read.

import { isObject, parseObject } from "#shared/kit/json.ts";
import { isRoomId } from "#shared/protocol/ids.ts";
import type { Clock, Timer } from "#shared/ports/clock.ts";

/**
 * Below the limit of one connection, so that other windows of the same user can join rooms, too.
 */
export const ROOMS_MAX = 100;
const SAVE_MS = 500;

export type KeyValue = Pick<Storage, "getItem" | "setItem" | "removeItem">;

interface SavedState {
  readonly rooms: readonly string[];
  readonly read: { readonly [room: string]: number };
}

export class SavedRooms {
  readonly #storage: KeyValue;
  readonly #key: string;
  #rooms: string[];
  readonly #read: Map<string, number>;
  readonly #clock: Clock;
  #timer: Timer | undefined;

  constructor(storage: KeyValue, user: string, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
    this.#key = `parley.user.${user}`;
    const { rooms, read } = readBack(load(storage, this.#key));
    this.#rooms = [...rooms];
    this.#read = new Map(Object.entries(read));
  }

  get rooms(): readonly string[] {
    return this.#rooms;
  }

  readThrough(room: string): number | undefined {
    return this.#read.get(room);
  }

  setRooms(rooms: readonly string[]): void {
    this.#rooms = rooms.slice(0, ROOMS_MAX);
    for (const room of this.#read.keys()) if (!rooms.includes(room)) this.#read.delete(room);
    this.#save();
  }

  setRead(room: string, seq: number): void {
    if (this.#read.get(room) === seq) return;
    this.#read.set(room, seq);
    this.#save();
  }

  /** Writes a delayed change now. */
  flush(): void {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    const value = { rooms: this.#rooms, read: Object.fromEntries(this.#read) };
    save(this.#storage, this.#key, JSON.stringify(value));
  }

  #save(): void {
    this.#timer ??= this.#clock.after(SAVE_MS, () => this.flush());
  }
}

export function load(storage: KeyValue, key: string): string | undefined {
  try {
    return storage.getItem(key) ?? undefined;
  } catch {
    return undefined; // The browser's settings forbid it.
  }
}

export function save(storage: KeyValue, key: string, value: string | undefined): void {
  try {
    if (value === undefined) storage.removeItem(key);
    else storage.setItem(key, value);
  } catch {
    // Full or forbidden: the next visit starts without saved rooms.
  }
}

function readBack(text: string | undefined): SavedState {
  const value = text === undefined ? undefined : parseObject(text);
  const rooms = Array.isArray(value?.["rooms"]) ? value["rooms"].filter(isRoomId) : [];
  const read: Record<string, number> = {};
  if (isObject(value?.["read"])) {
    for (const [room, seq] of Object.entries(value["read"])) {
      if (isRoomId(room) && Number.isSafeInteger(seq)) read[room] = seq as number;
    }
  }
  return { rooms: [...new Set(rooms)].slice(0, ROOMS_MAX), read };
}
