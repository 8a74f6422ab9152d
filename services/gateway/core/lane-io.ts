// Lane I/O: the inputs and effects of a lane. `T` is the caller's context of a command.

import type {
  Command,
  Query,
  Unnumbered,
  Write,
  ImportCommand,
} from "#shared/protocol/commands.ts";
import type { Answer } from "#shared/protocol/results.ts";
import type { Epoch, Millis, RoomId, Seq } from "#shared/protocol/ids.ts";

/** A command without its number. Only the lane itself creates `sync`. */
export type NewCommand = Unnumbered<Write | Query | ImportCommand>;

/** One unanswered command, encoded once. */
export interface Entry<T> {
  readonly c: number;
  readonly op: Command["op"];
  /** Undefined for a sync. */
  readonly room?: RoomId | undefined;
  /** Sends with the same key keep their order; "" for a command without an order. */
  readonly order: string;
  readonly json: string;
  readonly bytes: number;
  readonly deadline: Millis;
  /** Undefined for a command of the lane itself. */
  readonly context: T | undefined;
  copies: number;
  sentAt: Millis;
  isDone: boolean;
  /**
   * A later send with the same order key got a number, and the answer to this one was lost
   * (lane.7).
   */
  isLate: boolean;
}

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
  /**
   * The partition has split: the commands of rooms for which `isMoved` is true go to other lanes.
   * `epoch`: that of the owner that reported it, if an owner did.
   */
  | {
      readonly kind: "split";
      readonly isMoved: (room: RoomId) => boolean;
      readonly epoch?: Epoch | undefined;
    }
  /** Unanswered commands of another lane, in their order. This lane has none of their rooms yet. */
  | { readonly kind: "adopt"; readonly entries: readonly Entry<T>[] }
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
  /** The answer to `split`: the caller passes the entries to the lanes of their rooms. */
  | { readonly kind: "moved"; readonly entries: readonly Entry<T>[] }
  /** Report to the room nodes that this partition has no responding owner. */
  | { readonly kind: "suspect" };
