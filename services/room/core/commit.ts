// Commit window: group commit across the rooms of a partition, pipelined.
//
// Owns: the entry that is being collected, the appends in flight, and the replies that wait for
// them. Does not own: rooms, the log, the meaning of a refusal (the tenure's owner decides that).
//
//   commit.1. While appends are in flight, commands of all rooms collect in the next entry; an entry
//       holds at most ENTRY_BYTES_MAX.
//   commit.2. Every append expects the one before it. An append is settled only in its order: an answer
//       for a later one says nothing about an earlier one (a rival's entry may stand in its place).
//   commit.3. A reply leaves only when the entry that it depends on, and all before it, are settled (O2).
//   commit.4. `bytes` is what all entries of the window hold, replies included. An entry gives back exactly what
//       it has taken, when it is settled or the window is cleared. Its size in the log is counted apart.

import { assert } from "#shared/kit/assert.ts";
import { stringBytes } from "#shared/kit/memory-account.ts";
import type { ResultWithLines } from "#shared/protocol/commands.ts";
import type { RoomLines } from "#shared/protocol/entry.ts";
import type { LogSeq, ProcessId, RoomId, Seq } from "#shared/protocol/ids.ts";
import { ENTRY_BYTES_MAX } from "#shared/protocol/limits.ts";
import type { RoomMemory } from "./room-memory.ts";

/** Appends in flight at the most. */
export const WINDOW_MAX = 8;
/** Below this many in flight an entry leaves at once; above it, it waits to grow. */
export const WINDOW_EAGER = 2;
/** An entry of this size does not wait to grow. */
const FULL_ENOUGH_BYTES = 32 * 1024;
/** Lines and replies, collected or in flight; beyond it new sends get `busy` (P9). */
export const WINDOW_BYTES_MAX = 16 * 1024 * 1024;
/** Traced messages of one entry; further ones in it are seen up to the room, and no further. */
export const TRACES_PER_ENTRY_MAX = 16;
/** Room for the header of an entry: 100 bytes and one [room, first, count] each. */
const HEADER_BYTES = 256;
const GROUP_BYTES = 100;
/** What a reply costs beside its lines, and a line beside its text. */
const REPLY_BYTES = 256;
const LINE_BYTES = 32;

export interface PendingEntry {
  readonly groups: Map<RoomId, Group>;
  readonly replies: Map<ProcessId, ResultWithLines[]>;
  /** Its size in the log, at most. */
  bytes: number;
  /** What it holds in memory (commit.4). */
  held: number;
  /** Contexts of its traced messages. */
  traces?: string[];
}

interface Group {
  readonly first: Seq;
  readonly lines: string[];
  /** Those of this room. */
  traces?: string[];
}

export interface InFlight {
  readonly n: number;
  readonly expected: LogSeq;
  readonly entry: PendingEntry;
}

export class CommitWindow {
  #last: LogSeq;
  #n = 0;
  readonly #inFlight: InFlight[] = [];
  /** Collected entries in order; the last one is still open. */
  readonly #pending: PendingEntry[] = [];
  readonly #account: RoomMemory["account"];
  #bytes = 0;

  /** `last`: the log's last sequence, which the first append expects. */
  constructor(last: LogSeq, account: RoomMemory["account"]) {
    this.#last = last;
    this.#account = account;
  }

  get isFull(): boolean {
    return this.#bytes >= WINDOW_BYTES_MAX;
  }

  /** Held in memory (commit.4). */
  get bytes(): number {
    return this.#bytes;
  }

  get isIdle(): boolean {
    return this.#inFlight.length === 0 && this.#pending.length === 0;
  }

  /** The log's last sequence when all that is in flight succeeds. */
  get last(): LogSeq {
    return this.#last;
  }

  add(room: RoomId, seq: Seq, line: string, gateway: ProcessId, item: ResultWithLines): void {
    // A UTF-16 unit is at most three bytes of UTF-8, and two in memory; ASCII, the common case, is one.
    const isNarrow = isAscii(line);
    const bytes = line.length * (isNarrow ? 1 : 3) + 1;
    let held = line.length * (isNarrow ? 1 : 2) + LINE_BYTES;
    let entry = this.#pending.at(-1);
    const isNew = entry === undefined || !entry.groups.has(room);
    if (entry === undefined || entry.bytes + bytes + (isNew ? GROUP_BYTES : 0) > ENTRY_BYTES_MAX) {
      entry = { groups: new Map(), replies: new Map(), bytes: HEADER_BYTES, held: 0 };
      this.#pending.push(entry);
      held += HEADER_BYTES;
    }
    const group = entry.groups.get(room);
    if (group === undefined) {
      entry.groups.set(room, { first: seq, lines: [line] });
      entry.bytes += GROUP_BYTES;
      held += GROUP_BYTES;
    } else {
      assert(group.first + group.lines.length === seq, "a room's lines in an entry are contiguous");
      group.lines.push(line);
    }
    entry.bytes += bytes;
    this.#grow(entry, held);
    this.#addReply(entry, gateway, item);
  }

  /** The line of that room that was added last belongs to a traced message. */
  trace(room: RoomId, traceparent: string): void {
    const entry = this.#pending.at(-1);
    const group = entry?.groups.get(room);
    if (entry === undefined || group === undefined) return;
    if ((entry.traces?.length ?? 0) >= TRACES_PER_ENTRY_MAX) return;
    (entry.traces ??= []).push(traceparent);
    (group.traces ??= []).push(traceparent);
  }

  /** Makes a reply wait for all that is collected or in flight now; false when there is nothing. */
  attach(gateway: ProcessId, item: ResultWithLines): boolean {
    const entry = this.#pending.at(-1) ?? this.#inFlight.at(-1)?.entry;
    if (entry === undefined) return false;
    this.#addReply(entry, gateway, item);
    return true;
  }

  /** The next append that may leave now, if any. */
  next(): InFlight | undefined {
    const entry = this.#pending[0];
    if (entry === undefined || this.#inFlight.length >= WINDOW_MAX) return undefined;
    const mayWait = this.#pending.length === 1 && entry.bytes < FULL_ENOUGH_BYTES;
    if (mayWait && this.#inFlight.length >= WINDOW_EAGER) return undefined;
    this.#pending.shift();
    const inFlight: InFlight = { n: ++this.#n, expected: this.#last, entry };
    this.#last += 1;
    this.#inFlight.push(inFlight);
    return inFlight;
  }

  /** The oldest append succeeded as `logSeq`; undefined when `n` is not the oldest (commit.2). */
  settle(n: number, logSeq: LogSeq): PendingEntry | undefined {
    const oldest = this.#inFlight[0];
    if (oldest === undefined || oldest.n !== n || oldest.expected + 1 !== logSeq) return undefined;
    this.#inFlight.shift();
    this.#grow(oldest.entry, -oldest.entry.held);
    return oldest.entry;
  }

  /** Gives all memory back (commit.4); the window is not used afterwards. */
  clear(): void {
    for (const entry of this.unsettled(0)) this.#grow(entry, -entry.held);
    this.#inFlight.length = 0;
    this.#pending.length = 0;
  }

  /**
   * What cannot have been written when append `n` was refused, oldest first. Those before it may
   * stand in the log already, with their acks on the way.
   */
  unsettled(n: number): readonly PendingEntry[] {
    const later = this.#inFlight.filter((item) => item.n >= n);
    return [...later.map((item) => item.entry), ...this.#pending];
  }

  #addReply(entry: PendingEntry, gateway: ProcessId, item: ResultWithLines): void {
    const replies = entry.replies.get(gateway);
    if (replies === undefined) entry.replies.set(gateway, [item]);
    else replies.push(item);
    let held = REPLY_BYTES;
    for (const line of item.lines ?? []) held += stringBytes(line);
    this.#grow(entry, held);
  }

  /** The one place where the count changes (commit.4). */
  #grow(entry: PendingEntry, bytes: number): void {
    entry.held += bytes;
    this.#bytes += bytes;
    this.#account.add("window", bytes);
  }
}

export function toGroups(entry: PendingEntry): RoomLines[] {
  return [...entry.groups].map(([room, { first, lines }]) => ({ room, first, lines }));
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}
