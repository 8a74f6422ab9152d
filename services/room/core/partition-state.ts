// Partition state: the stations of one partition's life on one node, each with what it alone needs,
// and the waits between them. What leads from one to the next is partition.ts.

import { unreachable } from "#shared/kit/assert.ts";
import type { CommandBatch } from "#shared/protocol/commands.ts";
import { encodeEntry } from "#shared/protocol/entry.ts";
import type { DecodedEntry } from "#shared/protocol/entry.ts";
import type { Epoch, LogSeq, Millis, ProcessId } from "#shared/protocol/ids.ts";
import type { Effect, TenureInput } from "./effects.ts";
import type { Tenure } from "./tenure.ts";
import type { Replay } from "./replay.ts";

/** P6. */
export const FENCED_MS = 3_000;
/** The wait before the next try of a claim or a replay that got no answer. */
export const RETRY_MS = 200;
/** The wait after the log said that it is full. */
export const FULL_RETRY_MS = 1_000;

export type PartitionState =
  | { readonly kind: "idle" }
  /**
   * `full`: the log refused for lack of room; commands are answered `busy` meanwhile. `behind`: it
   * ended below its archive when it was last asked (R1).
   */
  | {
      readonly kind: "claiming";
      readonly retryAt: Millis;
      readonly full: boolean;
      readonly behind?: boolean;
    }
  | { readonly kind: "watermark"; readonly epoch: Epoch; readonly retryAt: Millis }
  | { readonly kind: "replaying"; readonly epoch: Epoch; readonly replay: Replay }
  | { readonly kind: "serving"; readonly tenure: Tenure }
  /** P10. Once it is `releasing` the tenure is over: nothing may be written behind the release. */
  | {
      readonly kind: "draining";
      readonly tenure: Tenure;
      readonly unsubscribed: boolean;
      readonly releasing: boolean;
    }
  /** An append of the tenure `epoch` has failed: whose entry stands at the log's end? */
  | { readonly kind: "judging"; readonly epoch: Epoch; readonly retryAt: Millis }
  | { readonly kind: "fenced"; readonly until: Millis; readonly rival: Rival };

/** Who took a partition over, and under which epoch. */
export interface Rival {
  readonly node: ProcessId;
  readonly epoch: Epoch;
}

/**
 * Who fences off the tenure `epoch` of `node`, if `entry` stands last, as `logSeq`: a newer tenure of
 * another. One's own lost append does not, and neither does a void commit of a stale owner (P15).
 */
export function rivalOf(
  { node, epoch }: Rival,
  { logSeq, entry }: { readonly logSeq: LogSeq; readonly entry: DecodedEntry | undefined },
): Rival | undefined {
  if (entry === undefined || entry.kind === "unreadable" || entry.node === node) return undefined;
  if (entry.kind === "claim") return { node: entry.node, epoch: logSeq };
  return entry.epoch < epoch ? undefined : { node: entry.node, epoch: entry.epoch };
}

export function appendClaim(node: ProcessId, at: Millis, expected: LogSeq): Effect {
  return { kind: "append", n: 0, text: encodeEntry({ kind: "claim", node, at }), expected };
}

export function appendRelease(
  by: { readonly node: ProcessId; readonly epoch: Epoch; readonly at: Millis },
  expected: LogSeq,
): Effect {
  return { kind: "append", n: 0, text: encodeEntry({ kind: "release", ...by }), expected };
}

/** The question of a station that got no answer, or none that helps. */
export function askAgain(
  state: Extract<PartitionState, { kind: "claiming" | "judging" | "watermark" }>,
): Effect {
  if (state.kind === "watermark") return { kind: "read-watermark", claim: state.epoch };
  return state.kind === "claiming"
    ? { kind: "read-last", withArchive: true }
    : { kind: "read-last" };
}

/** R1: numbers would be given twice, under a birth that says that they are the same. */
export function logBehindArchive(last: LogSeq, archived: LogSeq): Effect {
  return { kind: "log", event: "log behind archive", detail: { last, archived } };
}

/** The log is full: nothing of the batch is stored. */
export function busyReply({ gw: gateway, commands }: CommandBatch, epoch: Epoch): Effect {
  const afterMs = FULL_RETRY_MS;
  const results = commands.map(({ c }) => ({ result: { c, error: "busy", afterMs } as const }));
  return { kind: "reply", gateway, epoch, results };
}

export function serveInput(tenure: Tenure, input: TenureInput, now: Millis): Effect[] {
  switch (input.kind) {
    case "batch":
      return tenure.onBatch(input.batch, now);
    case "flush":
      return tenure.onFlush(now);
    case "gateway-gone":
      return tenure.onGatewayGone(input.gateway, now);
    case "gateway-back":
      return tenure.onGatewayBack(input.gateway, now);
    case "room-loaded":
      return tenure.onRoomLoaded(input, now);
    case "looked-up":
      return tenure.onLookedUp(input, now);
    default:
      return unreachable(input);
  }
}
