// Lane steps: what a lane is told and what it asks for. `T` is the caller's context of a command.

import type { Answer, Query, Unnumbered, Write } from "#shared/protocol/commands.ts";
import type { Epoch, RoomId, Seq } from "#shared/protocol/ids.ts";

/** A command before the lane gives it its number. The lane itself makes each sync. */
export type NewCommand = Unnumbered<Write | Query>;

export type LaneInput<T> =
  | { readonly kind: "submit"; readonly command: NewCommand; readonly context: T }
  | { readonly kind: "flush" }
  | { readonly kind: "results"; readonly epoch: Epoch; readonly answers: readonly Answer[] }
  /** `above`: an incarnation that the owner knows of this gateway; the next one is above it. */
  | {
      readonly kind: "resync";
      readonly epoch: Epoch;
      readonly incarnation: number;
      readonly above?: number | undefined;
    }
  /** The bus says that nobody takes commands of this partition, or of this epoch of it, now. */
  | { readonly kind: "no-responders"; readonly epoch?: Epoch }
  /** A beat named the partition's epoch. */
  | { readonly kind: "epoch"; readonly epoch: Epoch }
  /** The bus was away; what was published meanwhile is lost. */
  | { readonly kind: "reconnected" }
  | { readonly kind: "wake" };

export type LaneEffect<T> =
  /** Step with `flush` when this turn is over. */
  | { readonly kind: "flush-soon" }
  /** `to`: the epoch whose owner it is for; 0 for whoever owns the partition. */
  | { readonly kind: "publish"; readonly batch: string; readonly to: Epoch }
  | { readonly kind: "answer"; readonly context: T; readonly answer: Answer }
  | { readonly kind: "heads"; readonly heads: readonly (readonly [RoomId, Seq, string])[] }
  /** Tell the nodes that this partition's owner may be dead. */
  | { readonly kind: "suspect" };
