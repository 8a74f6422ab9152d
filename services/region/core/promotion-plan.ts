// Promotion plan: what to do with the log of each partition when a region begins a term. Pure.
//
// `end`: what the region had when the term began (history.<term>): the last entry of its mirror, or
// the watermark of its archive where that was ahead. `archived`: the watermark now. `last`: the
// last entry of its log now.
//
//   promotion-plan.1. Whole logs (synchronous mode, or a hand-over): nothing that was acknowledged
//        is missing, so births stay. An archive that is ahead of its log has entries that were
//        never acknowledged; the log continues behind them.
//   promotion-plan.2. Partial logs: the archive first takes the rest of the mirror. Then everything
//        behind it is declared lost, with new births and the distance of a restore (R2).
//   promotion-plan.3. A plan that was begun and interrupted is continued: a watermark at that
//        distance was declared before, and is not declared again.

import { LOST_ENTRIES_MAX } from "#shared/ports/restore.ts";
import type { LostRange } from "#shared/ports/restore.ts";
import type { LogSeq, Partition } from "#shared/protocol/ids.ts";

export interface PartitionState {
  readonly p: Partition;
  readonly end: LogSeq;
  readonly archived: LogSeq;
  readonly last: LogSeq;
}

export interface PromotionPlan {
  /** Partitions whose archive still lacks entries of the mirror. Nothing else may be done yet. */
  readonly unarchived: readonly Partition[];
  /** Ranges to declare lost. */
  readonly lost: readonly LostRange[];
  /** Logs to create again, and their first sequences, after the ranges are declared. */
  readonly firstSeqs: ReadonlyMap<Partition, LogSeq>;
}

export function planPromotion(
  logs: "whole" | "partial",
  states: readonly PartitionState[],
): PromotionPlan {
  if (logs === "whole") {
    const behind = states.filter(({ last, archived }) => last < archived); // promotion-plan.1
    const firstSeqs = new Map(behind.map(({ p, archived }) => [p, archived + 1]));
    return { unarchived: [], lost: [], firstSeqs };
  }
  const isDeclared = ({ archived, end }: PartitionState): boolean =>
    archived >= end + LOST_ENTRIES_MAX; // promotion-plan.3
  const unarchived = states.filter((state) => !isDeclared(state) && state.archived < state.end);
  if (unarchived.length > 0) {
    return { unarchived: unarchived.map(({ p }) => p), lost: [], firstSeqs: new Map() };
  }
  const lost = states
    .filter((state) => !isDeclared(state))
    .map(({ p, archived }) => ({ p, from: archived, to: archived + LOST_ENTRIES_MAX }));
  const targets = new Map(lost.map(({ p, to }) => [p, to]));
  const firstSeqs = new Map<Partition, LogSeq>();
  for (const { p, archived, last } of states) {
    const watermark = targets.get(p) ?? archived;
    if (last < watermark) firstSeqs.set(p, watermark + 1);
  }
  return { unarchived: [], lost, firstSeqs };
}
