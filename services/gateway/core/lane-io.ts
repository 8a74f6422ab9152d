// Lane I/O: the inputs and effects of a lane. `T` is the caller's context of a command.

import type { Answer, Query, Unnumbered, Write } from "#shared/protocol/commands.ts";
import type { Epoch, RoomId, Seq } from "#shared/protocol/ids.ts";

/** A command without its number. Only the lane itself creates `sync`. */
export type NewCommand = Unnumbered<Write | Query>;

export type LaneInput<T> =
  | { readonly kind: "submit"; readonly command: NewCommand; readonly context: T }
  | { readonly kind: "flush" }
  | { readonly kind: "results"; readonly epoch: Epoch; readonly answers: readonly Answer[] }
  /** `above`: an incarnation that the owner has of this gateway. The next one is above it. */
  | {
      readonly kind: "resync";
      readonly epoch: Epoch;
      readonly incarnation: number;
      readonly above?: number | undefined;
    }
  /** The bus reports no subscriber for commands of this partition, or of this epoch of it. */
  | { readonly kind: "no-responders"; readonly epoch?: Epoch }
  /** A beat named the partition's epoch. */
  | { readonly kind: "epoch"; readonly epoch: Epoch }
  /** The bus reconnected. Messages published while it was disconnected are lost. */
  | { readonly kind: "reconnected" }
  | { readonly kind: "wake" };

export type LaneEffect<T> =
  /** Step with `flush` at the end of this iteration of the event loop. */
  | { readonly kind: "flush-soon" }
  /** `to`: the epoch of the addressed owner; 0: any owner of the partition. */
  | { readonly kind: "publish"; readonly batch: string; readonly to: Epoch }
  | { readonly kind: "answer"; readonly context: T; readonly answer: Answer }
  | { readonly kind: "heads"; readonly heads: readonly (readonly [RoomId, Seq, string])[] }
  /** Report to the room nodes that this partition has no responding owner. */
  | { readonly kind: "suspect" };
