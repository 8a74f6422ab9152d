// Commit window: group commit for all rooms of one partition, with pipelined appends.
//
// Owns: the entry that is being collected, the appends in flight, and the replies that wait for
// them.
// Does not own: rooms, the log, the reaction to a refused append (partition.ts).
//
//   commit.1. While appends are in flight, the commands of all rooms collect in the next entry. An
//       entry holds at most ENTRY_BYTES_MAX.
//   commit.2. Each append expects the log sequence of the append before it, and appends are settled
//       in order. A confirmed append does not confirm an earlier one: the entry of a rival may have
//       its place.
//   commit.3. A reply leaves only after its entry and all entries before it are settled (O2).
//   commit.4. `bytes` is the memory of all entries in the window, replies included. An entry gives
//       back exactly what it has added when it is settled or when the window is cleared. The size
//       of an entry in the log is counted separately.

import { assert } from "#shared/kit/assert.ts";
import { stringBytes } from "#shared/kit/memory-account.ts";
import type { ResultWithLines } from "#shared/protocol/results.ts";
import type { RoomLines } from "#shared/protocol/entry.ts";
import { utf8Length } from "#shared/protocol/ids.ts";
import type { LogSeq, ProcessId, RoomId, Seq } from "#shared/protocol/ids.ts";
import { ENTRY_BYTES_MAX } from "#shared/protocol/limits.ts";
import type { UserNote } from "./notes.ts";
import type { RoomMemory } from "./room-memory.ts";

/** The maximum number of appends in flight. */
export const WINDOW_MAX = 8;
/** With fewer appends in flight, an entry leaves at once. Otherwise it waits and grows. */
export const WINDOW_EAGER = 2;
/** An entry of this size leaves without waiting. */
const FULL_ENOUGH_BYTES = 32 * 1024;
/**
 * The maximum memory of lines and replies, collected or in flight. Above it new sends get `busy`
 * (P9).
 */
export const WINDOW_BYTES_MAX = 16 * 1024 * 1024;
/** Traced messages of one entry. The trace of a further message ends at the room node. */
export const TRACES_PER_ENTRY_MAX = 16;
/** The size of an entry's header: 100 bytes, plus one [room, first, count] per room. */
const HEADER_BYTES = 256;
const GROUP_BYTES = 100;
/** The memory of a reply without its lines, and of a line without its text. */
const REPLY_BYTES = 256;
const LINE_BYTES = 32;
/** The memory of a note. */
const NOTE_BYTES = 160;

export interface PendingEntry {
  readonly groups: Map<RoomId, Group>;
  readonly replies: Map<ProcessId, ResultWithLines[]>;
  /** The upper bound of its size in the log, in bytes. */
  bytes: number;
  /** Its memory in bytes (commit.4). */
  held: number;
  /** Trace contexts of its traced messages. */
  traces?: string[];
  /** Hints to users, for when it is settled. */
  notes?: UserNote[];
}

interface Group {
  readonly first: Seq;
  readonly lines: string[];
  /** The trace contexts of this room. */
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
  /** Collected entries in order. The last one is still open. */
  readonly #pending: PendingEntry[] = [];
  readonly #account: RoomMemory["account"];
  #bytes = 0;

  /** `last`: the last sequence of the log, which the first append expects. */
  constructor(last: LogSeq, account: RoomMemory["account"]) {
    this.#last = last;
    this.#account = account;
  }

  get isFull(): boolean {
    return this.#bytes >= WINDOW_BYTES_MAX;
  }

  /** Memory in bytes (commit.4). */
  get bytes(): number {
    return this.#bytes;
  }

  get isIdle(): boolean {
    return this.#inFlight.length === 0 && this.#pending.length === 0;
  }

  /** The last sequence of the log after all appends in flight have succeeded. */
  get last(): LogSeq {
    return this.#last;
  }

  /** `lines` are numbered seq, seq + 1, … and go into one entry, with the reply. */
  add(
    room: RoomId,
    seq: Seq,
    lines: readonly string[],
    gateway: ProcessId,
    item: ResultWithLines,
  ): void {
    let [bytes, held] = [0, 0];
    for (const line of lines) {
      const inLog = utf8Length(line);
      bytes += inLog + 1;
      // A unit has one byte in memory when all are ASCII, and otherwise two at most.
      held += line.length * (inLog === line.length ? 1 : 2) + LINE_BYTES;
    }
    let entry = this.#pending.at(-1);
    const isNew = entry === undefined || !entry.groups.has(room);
    if (entry === undefined || entry.bytes + bytes + (isNew ? GROUP_BYTES : 0) > ENTRY_BYTES_MAX) {
      entry = { groups: new Map(), replies: new Map(), bytes: HEADER_BYTES, held: 0 };
      this.#pending.push(entry);
      held += HEADER_BYTES;
    }
    const group = entry.groups.get(room);
    if (group === undefined) {
      entry.groups.set(room, { first: seq, lines: [...lines] });
      entry.bytes += GROUP_BYTES;
      held += GROUP_BYTES;
    } else {
      assert(group.first + group.lines.length === seq, "a room's lines in an entry are contiguous");
      group.lines.push(...lines);
    }
    entry.bytes += bytes;
    this.#grow(entry, held);
    this.#addReply(entry, gateway, item);
  }

  /** Records that the last line of `room` belongs to a traced message. */
  trace(room: RoomId, traceparent: string): void {
    const entry = this.#pending.at(-1);
    const group = entry?.groups.get(room);
    if (entry === undefined || group === undefined) return;
    if ((entry.traces?.length ?? 0) >= TRACES_PER_ENTRY_MAX) return;
    (entry.traces ??= []).push(traceparent);
    (group.traces ??= []).push(traceparent);
  }

  /** Hints to publish when the last line that was added is settled. */
  note(notes: readonly UserNote[]): void {
    const entry = this.#pending.at(-1);
    if (entry === undefined || notes.length === 0) return;
    (entry.notes ??= []).push(...notes);
    this.#grow(entry, notes.length * NOTE_BYTES);
  }

  /**
   * Attaches a reply to the newest entry, so that it waits for that entry. Returns false when the
   * window is empty.
   */
  attach(gateway: ProcessId, item: ResultWithLines): boolean {
    const entry = this.#pending.at(-1) ?? this.#inFlight.at(-1)?.entry;
    if (entry === undefined) return false;
    this.#addReply(entry, gateway, item);
    return true;
  }

  /** The next append that may leave now, if there is one. */
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

  /**
   * Settles the oldest append, which the log stored as `logSeq`. Returns undefined when `n` is not
   * the oldest append (commit.2).
   */
  settle(n: number, logSeq: LogSeq): PendingEntry | undefined {
    const oldest = this.#inFlight[0];
    if (oldest === undefined || oldest.n !== n || oldest.expected + 1 !== logSeq) return undefined;
    this.#inFlight.shift();
    this.#grow(oldest.entry, -oldest.entry.held);
    return oldest.entry;
  }

  /** Gives all memory back (commit.4). The window is not used afterwards. */
  clear(): void {
    for (const entry of this.unsettled(0)) this.#grow(entry, -entry.held);
    this.#inFlight.length = 0;
    this.#pending.length = 0;
  }

  /**
   * The entries that were certainly not written when the log refused append `n`, oldest first.
   * Earlier appends may be in the log, with their confirmations on the way.
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

  /** All changes of the memory count pass through here (commit.4). */
  #grow(entry: PendingEntry, bytes: number): void {
    entry.held += bytes;
    this.#bytes += bytes;
    this.#account.add("window", bytes);
  }
}

export function toGroups(entry: PendingEntry): RoomLines[] {
  return [...entry.groups].map(([room, { first, lines }]) => ({ room, first, lines }));
}
