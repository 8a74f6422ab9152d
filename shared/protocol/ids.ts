// Ids: the types of the names that cross a wire, and the only code that checks them.
//
// Owns: branded id types, their checks, the partition of a room. Does not own: the creation of ids,
// which needs a clock and randomness (kit/uuid.ts).
//
//   ids.1. A RoomId matches [A-Za-z0-9_-]{1,64}. No other room name reaches a subject.
//   ids.2. A MessageId is a canonical lower-case UUIDv7. Its first 48 bits are its own time in
//        ms.
//   ids.3. partitionOf is fixed for a cluster: fnv1a32(room) mod P.

declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

export type RoomId = Brand<string, "RoomId">;
/** Any non-empty string of at most 128 UTF-8 bytes, from the token's `sub`. */
export type UserId = Brand<string, "UserId">;
export type MessageId = Brand<string, "MessageId">;
/** One run of one process: `gw-7f3a…`, `room-7f3a…`. Safe in a subject. */
export type ProcessId = Brand<string, "ProcessId">;

/**
 * The services. A region agent runs only where two regions share a term, webhooks and the admin
 * page only where they are switched on.
 */
export type NodeKind = "gateway" | "room" | "persistence" | "region" | "webhooks" | "operator";
/** Those with settings of their own. */
export const SERVICES: readonly NodeKind[] = ["gateway", "room", "persistence"];

/** The position of an event in its room: 1, 2, 3, … 0 is the position before the first event. */
export type Seq = number;
/** The position of an entry in its partition log. The first entry is 1. */
export type LogSeq = number;
/** The log sequence of the claim that began a tenure. 0: no claim. */
export type Epoch = number;
export type Partition = number;
/** Milliseconds since 1970 by the clock of one process, or an interval. */
export type Millis = number;

const USER_BYTES_MAX = 128;
const ROOM = /^[A-Za-z0-9_-]{1,64}$/;
export const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
/** Odd, so that all ids of a write differ. */
const ID_STRIDE = 0x5_deec_e66d;
const PROCESS = /^[a-z]+-[a-z0-9]{1,32}$/;

export function isRoomId(value: unknown): value is RoomId {
  return typeof value === "string" && ROOM.test(value);
}

export function isMessageId(value: unknown): value is MessageId {
  return typeof value === "string" && UUID_V7.test(value);
}

export function isProcessId(value: unknown): value is ProcessId {
  return typeof value === "string" && PROCESS.test(value);
}

export function isUserId(value: unknown): value is UserId {
  return (
    typeof value === "string" &&
    value.length > 0 &&
    value.length <= USER_BYTES_MAX &&
    // A UTF-16 unit is at most three bytes, so a short name needs no measuring.
    (value.length * 3 <= USER_BYTES_MAX || utf8Length(value) <= USER_BYTES_MAX) &&
    isStorable(value)
  );
}

/** True for a string that every store keeps unchanged: no U+0000 and no lone surrogate. */
export function isStorable(text: string): boolean {
  return !text.includes("\u0000") && text.isWellFormed();
}

/** What a JSON Schema says of a storable text: its strings have no lone surrogates. */
export const STORABLE_PATTERN = "^[^\\u0000]*$";

/** True for a storable text of at most `max` characters (code points, as JSON Schema counts). */
export function isTextWithin(text: string, max: number): boolean {
  if (!isStorable(text) || text.length > 2 * max) return false;
  return text.length <= max || Array.from(text).length <= max;
}

/** The time in a message id: the first 48 bits of a UUIDv7, in ms. */
export function messageTime(id: MessageId): Millis {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/**
 * The id of the event `n` places after the first event of one write. Its first 80 bits are those of
 * the write's id, so it is below the same dedupe floors and names the same time. The others are far
 * from those of a client that counts its ids up within a millisecond.
 */
export function idAfter(id: MessageId, n: number): MessageId {
  const last = (Number.parseInt(id.slice(24), 16) + n * ID_STRIDE) % 2 ** 48;
  return `${id.slice(0, 24)}${last.toString(16).padStart(12, "0")}` as MessageId;
}

/** FNV-1a, 32 bit, over the char codes. Room ids are ASCII, so this equals the byte-wise hash. */
export function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

export function partitionOf(room: RoomId, partitions: number): Partition {
  return fnv1a32(room) % partitions;
}

const BEYOND_ASCII = /[\u0080-\uffff]/;

/** The length of `text` in UTF-8, in bytes. Does not encode it. */
export function utf8Length(text: string): number {
  // The search of V8 is faster than a loop, and almost every text has only such units.
  if (!BEYOND_ASCII.test(text)) return text.length;
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    // Each half of a surrogate pair has two of its four bytes.
    if (code >= 0x800 && (code & 0xf800) !== 0xd800) bytes += 2;
    else if (code >= 0x80) bytes++;
  }
  return bytes;
}
