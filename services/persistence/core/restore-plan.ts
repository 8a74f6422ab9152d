// Restore plan: decides for each partition what to do after logs were lost. Pure.
//
// The archive has everything up to its watermark. Acknowledged messages behind it were only in the
// log.
//
//   restore-plan.1. A log that reaches the archive is kept. A log that holds entries is replaced
//        only if the operator names its partition (`discard`).
//   restore-plan.2. A birth is kept only with proof that nothing was behind the watermark: an
//        archive that is settled there and was never restored from a backup, or the operator's
//        statement (`lost`). Otherwise the rooms are recreated: their clients detect the new birth
//        and read them again.
//   restore-plan.3. Where births change, the new log continues LOST_ENTRIES_MAX above the
//        watermark: above every sequence, and so above every epoch, that the lost log can have
//        assigned. Processes that remember an old epoch then accept the new one.
//   restore-plan.4. An upper half whose split is not archived has not begun: it has an empty log,
//        and no watermark. Nothing of it is declared lost.

import { LOST_ENTRIES_MAX } from "#shared/ports/restore.ts";
import type { ArchiveEnd, LostRange } from "#shared/ports/restore.ts";
import { firstLogSeq } from "#shared/protocol/partition-map.ts";
import type { PartitionMap } from "#shared/protocol/partition-map.ts";
import type { LogSeq, Partition, RoomId } from "#shared/protocol/ids.ts";

export interface StreamState {
  readonly first: LogSeq;
  readonly last: LogSeq;
  readonly entries: number;
}

export interface RestoreChoice {
  /** What the archive knows about splits. */
  readonly map: PartitionMap;
  /** Rooms that lost acknowledged messages, if the operator knows that; "auto" uses the proof. */
  readonly lost: "auto" | "none" | "all" | readonly RoomId[];
  /** The operator states that this PostgreSQL was never restored from a backup. */
  readonly isArchiveIntact: boolean;
  /** Partitions whose remaining entries are discarded. */
  readonly discard: readonly Partition[];
}

export type PartitionPlan = { readonly p: Partition } & (
  | { readonly kind: "whole" }
  | { readonly kind: "refused"; readonly why: string }
  | {
      readonly kind: "restore";
      readonly firstSeq: LogSeq;
      /** Undefined: births are kept. */
      readonly lostRange?: LostRange;
      readonly why: string;
    }
);

export function planPartition(
  end: ArchiveEnd,
  stream: StreamState | undefined,
  choice: RestoreChoice,
): PartitionPlan {
  const { p, seq } = end;
  const begin = firstLogSeq(p, choice.map.first);
  if (seq < begin - 1) {
    // restore-plan.4
    if (stream !== undefined) return { p, kind: "whole" };
    return { p, kind: "restore", firstSeq: begin, why: "its partition has not begun" };
  }
  const hasGap = stream !== undefined && stream.first > seq + 1;
  if (stream !== undefined && stream.last >= seq && !hasGap) return { p, kind: "whole" };
  if (stream !== undefined && stream.entries > 0 && !choice.discard.includes(p)) {
    const { first, last } = stream;
    const why = `its log holds entries ${first} to ${last}, and the archive ends at ${seq}`;
    return { p, kind: "refused", why };
  }
  // The log had entries that the archive lacks, or has them still behind a gap.
  const assessment = hasGap ? certainLoss() : assessLoss(end, choice);
  if (assessment.lost === "nothing") {
    return { p, kind: "restore", firstSeq: seq + 1, why: assessment.why };
  }
  const to = Math.max(seq, stream?.last ?? 0) + LOST_ENTRIES_MAX; // restore-plan.3
  const rooms = assessment.lost === "all" ? {} : { rooms: new Set(assessment.lost) };
  const lostRange = { p, from: seq, to, ...rooms };
  return { p, kind: "restore", firstSeq: to + 1, lostRange, why: assessment.why };
}

interface LossAssessment {
  readonly lost: "nothing" | "all" | readonly RoomId[];
  readonly why: string;
}

function certainLoss(): LossAssessment {
  return { lost: "all", why: "entries between the archive and the log are gone" };
}

/** restore-plan.2. */
function assessLoss({ p, isSettled }: ArchiveEnd, choice: RestoreChoice): LossAssessment {
  const { lost, isArchiveIntact, map } = choice;
  if (lost === "none") return { lost: "nothing", why: "you state that nothing is lost" };
  if (lost === "all") return { lost: "all", why: "you state that something is lost" };
  if (lost !== "auto") {
    const here = lost.filter((room) => map.partitionOf(room) === p);
    if (here.length > 0)
      return { lost: here, why: `you state that ${here.join(", ")} lost something` };
    return { lost: "nothing", why: "you state that no room of this partition lost anything" };
  }
  if (!isSettled) return { lost: "all", why: "the log may have held more than the archive has" };
  if (isArchiveIntact)
    return { lost: "nothing", why: "the archive has all of it, and the last owner released it" };
  return {
    lost: "all",
    why: "nothing is lost if this archive was never restored from a backup; then pass --archive-intact",
  };
}
