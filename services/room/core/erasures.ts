// Erasures: which lines of one room in the owner's memory, and in the log entries behind it, have
// lost their text.
//
// Owns: the edits among the recent lines, and the lines that deletions erase. Does not own: the
// lines (recent.ts), the bytes of a tombstone (shared/protocol/tombstone.ts).
//
//   erasures.1. After the commit of a deletion, the owner shows no text of the message: neither
//       from memory nor from a log entry that it reads back (C6).
//   erasures.2. What is known of a line is dropped with the line: then the archive serves it.
//   erasures.3. Its memory is counted, and is given back by `clear`.

import { LazyMap } from "#shared/kit/lazy-map.ts";
import type { ReadonlyLazyMap } from "#shared/kit/lazy-map.ts";
import type { Deletion, RoomEvent } from "#shared/protocol/events.ts";
import type { Seq } from "#shared/protocol/ids.ts";
import { deletionOf, tombstoneOf } from "#shared/protocol/tombstone.ts";
import type { RoomMemory } from "./room-memory.ts";

/** The memory of an edit, and of a deletion of a line. */
const EDIT_BYTES = 96;
const ERASED_BYTES = 256;

export class Erasures {
  readonly #account: RoomMemory["account"] | undefined;
  /** The lines that hold an edit, each with its target. */
  readonly #edits = new LazyMap<Seq, Seq>();
  readonly #erased = new LazyMap<Seq, Deletion>();
  /** What the account has of it. */
  #counted = 0;

  constructor(account?: RoomMemory["account"]) {
    this.#account = account;
  }

  /** An event of the room, each in order. Returns the lines that it erases. */
  take(event: RoomEvent): readonly Seq[] {
    if (event.t === "edited") {
      this.#edits.set(event.seq, event.target);
      this.#count();
    }
    if (event.t !== "deleted") return [];
    const lines = [event.target];
    for (const [seq, target] of this.#edits) if (target === event.target) lines.push(seq);
    for (const seq of lines) this.#erased.set(seq, deletionOf(event));
    this.#count();
    return lines;
  }

  /** The line as it may be shown. */
  redact(seq: Seq, line: string): string {
    const deletion = this.#erased.get(seq);
    return deletion === undefined ? line : (tombstoneOf(line, deletion) ?? line);
  }

  /** Takes over what a replay read. Its deletions erase the edits before the replay, too. */
  absorb({ edits, erased }: { readonly edits: Edits; readonly erased: Erased }): void {
    for (const [seq, target] of edits) this.#edits.set(seq, target);
    for (const [seq, deletion] of erased) this.#erased.set(seq, deletion);
    for (const [seq, target] of this.#edits) {
      const deletion = erased.get(target);
      if (deletion !== undefined) this.#erased.set(seq, deletion);
    }
    this.#count();
  }

  get edits(): Edits {
    return this.#edits;
  }

  get erased(): Erased {
    return this.#erased;
  }

  /** The owner has no line below `first` (erasures.2). */
  trim(first: Seq): void {
    for (const lines of [this.#edits, this.#erased]) {
      for (const seq of lines.keys()) if (seq < first) lines.delete(seq);
    }
    this.#count();
  }

  /** Gives all memory back. */
  clear(): void {
    this.#edits.clear();
    this.#erased.clear();
    this.#count();
  }

  #count(): void {
    const bytes = this.#edits.size * EDIT_BYTES + this.#erased.size * ERASED_BYTES;
    if (bytes !== this.#counted) this.#account?.add("rooms", bytes - this.#counted);
    this.#counted = bytes;
  }
}

type Edits = ReadonlyLazyMap<Seq, Seq>;
type Erased = ReadonlyLazyMap<Seq, Deletion>;
