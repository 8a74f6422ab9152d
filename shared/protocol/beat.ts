// Beat: the message by which a process announces itself, its state and the partitions it owns.
//
// Every process publishes one on `node.<kind>` each BEAT_MS. Owns: the message, its codec, and the
// times after which a missing process counts as gone. Does not own: who is declared dead
// (kit/failure-detector.ts).
//
// A beat is a hint for placement and for clean-up. Safety depends on the fence alone.

import { isCount, isObject, parseObject } from "../kit/json.ts";
import { isProcessId } from "./ids.ts";
import type { Epoch, ProcessId } from "./ids.ts";
import { isNodeLoad } from "./load.ts";
import type { NodeLoad } from "./load.ts";
import { isRegionName } from "./regions.ts";

export const BEAT_MS = 1_000;
/** After this silence a room node no longer counts for placement. */
export const NODE_TIMEOUT_MS = 3_500;
/** After this silence the owners drop the members of a gateway. */
export const GATEWAY_TIMEOUT_MS = 5_000;

export interface Beat {
  readonly v: 1;
  readonly id: ProcessId;
  /** `joining`: it receives beats and claims nothing yet. No peer hands a partition over to it. */
  readonly state: "joining" | "live" | "leaving";
  readonly version: string;
  /** Room nodes only: the partitions that they have not released, with their epochs. */
  readonly owns?: { readonly [p: string]: Epoch };
  /** Room nodes only: what their work costs. Older versions send none. */
  readonly load?: NodeLoad;
  /** The region of the process, where it has one. Older versions send none. */
  readonly region?: string;
}

const PARTITION = /^(?:0|[1-9]\d{0,3})$/;
const VERSION_UNITS_MAX = 64;
const STATES: ReadonlySet<unknown> = new Set<Beat["state"]>(["joining", "live", "leaving"]);

export function encodeBeat(beat: Omit<Beat, "v">): string {
  return JSON.stringify({ v: 1, ...beat });
}

/** Undefined unless the text is a whole beat of version 1. The id is safe in a subject (N1). */
export function decodeBeat(text: string): Beat | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1 || !isProcessId(value["id"])) return undefined;
  if (!STATES.has(value["state"])) return undefined;
  const { version } = value;
  if (typeof version !== "string" || version.length > VERSION_UNITS_MAX) return undefined;
  const { owns, load, region } = value;
  if (owns !== undefined && !(isObject(owns) && Object.entries(owns).every(isOwned))) {
    return undefined;
  }
  if (load !== undefined && !isNodeLoad(load)) return undefined;
  if (region !== undefined && !isRegionName(region)) return undefined;
  return value as unknown as Beat;
}

/** Whether a beat came from another region. A process of an older version names none. */
export function isFar({ region }: Beat, own: string | undefined): boolean {
  return region !== undefined && own !== undefined && region !== own;
}

/** [partition, epoch] */
function isOwned([p, epoch]: [string, unknown]): boolean {
  return PARTITION.test(p) && isCount(epoch);
}
