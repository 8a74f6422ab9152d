// Membership: beats and marks, the small messages by which processes know of each other.
//
// Membership is only a hint. Nothing here may be trusted for safety: that is the fence's duty.

import { isCount, isObject, parseObject } from "../kit/json.ts";
import { isProcessId } from "./ids.ts";
import type { Epoch, LogSeq, Partition, ProcessId } from "./ids.ts";

export const BEAT_MS = 1_000;
/** A room node that was silent for this long is no longer counted. */
export const NODE_TIMEOUT_MS = 3_500;
/** A gateway that was silent for this long has lost its users. */
export const GATEWAY_TIMEOUT_MS = 5_000;

export interface Beat {
  readonly v: 1;
  readonly id: ProcessId;
  /** `joining`: it listens and claims nothing yet, so nobody hands anything over to it. */
  readonly state: "joining" | "live" | "leaving";
  readonly version: string;
  /** Room nodes: the partitions they have not let go of, with their epochs. Others leave it out. */
  readonly owns?: { readonly [p: string]: Epoch };
}

/** `mark.<p>`: everything up to `seq` of the partition log is archived. */
export interface Mark {
  readonly v: 1;
  readonly p: Partition;
  readonly seq: LogSeq;
}

/** `suspect.<p>`: somebody waits for the owner of a partition and finds nobody there. */
export interface Suspect {
  readonly v: 1;
  readonly p: Partition;
}

const PARTITION = /^(?:0|[1-9]\d{0,3})$/;
const VERSION_UNITS_MAX = 64;
const STATES: ReadonlySet<unknown> = new Set<Beat["state"]>(["joining", "live", "leaving"]);

/** Undefined for what is not a beat. Its id may go into a subject, so it is checked as one (N1). */
export function decodeBeat(text: string): Beat | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1 || !isProcessId(value["id"])) return undefined;
  if (!STATES.has(value["state"])) return undefined;
  const { version } = value;
  if (typeof version !== "string" || version.length > VERSION_UNITS_MAX) return undefined;
  const { owns } = value;
  if (owns !== undefined && !(isObject(owns) && Object.entries(owns).every(isHolding))) {
    return undefined;
  }
  return value as unknown as Beat;
}

/** [partition, epoch] */
function isHolding([p, epoch]: [string, unknown]): boolean {
  return PARTITION.test(p) && isCount(epoch);
}

export function decodeMark(text: string): Mark | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1 || !isCount(value["seq"]) || !isCount(value["p"])) return undefined;
  return value as unknown as Mark;
}

export function decodeSuspect(text: string): Suspect | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1 || !isCount(value["p"])) return undefined;
  return value as unknown as Suspect;
}
