// Partition state: the states of one partition on one node, and the data of each state.
//
// Owns: the types of the states, their wait times, and the rule that distinguishes a rival from a
// stale owner. Does not own: the transitions between states (partition.ts).

import type { DecodedEntry } from "#shared/protocol/entry.ts";
import type { Epoch, LogSeq, Millis, ProcessId } from "#shared/protocol/ids.ts";
import type { Lapse } from "./lapse.ts";
import type { Tenure } from "./tenure.ts";
import type { Replay } from "./replay.ts";

/** P6: how long a fenced owner waits before it may claim again. */
export const FENCED_MS = 3_000;
/** The wait before a claim or a replay repeats a request that had no answer. */
export const RETRY_MS = 200;
/** The wait before a claim is tried again after the log reported that it is full. */
export const FULL_RETRY_MS = 1_000;
/**
 * The wait before the claim of an upper half asks the archive again for its watermark. Persistence
 * also publishes it.
 */
export const UNBEGUN_RETRY_MS = 1_000;
/** A split begins when the archive has the log as it was this long ago. */
export const ARCHIVED_LATELY_MS = 1_000;
/** The log has an entry of a newer version. Only another process can serve the partition (N8). */
export const NEWER_RETRY_MS = 5_000;

export type PartitionState =
  | { readonly kind: "idle" }
  /**
   * The claim is under way. `full`: the log had no room for it, and commands get `busy` meanwhile.
   * `behind`: the log ended below the archive's watermark when it was last read (R1). `unbegun`:
   * the archive does not have the split that begins this upper half (P28).
   */
  | {
      readonly kind: "claiming";
      readonly retryAt: Millis;
      readonly full: boolean;
      readonly behind?: boolean;
      readonly unbegun?: boolean;
    }
  /** The claim is in the log, and the archive's watermark is being read. */
  | { readonly kind: "watermark"; readonly epoch: Epoch; readonly retryAt: Millis }
  | { readonly kind: "replaying"; readonly epoch: Epoch; readonly replay: Replay }
  /** `lapse`: the owner takes no batch before it has read the end of the log (P32). */
  | { readonly kind: "serving"; readonly tenure: Tenure; readonly lapse?: Lapse }
  /**
   * P10. While `releasing`, the tenure is over: nothing may follow the release in the log. `split`:
   * the new `of`; the last entry is then a split, and the partition claims again (P28).
   */
  | {
      readonly kind: "draining";
      readonly tenure: Tenure;
      readonly unsubscribed: boolean;
      readonly releasing: boolean;
      readonly split?: number | undefined;
    }
  /** The tenure `epoch` has ended, and the last log entry is being read to find its writer. */
  | { readonly kind: "judging"; readonly epoch: Epoch; readonly retryAt: Millis }
  | { readonly kind: "fenced"; readonly until: Millis; readonly rival: Rival };

/** A node that has taken a partition over, and the epoch of its claim. */
export interface Rival {
  readonly node: ProcessId;
  readonly epoch: Epoch;
}

/**
 * The rival that fences the tenure `epoch` of `node`, given the last log entry: another node with a
 * newer tenure. The node's own lost append is no rival, and neither is a void commit of a stale
 * owner (P15).
 */
export function rivalOf(
  { node, epoch }: Rival,
  { logSeq, entry }: { readonly logSeq: LogSeq; readonly entry: DecodedEntry | undefined },
): Rival | undefined {
  if (entry === undefined || entry.kind === "unreadable" || entry.node === node) return undefined;
  if (entry.kind === "claim") return { node: entry.node, epoch: logSeq };
  return entry.epoch < epoch ? undefined : { node: entry.node, epoch: entry.epoch };
}
