// Suspect report: the message by which a gateway reports that a partition has no owner on the bus.
//
// A gateway publishes it on `suspect.<p>` after NATS answered its commands with "no responders".
// Room nodes take it as a reason to start the failure detector, never as a proof (P16).

import { isCount, parseObject } from "../kit/json.ts";
import type { Partition } from "./ids.ts";

export interface SuspectReport {
  readonly v: 1;
  readonly p: Partition;
}

export function encodeSuspectReport(p: Partition): string {
  return JSON.stringify({ v: 1, p } satisfies SuspectReport);
}

/** Undefined unless the text is a whole report of version 1. */
export function decodeSuspectReport(text: string): SuspectReport | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1 || !isCount(value["p"])) return undefined;
  return value as unknown as SuspectReport;
}
