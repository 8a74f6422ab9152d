// Watermark: the message with which persistence announces the watermark of a partition.
//
// Persistence publishes it on `watermark.<p>`: the archive has every entry of the partition log up
// to `seq`. A lost message does no harm, because persistence repeats it.

import { isCount, parseObject } from "../kit/json.ts";
import type { LogSeq, Partition } from "./ids.ts";

export interface WatermarkMessage {
  readonly v: 1;
  readonly p: Partition;
  readonly seq: LogSeq;
}

export function encodeWatermark(p: Partition, seq: LogSeq): string {
  return JSON.stringify({ v: 1, p, seq } satisfies WatermarkMessage);
}

/** Undefined unless the text is a whole message of version 1. */
export function decodeWatermark(text: string): WatermarkMessage | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1 || !isCount(value["seq"]) || !isCount(value["p"])) return undefined;
  return value as unknown as WatermarkMessage;
}
