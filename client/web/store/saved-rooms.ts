// SavedRooms: the open rooms, read positions and unsent texts of a user, in the browser's storage
// between visits. When the storage is full or forbidden, nothing is saved and everything else
// works.
//
//   saved-rooms.1. Per user: the open rooms (at most ROOMS_MAX) and the read position of each.
//   saved-rooms.2. A write is delayed by up to SAVE_MS, so that a busy room does not write for each
//       message.
//   saved-rooms.3. Stored data can come from another program: every value is checked when it is
//       read.
//   saved-rooms.4. The unsent texts of at most DRAFTS_MAX composers, the latest ones.

import { isObject, parseObject } from "#shared/kit/json.ts";
import { isRoomId } from "#shared/protocol/ids.ts";
import type { Clock, Timer } from "#shared/ports/clock.ts";

/**
 * Below the limit of one connection, so that other windows of the same user can join rooms, too.
 */
export const ROOMS_MAX = 100;
const SAVE_MS = 500;
const DRAFTS_MAX = 100;
const DRAFT_CHARACTERS_MAX = 16_384;

export type KeyValue = Pick<Storage, "getItem" | "setItem" | "removeItem">;

interface SavedState {
  readonly rooms: readonly string[];
  readonly read: { readonly [room: string]: number };
  /** By room, or room and thread. */
  readonly drafts: { readonly [composer: string]: string };
}

export class SavedRooms {
  readonly #storage: KeyValue;
  readonly #key: string;
  #rooms: string[];
  readonly #read: Map<string, number>;
  readonly #drafts: Map<string, string>;
  readonly #clock: Clock;
  #timer: Timer | undefined;

  constructor(storage: KeyValue, user: string, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
    this.#key = `parley.user.${user}`;
    const { rooms, read, drafts } = readBack(load(storage, this.#key));
    this.#rooms = [...rooms];
    this.#read = new Map(Object.entries(read));
    this.#drafts = new Map(Object.entries(drafts));
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
    for (const composer of this.#drafts.keys()) {
      if (!rooms.includes(composer.split("/")[0] ?? "")) this.#drafts.delete(composer);
    }
    this.#save();
  }

  setRead(room: string, seq: number): void {
    if (this.#read.get(room) === seq) return;
    this.#read.set(room, seq);
    this.#save();
  }

  draft(room: string, thread?: number): string {
    return this.#drafts.get(composerKey(room, thread)) ?? "";
  }

  setDraft(text: string, room: string, thread?: number): void {
    const key = composerKey(room, thread);
    this.#drafts.delete(key); // A changed text is the latest again (saved-rooms.4).
    if (text !== "") this.#drafts.set(key, text.slice(0, DRAFT_CHARACTERS_MAX));
    const [oldest] = this.#drafts.keys();
    if (oldest !== undefined && this.#drafts.size > DRAFTS_MAX) this.#drafts.delete(oldest);
    this.#save();
  }

  /** Writes a delayed change now. */
  flush(): void {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    const value: SavedState = {
      rooms: this.#rooms,
      read: Object.fromEntries(this.#read),
      drafts: Object.fromEntries(this.#drafts),
    };
    save(this.#storage, this.#key, JSON.stringify(value));
  }

  #save(): void {
    this.#timer ??= this.#clock.after(SAVE_MS, () => this.flush());
  }
}

const COMPOSER = /^[A-Za-z0-9_-]{1,64}(?:\/\d{1,16})?$/;

function composerKey(room: string, thread: number | undefined): string {
  return thread === undefined ? room : `${room}/${thread}`;
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
  const drafts: Record<string, string> = {};
  if (isObject(value?.["drafts"])) {
    for (const [composer, text] of Object.entries(value["drafts"])) {
      if (COMPOSER.test(composer) && typeof text === "string") drafts[composer] = text;
    }
  }
  return { rooms: [...new Set(rooms)].slice(0, ROOMS_MAX), read, drafts };
}
