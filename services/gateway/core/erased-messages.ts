// Erased messages: the deletions that a feed has passed, so that no line of a deleted message
// leaves the gateway with its text again.
//
// Owns: the deletions of one room, and the rewriting of blocks. Does not own: the ring (ring.ts),
// the sources of lines, the bytes of a tombstone (shared/protocol/tombstone.ts).
//
//   erased-messages.1. A block that passes `redact` has no text of a message whose deletion the
//        feed has passed, also when its source answered before it knew the deletion.
//   erased-messages.2. At most DELETIONS_MAX are kept, the oldest goes first: by then owner and
//        archive have it.
//   erased-messages.3. Their memory counts with the ring's.

import { LazyMap } from "#shared/kit/lazy-map.ts";
import { readEvent } from "#shared/protocol/events.ts";
import type { Deletion } from "#shared/protocol/events.ts";
import type { Seq } from "#shared/protocol/ids.ts";
import type { Block } from "#shared/protocol/lines.ts";
import { deletionOf, erasedWith, tombstoneOf } from "#shared/protocol/tombstone.ts";

export const DELETIONS_MAX = 1_000;
/** The memory of a deletion with its user, at most. */
const DELETION_BYTES = 384;

/** UTF-8; the core has no codec of its own. */
export interface TextCodec {
  decode(bytes: Uint8Array): string;
  encode(text: string): Uint8Array;
}

export class ErasedMessages {
  readonly #utf8: TextCodec | undefined;
  readonly #deletions = new LazyMap<Seq, Deletion>();

  /** Without a codec it erases nothing: for feeds whose lines have no deletion. */
  constructor(utf8: TextCodec | undefined) {
    this.#utf8 = utf8;
  }

  get bytes(): number {
    return this.#deletions.size * DELETION_BYTES;
  }

  /** A `deleted` line. */
  take(line: Uint8Array): void {
    const event = this.#utf8 && readEvent(this.#utf8.decode(line));
    if (event?.t !== "deleted") return;
    this.#deletions.delete(event.target);
    this.#deletions.set(event.target, deletionOf(event));
    for (const oldest of this.#deletions.keys()) {
      if (this.#deletions.size <= DELETIONS_MAX) return;
      this.#deletions.delete(oldest);
    }
  }

  /** The same block when none of its lines is erased. */
  redact(block: Block): Block {
    const utf8 = this.#utf8;
    if (utf8 === undefined || this.#deletions.size === 0 || block.count === 0) return block;
    const { first, count } = block;
    let isChanged = false;
    const lines = utf8
      .decode(block.bytes)
      .split("\n")
      .map((line, i) => {
        const text = this.#redactLine(first + i, line);
        isChanged ||= text !== line;
        return text;
      });
    return isChanged ? { first, count, bytes: utf8.encode(lines.join("\n")) } : block;
  }

  #redactLine(seq: Seq, line: string): string {
    // Only an edit has to be read to know its message.
    const isEdit = line.startsWith('{"t":"edited"');
    const event = isEdit ? readEvent(line) : undefined;
    const deletion = this.#deletions.get((event && erasedWith(event)) ?? seq);
    return deletion === undefined ? line : (tombstoneOf(line, deletion) ?? line);
  }
}
