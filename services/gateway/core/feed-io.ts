// Feed steps: what a feed is told and what it asks for. `M` is a member, opaque to the feed.

import type { Seq } from "#shared/protocol/ids.ts";
import type { Block } from "#shared/protocol/lines.ts";

export type FeedInput<M> =
  | { readonly kind: "out"; readonly block: Block }
  | { readonly kind: "head"; readonly head: Seq }
  /** The owner took the join of `member` and named the room's head. */
  | {
      readonly kind: "join";
      readonly member: M;
      readonly head: Seq;
      readonly after?: Seq | undefined;
      readonly tail: number;
    }
  | { readonly kind: "leave"; readonly member: M }
  | { readonly kind: "flush" }
  /** The last `write` reached all its members, and cost that much. */
  | { readonly kind: "flushed"; readonly costMs: number }
  /** The member's socket is full; it has everything up to `cursor`. */
  | { readonly kind: "full"; readonly member: M; readonly cursor: Seq }
  /** The member has the turn that it wanted. */
  | { readonly kind: "turn"; readonly member: M }
  /** The last `chunk` was written. */
  | { readonly kind: "chunk-written"; readonly member: M }
  | { readonly kind: "fetched"; readonly first: Seq; readonly block: Block | undefined }
  /** Memory is short: forget what readers can get elsewhere. */
  | { readonly kind: "forget" }
  | { readonly kind: "wake" };

export type FeedEffect<M> =
  /** Step with `flush` when this turn is over. */
  | { readonly kind: "flush-soon" }
  /** Write the blocks to each member that is still live when its turn comes; then `flushed`. */
  | {
      readonly kind: "write";
      readonly blocks: readonly Block[];
      readonly from: Seq;
      readonly to: Seq;
      readonly members: readonly M[];
    }
  /** Step with `turn` when the member's socket has room and it is this room's turn there. */
  | { readonly kind: "want-turn"; readonly member: M }
  /** The turn is not needed any more, whether it was given or is still wanted. */
  | { readonly kind: "end-turn"; readonly member: M }
  /** Write the blocks to one member; then `chunk-written`. */
  | { readonly kind: "chunk"; readonly member: M; readonly blocks: readonly Block[] }
  | { readonly kind: "joined"; readonly member: M; readonly head: Seq; readonly from: Seq }
  | { readonly kind: "caught-up"; readonly member: M; readonly seq: Seq }
  /**
   * Read the range wherever it is; then `fetched` with the part from `first` on. `member` is who wants it;
   * without one, all members wait for it.
   */
  | {
      readonly kind: "fetch";
      readonly first: Seq;
      readonly last: Seq;
      readonly head: Seq;
      readonly member?: M;
    }
  /** `member` wants, too, what another one's fetch is reading. */
  | {
      readonly kind: "share-fetch";
      readonly first: Seq;
      readonly last: Seq;
      readonly head: Seq;
      readonly member: M;
    }
  /** What the member needs could not be had for too long. */
  | { readonly kind: "starved"; readonly member: M };
