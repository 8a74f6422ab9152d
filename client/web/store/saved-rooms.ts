// Memory: what a browser remembers of a person between visits. Storage may be full or forbidden;
// then the window forgets, and nothing else is worse.
//
//   saved-rooms.1. Per person: the rooms that are open (at most ROOMS_MAX) and how far each was read.
//   saved-rooms.2. Writing is put off by up to SAVE_MS: a hot room must not write at every message.
//   saved-rooms.3. What is read back was written by somebody: it is checked, never trusted.

import { isObject, parseObject } from "#shared/kit/json.ts";
import { isRoomId } from "#shared/protocol/ids.ts";
import type { Clock, Timer } from "#shared/ports/clock.ts";

/** As many as one connection may join, less some room for other windows of the same person. */
export const ROOMS_MAX = 100;
const SAVE_MS = 500;

export type KeyValue = Pick<Storage, "getItem" | "setItem" | "removeItem">;

export interface Remembered {
  readonly rooms: readonly string[];
  readonly read: { readonly [room: string]: number };
}

export class Memory {
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

  /** Writes what was put off, now. */
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
    return undefined; // Forbidden by the browser's settings.
  }
}

export function save(storage: KeyValue, key: string, value: string | undefined): void {
  try {
    if (value === undefined) storage.removeItem(key);
    else storage.setItem(key, value);
  } catch {
    // Full or forbidden: the next visit begins anew.
  }
}

function readBack(text: string | undefined): Remembered {
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
