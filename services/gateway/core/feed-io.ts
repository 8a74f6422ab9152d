// Feed I/O: the inputs and effects of a feed. `M` is a member, opaque to the feed.

import type { LeftReason } from "#shared/protocol/server-frames.ts";
import type { Seq } from "#shared/protocol/ids.ts";
import type { Block } from "#shared/protocol/lines.ts";

export type FeedInput<M> =
  | { readonly kind: "out"; readonly block: Block }
  | { readonly kind: "head"; readonly head: Seq }
  /** The owner accepted the join of `member` and returned the room's head. */
  | {
      readonly kind: "join";
      readonly member: M;
      readonly head: Seq;
      readonly after?: Seq | undefined;
      readonly tail: number;
    }
  | { readonly kind: "leave"; readonly member: M }
  | { readonly kind: "flush" }
  /** The last `write` reached all its members; its cost in ms. */
  | { readonly kind: "flushed"; readonly costMs: number }
  /** The member's socket is full. The member has every line up to `cursor`. */
  | { readonly kind: "full"; readonly member: M; readonly cursor: Seq }
  /** The member has the turn that it requested. */
  | { readonly kind: "turn"; readonly member: M }
  /** The last `chunk` was written. */
  | { readonly kind: "chunk-written"; readonly member: M }
  | { readonly kind: "fetched"; readonly first: Seq; readonly block: Block | undefined }
  /** Memory is short: drop the lines that readers can fetch. */
  | { readonly kind: "forget" }
  | { readonly kind: "wake" };

export type FeedEffect<M> =
  /** Step with `flush` at the end of this iteration of the event loop. */
  | { readonly kind: "flush-soon" }
  /**
   * Write the blocks to each of the members that is still live at that moment; then step with
   * `flushed`.
   */
  | {
      readonly kind: "write";
      readonly blocks: readonly Block[];
      readonly from: Seq;
      readonly to: Seq;
      readonly members: readonly M[];
    }
  /** Step with `turn` when the member's socket has room and the turn is this room's. */
  | { readonly kind: "request-turn"; readonly member: M }
  /** The member no longer needs its turn, whether it has one or still waits for it. */
  | { readonly kind: "end-turn"; readonly member: M }
  /** Write the blocks to one member; then step with `chunk-written`. */
  | { readonly kind: "chunk"; readonly member: M; readonly blocks: readonly Block[] }
  | { readonly kind: "joined"; readonly member: M; readonly head: Seq; readonly from: Seq }
  | { readonly kind: "caught-up"; readonly member: M; readonly seq: Seq }
  /** The member lost its right to read, has every line up to `seq`, and left the feed. */
  | ({ readonly kind: "removed"; readonly member: M } & Removal)
  /**
   * Read the range from the owner or the archive; then step with `fetched`, with the part that
   * begins at `first`. `member` needs the range; without `member`, all members need it.
   */
  | {
      readonly kind: "fetch";
      readonly first: Seq;
      readonly last: Seq;
      readonly head: Seq;
      readonly member?: M;
    }
  /** `member` also needs the range that another member's fetch reads. */
  | {
      readonly kind: "share-fetch";
      readonly first: Seq;
      readonly last: Seq;
      readonly head: Seq;
      readonly member: M;
    }
  /** The lines that the member needs were not available for too long. */
  | { readonly kind: "starved"; readonly member: M };

/** The end of a membership, decided by a line of the room. */
export interface Removal {
  /** The last line that the member receives. */
  readonly seq: Seq;
  readonly reason: LeftReason;
}

/**
 * Judges a run of lines that change who may do what, in order. Returns the members that lose the
 * right to read.
 */
export type JudgeRemovals<M> = (
  lines: readonly (readonly [Seq, Uint8Array])[],
  members: Iterable<M>,
) => ReadonlyMap<M, Removal>;
