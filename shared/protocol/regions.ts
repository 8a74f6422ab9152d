// Regions: both halves of the messages between the witness, the region agents, the processes of a
// region, and the `parley region` command.
//
// Owns: the shapes and their codecs. Does not own: who may serve (services/region/core/term.ts).
//
//   regions.1. A region's name is safe in a subject. It is also its JetStream domain.
//   regions.2. A decoder returns undefined for another shape or another version (N5).
//   regions.3. A grant holds no time of a clock. It holds the time that is left, which its receiver
//        counts from the moment when it sent the request.

import { isCount, isObject, parseObject } from "../kit/json.ts";
import type { JsonObject } from "../kit/json.ts";
import type { LogSeq, Millis, Partition } from "./ids.ts";

export type RegionMode = "synchronous" | "asynchronous";
/** `leaving`: a planned hand-over is under way, and nothing is served. */
export type RegionPhase = "promoting" | "serving" | "leaving";

/** The value of the key `term` of the witness. */
export interface TermRecord {
  readonly v: 1;
  /** The region that may serve while it renews. */
  readonly region: string;
  /** Grows by one when another region takes over. */
  readonly term: number;
  readonly mode: RegionMode;
  readonly phase: RegionPhase;
  /** The only region that may take over; null: none. */
  readonly follower: string | null;
  /**
   * `whole`: nothing that was acknowledged is missing in the logs of this term's region. Births
   * stay. `partial`: something may be missing, so births change.
   */
  readonly logs: "whole" | "partial";
  /** The lease of each renewal. A candidate waits by this number, not by its own setting. */
  readonly leaseMs: Millis;
}

/**
 * The value of the key `history.<term>`: for each partition the last entry that the region had when
 * its term began, in its log or in its archive.
 */
export interface TermHistory {
  readonly v: 1;
  readonly term: number;
  readonly region: string;
  readonly ends: readonly LogSeq[];
}

/**
 * What a grant allows. `archive` and `follow` are for persistence alone: before the region serves,
 * and while it follows and archives its mirrors (only with homes).
 */
export type GrantFor = "nothing" | "follow" | "archive" | "everything";

/** process → agent, on `region.grant`. */
export interface GrantRequest {
  readonly v: 1;
  readonly n: number;
}

/** What a region may do in one term. */
export interface Right {
  readonly term: number;
  readonly for: GrantFor;
  /** regions.3. */
  readonly leftMs: Millis;
  /** The region whose mirror must confirm each append; null: none. */
  readonly mirror: string | null;
}

/** The right to the partitions of one home. */
export interface HomeRight extends Right {
  readonly home: string;
  readonly partitions: readonly Partition[];
}

/**
 * agent → process: the answer to a GrantRequest. With homes it allows nothing by itself, so that a
 * process of a version without homes serves nothing.
 */
export interface Grant extends Right {
  readonly v: 1;
  readonly n: number;
  /** Where both regions serve. */
  readonly homes?: readonly HomeRight[];
  /** With homes: how long gateways may take clients (regions.3). */
  readonly clientsMs?: Millis;
}

/** agent of the follower → room nodes of the serving region, on `region.mirrored.<follower>`. */
export interface Mirrored {
  readonly v: 1;
  readonly region: string;
  /** Where both regions serve: the home of the partitions. */
  readonly home?: string;
  readonly term: number;
  /** The last entry that the mirror of a partition holds on its disks. */
  readonly ends: readonly (readonly [Partition, LogSeq])[];
}

export const REGION_VERBS = ["status", "promote", "demote", "rejoin", "mode"] as const;
export type RegionVerb = (typeof REGION_VERBS)[number];

/** `parley region` → agent, on `region.control`. */
export interface RegionRequest {
  readonly v: 1;
  readonly verb: RegionVerb;
  /** The operator, for the log. */
  readonly by: string;
  /** The home that the request is about, where both regions serve. */
  readonly home?: string;
  /** mode: the mode that is wanted. */
  readonly mode?: RegionMode;
  /** promote: also when this region is not the follower. */
  readonly acceptLoss?: boolean;
  /** rejoin: the last entry of each log that the operator has saved; null: no such log. */
  readonly saved?: readonly (LogSeq | null)[];
}

export const REGION_REFUSALS = [
  "term_held",
  "not_following",
  "not_serving",
  "no_follower",
  "no_witness",
  "not_saved",
  "bad_request",
  "busy",
  "failed",
] as const;
export type RegionRefusal = (typeof REGION_REFUSALS)[number];

export const AGENT_STATES = [
  "no-witness",
  "no-term",
  "serving",
  "promoting",
  "leaving",
  "lapsed",
  "following",
  "catching-up",
  "detached",
] as const;
export type AgentState = (typeof AGENT_STATES)[number];

export interface RegionLog {
  readonly p: Partition;
  readonly first: LogSeq;
  readonly last: LogSeq;
  readonly isMirror: boolean;
  /** Entries that the mirror has not received, by its server; only for a mirror. */
  readonly lag?: number;
  /** The last entry that this region shares with the region that serves, if it is known. */
  readonly common?: LogSeq;
}

export interface RegionStatus {
  readonly region: string;
  readonly peer: string;
  /** Where both regions serve: the home that this status is about, and all homes. */
  readonly home?: string;
  readonly homes?: readonly string[];
  readonly state: AgentState;
  readonly record: TermRecord | null;
  /** The time that is left of this region's lease; 0: none. */
  readonly leftMs: Millis;
  /** The entries that the follower's mirrors lack, in all partitions; null: not known. */
  readonly lag: number | null;
  readonly logs: readonly RegionLog[];
}

export type RegionAnswer =
  | { readonly v: 1; readonly ok: RegionStatus }
  | { readonly v: 1; readonly error: RegionRefusal; readonly message: string };

const NAME = /^[a-z][a-z0-9-]{0,31}$/;
const MODES: ReadonlySet<unknown> = new Set<RegionMode>(["synchronous", "asynchronous"]);
const PHASES: ReadonlySet<unknown> = new Set<RegionPhase>(["promoting", "serving", "leaving"]);
const GRANTS: ReadonlySet<unknown> = new Set<GrantFor>([
  "nothing",
  "follow",
  "archive",
  "everything",
]);
const STATES: ReadonlySet<unknown> = new Set(AGENT_STATES);
const VERBS: ReadonlySet<unknown> = new Set(REGION_VERBS);
const REFUSALS: ReadonlySet<unknown> = new Set(REGION_REFUSALS);

/** regions.1. */
export function isRegionName(value: unknown): value is string {
  return typeof value === "string" && NAME.test(value);
}

export function encodeTerm(record: Omit<TermRecord, "v">): string {
  return JSON.stringify({ v: 1, ...record });
}

export function decodeTerm(text: string): TermRecord | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1 || !isTermRecord(value)) return undefined;
  return value as unknown as TermRecord;
}

export function encodeHistory(history: Omit<TermHistory, "v">): string {
  return JSON.stringify({ v: 1, ...history });
}

export function decodeHistory(text: string): TermHistory | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1 || !isCount(value["term"]) || !isRegionName(value["region"])) {
    return undefined;
  }
  const { ends } = value;
  if (!Array.isArray(ends) || !ends.every(isCount)) return undefined;
  return value as unknown as TermHistory;
}

export function encodeGrantRequest(n: number): string {
  return JSON.stringify({ v: 1, n } satisfies GrantRequest);
}

export function decodeGrantRequest(text: string): GrantRequest | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1 || !isCount(value["n"])) return undefined;
  return value as unknown as GrantRequest;
}

export function encodeGrant(grant: Omit<Grant, "v">): string {
  return JSON.stringify({ v: 1, ...grant });
}

export function decodeGrant(text: string): Grant | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1 || !isCount(value["n"]) || !isRight(value)) return undefined;
  const { homes, clientsMs } = value;
  if (homes !== undefined && !(Array.isArray(homes) && homes.every(isHomeRight))) return undefined;
  if (clientsMs !== undefined && !isDuration(clientsMs)) return undefined;
  return value as unknown as Grant;
}

export function encodeMirrored(report: Omit<Mirrored, "v">): string {
  return JSON.stringify({ v: 1, ...report });
}

export function decodeMirrored(text: string): Mirrored | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1 || !isRegionName(value["region"]) || !isCount(value["term"])) {
    return undefined;
  }
  const { ends, home } = value;
  if (home !== undefined && !isRegionName(home)) return undefined;
  if (!Array.isArray(ends) || !ends.every(isEnd)) return undefined;
  return value as unknown as Mirrored;
}

export function encodeRegionRequest(request: Omit<RegionRequest, "v">): string {
  return JSON.stringify({ v: 1, ...request });
}

export function decodeRegionRequest(text: string): RegionRequest | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1 || !VERBS.has(value["verb"])) return undefined;
  const { by, home, mode, acceptLoss, saved } = value;
  if (typeof by !== "string") return undefined;
  if (home !== undefined && !isRegionName(home)) return undefined;
  if (mode !== undefined && !MODES.has(mode)) return undefined;
  if (acceptLoss !== undefined && typeof acceptLoss !== "boolean") return undefined;
  if (saved !== undefined && !(Array.isArray(saved) && saved.every(isCountOrNull))) {
    return undefined;
  }
  return value as unknown as RegionRequest;
}

export function encodeRegionAnswer(answer: RegionAnswer): string {
  return JSON.stringify(answer);
}

export function decodeRegionAnswer(text: string): RegionAnswer | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1) return undefined;
  const { ok, error, message } = value;
  if (ok === undefined) {
    if (!REFUSALS.has(error) || typeof message !== "string") return undefined;
  } else if (!isStatus(ok)) return undefined;
  return value as unknown as RegionAnswer;
}

function isTermRecord(value: JsonObject): boolean {
  const { region, term, mode, phase, follower, logs, leaseMs } = value;
  if (!isRegionName(region) || !isCount(term) || !MODES.has(mode) || !PHASES.has(phase)) {
    return false;
  }
  if (!isCount(leaseMs) || leaseMs === 0) return false;
  if (follower !== null && !isRegionName(follower)) return false;
  return logs === "whole" || logs === "partial";
}

function isRight({ term, for: allowed, leftMs, mirror }: JsonObject): boolean {
  if (!isCount(term) || !GRANTS.has(allowed) || !isDuration(leftMs)) return false;
  return mirror === null || isRegionName(mirror);
}

function isHomeRight(item: unknown): boolean {
  if (!isObject(item) || !isRegionName(item["home"]) || !isRight(item)) return false;
  const { partitions } = item;
  return Array.isArray(partitions) && partitions.every(isCount);
}

function isDuration(value: unknown): boolean {
  return typeof value === "number" && value >= 0;
}

function isStatus(value: unknown): boolean {
  if (!isObject(value) || !isRegionName(value["region"]) || !isRegionName(value["peer"])) {
    return false;
  }
  const { state, record, leftMs, lag, logs, home, homes } = value;
  if (home !== undefined && !isRegionName(home)) return false;
  if (homes !== undefined && !(Array.isArray(homes) && homes.every(isRegionName))) return false;
  if (!STATES.has(state) || typeof leftMs !== "number" || !isCountOrNull(lag)) return false;
  if (record !== null && !(isObject(record) && isTermRecord(record))) return false;
  return Array.isArray(logs) && logs.every(isRegionLog);
}

function isRegionLog(item: unknown): boolean {
  if (!isObject(item) || typeof item["isMirror"] !== "boolean") return false;
  const { p, first, last, lag, common } = item;
  if (![p, first, last].every(isCount)) return false;
  return [lag, common].every((count) => count === undefined || isCount(count));
}

function isEnd(item: unknown): boolean {
  return Array.isArray(item) && item.length === 2 && item.every(isCount);
}

function isCountOrNull(value: unknown): boolean {
  return value === null || isCount(value);
}
