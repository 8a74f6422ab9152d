// Erasures: which lines of one room in the owner's memory, and in the log entries behind it, have
// lost their text.
//
// Owns: the edits among the recent lines, and the lines that deletions erase. Does not own: the
// lines (recent.ts), the bytes of a tombstone (shared/protocol/tombstone.ts).
//
//   erasures.1. After the commit of a deletion, the owner shows no text of the message: neither
//       from memory nor from a log entry that it reads back (C6).
//   erasures.2. What is known of a line is dropped with the line: then the archive serves it.

import type { Deletion, RoomEvent } from "#shared/protocol/events.ts";
import type { Seq } from "#shared/protocol/ids.ts";
import { deletionOf, tombstoneOf } from "#shared/protocol/tombstone.ts";

export class Erasures {
  /** The lines that hold an edit, each with its target. */
  readonly #edits = new Map<Seq, Seq>();
  readonly #erased = new Map<Seq, Deletion>();

  /** An event of the room, each in order. Returns the lines that it erases. */
  take(event: RoomEvent): readonly Seq[] {
    if (event.t === "edited") this.#edits.set(event.seq, event.target);
    if (event.t !== "deleted") return [];
    const lines = [event.target];
    for (const [seq, target] of this.#edits) if (target === event.target) lines.push(seq);
    for (const seq of lines) this.#erased.set(seq, deletionOf(event));
    return lines;
  }

  /** The line as it may be shown. */
  redact(seq: Seq, line: string): string {
    const deletion = this.#erased.get(seq);
    return deletion === undefined ? line : (tombstoneOf(line, deletion) ?? line);
  }

  /** Takes over what a replay read. */
  absorb({ edits, erased }: { readonly edits: Edits; readonly erased: Erased }): void {
    for (const [seq, target] of edits) this.#edits.set(seq, target);
    for (const [seq, deletion] of erased) this.#erased.set(seq, deletion);
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
  }
}

type Edits = ReadonlyMap<Seq, Seq>;
type Erased = ReadonlyMap<Seq, Deletion>;
