// Lines: committed events on their way from the owner to sockets, as bytes that no process parses.
//
// A message on `out.<room>` is `<first> <count>\n` and then the event lines, joined by "\n". The
// trace contexts of traced lines follow the count, separated by commas. A message with count 0 is a
// head: `first` is the head of the room, and the room's birth replaces the lines when the owner
// knows it. Owns: both halves of this message, and Block, a numbered run of lines as one piece of
// UTF-8. Does not own: the content of a line (events.ts).

import { isTraceparent } from "../kit/traceparent.ts";
import type { Seq } from "./ids.ts";

/** `count` event lines numbered first, first+1, …, joined by "\n" without a trailing one. */
export interface Block {
  readonly first: Seq;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** A context has 55 bytes, and an entry has at most 16 of them. */
const TRACES_BYTES_MAX = 1_024;

/** A birth is an id in ASCII; a UUID has 36 bytes. */
const BORN_BYTES_MAX = 128;

const NEWLINE = 10;
const SPACE = 32;
const ZERO = 48;
const NINE = 57;

/** A decoded message of `out.<room>`: a block, and the contexts of its traced events, if any. */
export interface OutBlock extends Block {
  readonly traces?: readonly string[];
}

/** `lines` are numbered first, first+1, … */
export function encodeOut(
  first: Seq,
  lines: readonly string[],
  traces?: readonly string[],
): string {
  const contexts = traces === undefined ? "" : ` ${traces.join(",")}`;
  return `${first} ${lines.length}${contexts}\n${lines.join("\n")}`;
}

/** The head of a room, and its birth when the owner knows it. */
export function encodeHead(head: Seq, born: string | undefined = ""): string {
  return `${head} 0\n${born}`;
}

/** The birth in a head; undefined when the owner does not know it yet. */
export function bornOf({ first, count, bytes }: Block): string | undefined {
  if (count > 0) return undefined;
  if (first === 0) return ""; // A room without an event has no birth.
  return bytes.length === 0 ? undefined : String.fromCharCode(...bytes.subarray(0, BORN_BYTES_MAX));
}

/**
 * Does not copy the lines. Undefined unless the header has two whole numbers, and the second one is
 * the number of lines. The receiver counts such a message and drops it.
 */
export function decodeOut(payload: Uint8Array): OutBlock | undefined {
  const space = payload.indexOf(SPACE);
  const newline = payload.indexOf(NEWLINE);
  if (space <= 0 || newline <= space + 1) return undefined;
  let end = space + 1;
  while (end < newline && payload[end] !== SPACE) end++;
  const first = readNumber(payload, 0, space);
  const count = readNumber(payload, space + 1, end);
  if (first === undefined || count === undefined) return undefined;
  if (count > 0 && !hasLines(payload, newline + 1, count)) return undefined;
  const block = { first, count, bytes: payload.subarray(newline + 1) };
  if (end === newline) return block;
  if (newline - end > TRACES_BYTES_MAX) return undefined;
  const traces = String.fromCharCode(...payload.subarray(end + 1, newline)).split(",");
  return traces.every(isTraceparent) ? { ...block, traces } : undefined;
}

/** The part of `block` above `seq`, without copying; undefined when nothing of it is above. */
export function blockAbove(block: Block, seq: Seq): Block | undefined {
  if (block.first > seq) return block.count > 0 ? block : undefined;
  const skip = seq + 1 - block.first;
  if (skip >= block.count) return undefined;
  let at = 0;
  for (let i = 0; i < skip; i++) at = block.bytes.indexOf(NEWLINE, at) + 1;
  return { first: seq + 1, count: block.count - skip, bytes: block.bytes.subarray(at) };
}

/** The last `count` lines of `block` removed; undefined when none would remain. */
export function blockUpTo(block: Block, last: Seq): Block | undefined {
  const keep = last + 1 - block.first;
  if (keep <= 0) return undefined;
  if (keep >= block.count) return block.count > 0 ? block : undefined;
  let end = -1;
  for (let i = 0; i < keep; i++) end = block.bytes.indexOf(NEWLINE, end + 1);
  return { first: block.first, count: keep, bytes: block.bytes.subarray(0, end) };
}

/**
 * The same lines in memory of their own. A view, such as bytes of the bus or a part of a block,
 * keeps the whole buffer that it was cut from.
 */
export function ownBlock(block: Block): Block {
  const { first, count, bytes } = block;
  if (bytes.byteLength === bytes.buffer.byteLength) return block;
  // Not slice(): that of a Buffer is a view.
  return { first, count, bytes: new Uint8Array(bytes) };
}

/** The memory of a block beside its lines: the objects and the buffer. */
const BLOCK_BYTES = 512;

/** The memory of a block with its own buffer, in bytes. */
export function blockCost({ bytes }: Block): number {
  return BLOCK_BYTES + bytes.byteLength;
}

/** The kind of a line begins behind `{"t":"`, because events.2 fixes the order of the keys. */
const KIND_AT = 6;
const [D, E, M, O, R] = [100, 101, 109, 111, 114];

/**
 * The lines that change what a gateway may show, each with its number: `member` and `room` change
 * who may read, `deleted` erases a message (events.ts).
 */
export function notableLines(block: Block): readonly (readonly [Seq, Uint8Array])[] {
  const { first, count, bytes } = block;
  let found: (readonly [Seq, Uint8Array])[] | undefined;
  let at = 0;
  for (let i = 0; i < count; i++) {
    const [one, two] = [bytes[at + KIND_AT], bytes[at + KIND_AT + 1]];
    const next = i + 1 < count ? bytes.indexOf(NEWLINE, at) : bytes.length;
    if ((one === M && two === E) || (one === R && two === O) || one === D) {
      (found ??= []).push([first + i, bytes.subarray(at, next)]);
    }
    at = next + 1;
  }
  return found ?? [];
}

export function isDeletion(line: Uint8Array): boolean {
  return line[KIND_AT] === D;
}

export function blockLast(block: Block): Seq {
  return block.first + block.count - 1;
}

/**
 * Whether exactly `count` lines follow. A wrong count would give every later line a wrong number.
 */
function hasLines(payload: Uint8Array, from: number, count: number): boolean {
  let found = 1;
  for (let at = payload.indexOf(NEWLINE, from); at >= 0; at = payload.indexOf(NEWLINE, at + 1)) {
    if (++found > count) return false;
  }
  return found === count;
}

function readNumber(bytes: Uint8Array, from: number, to: number): number | undefined {
  if (to === from || to - from > 15) return undefined; // 15 digits stay below 2^53.
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = bytes[i];
    if (digit === undefined || digit < ZERO || digit > NINE) return undefined;
    value = value * 10 + (digit - ZERO);
  }
  return value;
}
