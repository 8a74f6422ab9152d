// Plan: what becomes of each partition when logs were lost. Pure.
//
// The archive has everything up to its watermark. What was acknowledged behind it was in the log alone.
//
//   restore-plan.1. A log that reaches the archive is left alone, and one that holds entries is not replaced unless
//        the operator gives it up by name (`discard`).
//   restore-plan.2. A birth is kept only with proof that nothing was behind the watermark: an archive that is
//        settled there and was never restored from a backup, or the operator's word (`lost`). In any
//        doubt the rooms are born again: their clients are told, and read them anew.
//   restore-plan.3. Where births change, the log goes on FORGOTTEN_MAX above the watermark: above every number, and
//        so every epoch, that the lost log can have given. Whoever remembers it loses against the new.

import { partitionOf } from "#shared/protocol/ids.ts";
import type { LogSeq, Partition, RoomId } from "#shared/protocol/ids.ts";

/** An entry is larger than 100 bytes, so a log of so many would hold 100 GB. */
export const FORGOTTEN_MAX = 1_000_000_000;

export interface StreamState {
  readonly first: LogSeq;
  readonly last: LogSeq;
  readonly entries: number;
}

export interface ArchiveEnd {
  readonly p: Partition;
  readonly seq: LogSeq;
  /** Nobody can have written behind it (archive.5), or nothing was ever written. */
  readonly isSettled: boolean;
}

export interface GivenUp {
  readonly p: Partition;
  readonly from: LogSeq;
  /** The new watermark: far above any number that the lost log can have given. */
  readonly to: LogSeq;
  /** The rooms that are born again; default: all of the partition. */
  readonly rooms?: ReadonlySet<RoomId>;
}

export interface RestoreChoice {
  readonly partitions: number;
  /** Of which rooms acknowledged messages are gone, if the operator knows better than the proof. */
  readonly lost: "auto" | "none" | "all" | readonly RoomId[];
  /** The operator's word that this PostgreSQL was never restored from a backup. */
  readonly isArchiveIntact: boolean;
  /** Partitions whose remaining entries are given up. */
  readonly discard: readonly Partition[];
}

export type PartitionPlan = { readonly p: Partition } & (
  | { readonly kind: "whole" }
  | { readonly kind: "refused"; readonly why: string }
  | {
      readonly kind: "restore";
      readonly firstSeq: LogSeq;
      /** Undefined: births are kept. */
      readonly givenUp?: GivenUp;
      readonly why: string;
    }
);

export function planPartition(
  end: ArchiveEnd,
  stream: StreamState | undefined,
  choice: RestoreChoice,
): PartitionPlan {
  const { p, seq } = end;
  const hasHole = stream !== undefined && stream.first > seq + 1;
  if (stream !== undefined && stream.last >= seq && !hasHole) return { p, kind: "whole" };
  if (stream !== undefined && stream.entries > 0 && !choice.discard.includes(p)) {
    const { first, last } = stream;
    const why = `it holds ${first} to ${last}, and the archive ends at ${seq}`;
    return { p, kind: "refused", why };
  }
  // Entries that the archive does not have stood there, or stand there still behind a hole.
  const verdict = hasHole ? lostForSure() : judge(end, choice);
  if (verdict.lost === "nothing") {
    return { p, kind: "restore", firstSeq: seq + 1, why: verdict.why };
  }
  const to = Math.max(seq, stream?.last ?? 0) + FORGOTTEN_MAX; // restore-plan.3
  const rooms = verdict.lost === "all" ? {} : { rooms: new Set(verdict.lost) };
  const givenUp = { p, from: seq, to, ...rooms };
  return { p, kind: "restore", firstSeq: to + 1, givenUp, why: verdict.why };
}

interface Verdict {
  readonly lost: "nothing" | "all" | readonly RoomId[];
  readonly why: string;
}

function lostForSure(): Verdict {
  return { lost: "all", why: "entries between the archive and the log are gone" };
}

/** restore-plan.2. */
function judge({ p, isSettled }: ArchiveEnd, choice: RestoreChoice): Verdict {
  const { lost, isArchiveIntact, partitions } = choice;
  if (lost === "none") return { lost: "nothing", why: "you say that nothing is lost" };
  if (lost === "all") return { lost: "all", why: "you say that something is lost" };
  if (lost !== "auto") {
    const here = lost.filter((room) => partitionOf(room, partitions) === p);
    if (here.length > 0)
      return { lost: here, why: `you say that ${here.join(", ")} lost something` };
    return { lost: "nothing", why: "you say that nothing of it is lost" };
  }
  if (!isSettled) return { lost: "all", why: "there may have been more than is archived" };
  if (isArchiveIntact) return { lost: "nothing", why: "all of it was released and archived" };
  return { lost: "all", why: "nothing is lost if the archive is no backup: --archive-intact" };
}
