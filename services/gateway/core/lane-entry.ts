// Lane entry: one unanswered command, encoded once, and the batches that entries form.

import { encodeLate } from "#shared/protocol/command-batch.ts";
import { COMMANDS } from "#shared/protocol/commands.ts";
import type { Answer } from "#shared/protocol/results.ts";
import { ERRORS, retryAfterMs } from "#shared/protocol/errors.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import { COMMAND_BATCH_BYTES_MAX } from "#shared/protocol/limits.ts";
import type { Entry, LaneEffect } from "./lane-io.ts";

export function encodeEntry<T>({ json, isLate }: Entry<T>): string {
  return isLate ? encodeLate(json) : json;
}

/** The next commands of `queue` that fit into one batch; at least one if the queue is not empty. */
export function takeBatch<T>(queue: readonly Entry<T>[]): {
  entries: Entry<T>[];
  consumed: number;
} {
  const entries: Entry<T>[] = [];
  let bytes = 128; // More than the batch's own header.
  let consumed = 0;
  for (const entry of queue) {
    if (entries.length > 0 && bytes + entry.bytes + 1 > COMMAND_BATCH_BYTES_MAX) break;
    consumed++;
    if (entry.isDone) continue; // It timed out before it was sent.
    entries.push(entry);
    bytes += entry.bytes + 1;
  }
  return { entries, consumed };
}

export function isPostponed({ result }: Answer): boolean {
  return "error" in result && ERRORS[result.error].retry;
}

/** A permanent refusal of a write. */
export function isFinalRefusal<T>(entry: Entry<T>, { result }: Answer): boolean {
  return COMMANDS[entry.op].retry === "deduped" && "error" in result && !ERRORS[result.error].retry;
}

export function answered<T>(entry: Entry<T>, answer: Answer): LaneEffect<T> {
  const { result } = answer;
  const isUncertain = "error" in result && ERRORS[result.error].retry && entry.copies > 1;
  // lane.3
  if (isUncertain && COMMANDS[entry.op].retry === "deduped") return refusal(entry, "unavailable");
  return { kind: "answer", context: entry.context as T, answer };
}

export function refusal<T>(entry: Entry<T>, error: ErrorName): LaneEffect<T> {
  const { c, context } = entry;
  const afterMs = retryAfterMs(error); // L1, L2
  const result = afterMs === undefined ? { c, error } : { c, error, afterMs };
  return { kind: "answer", context: context as T, answer: { result } };
}

export function firstOf<K, V>(map: ReadonlyMap<K, V>): V | undefined {
  for (const value of map.values()) return value;
  return undefined;
}
