// Membership: beats and marks, the small messages by which processes know of each other.
//
// Membership is only a hint. Nothing here may be trusted for safety: that is the fence's duty.

import { parseObject } from "../kit/json.ts";
import type { Epoch, LogSeq, Partition, ProcessId } from "./ids.ts";

export const BEAT_MS = 1_000;
/** A room node that was silent for this long is no longer counted. */
export const NODE_TIMEOUT_MS = 3_500;
/** A gateway that was silent for this long has lost its users. */
export const GATEWAY_TIMEOUT_MS = 5_000;

export interface Beat {
  readonly v: 1;
  readonly id: ProcessId;
  readonly state: "live" | "leaving";
  readonly version: string;
  /** Room nodes: the partitions they serve, with their epochs. Others leave it out. */
  readonly owns?: { readonly [p: string]: Epoch };
}

/** `mark.<p>`: everything up to `seq` of the partition log is archived. */
export interface Mark {
  readonly v: 1;
  readonly p: Partition;
  readonly seq: LogSeq;
}

export function decodeBeat(text: string): Beat | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1 || typeof value["id"] !== "string") return undefined;
  if (value["state"] !== "live" && value["state"] !== "leaving") return undefined;
  return value as unknown as Beat;
}

export function decodeMark(text: string): Mark | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1 || !Number.isSafeInteger(value["seq"])) return undefined;
  return value as unknown as Mark;
}
