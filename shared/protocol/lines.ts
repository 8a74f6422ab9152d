// Lines: committed events on their way from the owner to sockets, as bytes that nobody parses.
//
// `out.<room>` carries `<first> <count>\n` and then the event lines joined by "\n" (none when the
// count is 0: the head alone is repeated, and `first` is then the head). When some of them are
// traced, their contexts stand behind the count, separated by commas. Behind a head stands, where lines
// would, the room's `born`, if whoever says it knows the room: then it is the first thing that an owner
// says of it. A Block is the same on the
// inside: a numbered run of lines as one piece of UTF-8.

import { isTraceparent } from "../kit/traceparent.ts";
import type { Seq } from "./ids.ts";

/** `count` event lines numbered first, first+1, …, joined by "\n" without a trailing one. */
export interface Block {
  readonly first: Seq;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** Contexts are 55 bytes each, and an entry has at most 16 of them. */
const TRACES_BYTES_MAX = 1_024;

/** A birth is an id in ASCII; a UUID has 36 bytes. */
const BORN_BYTES_MAX = 128;

const NEWLINE = 10;
const SPACE = 32;
const ZERO = 48;
const NINE = 57;

/** What arrives on `out.<room>`: a block, and the contexts of its traced messages, if any. */
export interface OutBlock extends Block {
  readonly traces?: readonly string[];
}

/** The header line of an `out.<room>` payload, newline included. */
export function outHeader(first: Seq, count: number, traces?: readonly string[]): string {
  return traces === undefined ? `${first} ${count}\n` : `${first} ${count} ${traces.join(",")}\n`;
}

/** The room's head, and its birth when that is known. */
export function outHead(head: Seq, born: string | undefined = ""): string {
  return `${outHeader(head, 0)}${born}`;
}

/** What a block that is a head says of the room's birth; undefined when it says nothing. */
export function bornOf({ first, count, bytes }: Block): string | undefined {
  if (count > 0) return undefined;
  if (first === 0) return ""; // A room without a message has no birth.
  return bytes.length === 0 ? undefined : String.fromCharCode(...bytes.subarray(0, BORN_BYTES_MAX));
}

/**
 * Reads an `out.<room>` payload without copying its lines. `first` with count 0 is the room's head.
 * Undefined when the header is not two whole numbers, or the second is not the number of lines: the
 * receiver counts it and drops it.
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

/** The same lines in memory of their own. Bytes of the bus and parts of a block are views, which keep all that they were cut from. */
export function ownBlock(block: Block): Block {
  const { first, count, bytes } = block;
  if (bytes.byteLength === bytes.buffer.byteLength) return block;
  // Not slice(): that of a Buffer is a view.
  return { first, count, bytes: new Uint8Array(bytes) };
}

/** What a block costs in memory beside its lines: the objects, and a buffer of its own. */
const BLOCK_BYTES = 512;

/** What a block of its own costs in memory. */
export function blockCost({ bytes }: Block): number {
  return BLOCK_BYTES + bytes.byteLength;
}

export function blockLast(block: Block): Seq {
  return block.first + block.count - 1;
}

/** Whether exactly `count` lines follow; a count that is not true would put every later line elsewhere. */
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
