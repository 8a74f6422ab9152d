// Control: both halves of the requests of an operator to all processes, on `ctl.<verb>`, and of the
// answers.
//
// Only the administrator's NATS user may publish on these subjects. Every process receives every
// request and answers the requests that concern it. It ignores an unknown verb or version (N5).
// Does not own: how a process answers (shared/process/control.ts).

import type { Resource } from "../kit/foresight.ts";
import { isCount, isObject, parseObject } from "../kit/json.ts";
import { isProcessId, isRoomId, isUserId } from "./ids.ts";
import type { NodeKind, Partition, ProcessId, RoomId, Seq, UserId } from "./ids.ts";

export type ControlVerb = "status" | "rooms" | "drain" | "kick";

export interface ControlRequest {
  readonly v: 1;
  /** The operator, for the log. */
  readonly by: string;
  /** drain: the process to drain. */
  readonly id?: ProcessId;
  /** kick: the user whose connections are closed. */
  readonly user?: UserId;
}

export interface LogStatus {
  readonly p: Partition;
  readonly isReachable: boolean;
  readonly lagEntries: number;
  readonly lagSeconds: number;
  /** Archived entries above the end of the log. Above 0: the log was lost (R1). */
  readonly missing?: number;
  /** The share of its bound that the log uses; undefined when it has no bound. */
  readonly fill?: number | undefined;
}

/** A resource of a process that will be exhausted. */
export interface ForecastStatus {
  readonly resource: Resource;
  /** One in ten such processes has less time than this. */
  readonly earliestSeconds: number;
  readonly medianSeconds: number;
  readonly latestSeconds: number;
  /** The kind of operation that grows together with the resource, if there is one. */
  readonly blamed?: string;
}

/** What the work of a room node costs. CPU time in cores. */
export interface LoadStatus {
  readonly capacity: number;
  readonly busy: number;
  /** The factor by which its share of the partitions is larger or smaller. */
  readonly weight: number;
  /** Partitions whose cost no move can distribute (P27). */
  readonly hot: readonly Partition[];
}

/** The answer to `status`. The optional fields depend on the kind of the process. */
export interface ProcessStatus {
  readonly v: 1;
  readonly id: ProcessId;
  readonly kind: NodeKind;
  readonly version: string;
  readonly host: string;
  readonly pid: number;
  readonly upSeconds: number;
  /** The partitions that the process knows of. */
  readonly partitions?: number;
  /** How many partitions it can serve after splits. Undefined: its version knows no splits. */
  readonly partitionsMax?: number;
  readonly connections?: number;
  readonly rooms?: number;
  readonly unanswered?: number;
  /** Room nodes: the partitions that they own, with their epochs. */
  readonly owns?: Readonly<Record<string, number>>;
  /** Room nodes. */
  readonly load?: LoadStatus;
  /** Persistence: the logs that it archives. */
  readonly logs?: readonly LogStatus[];
  readonly forecasts?: readonly ForecastStatus[];
}

/** [room, local sessions, head] of a gateway. */
export type RoomStatus = readonly [RoomId, number, Seq];

/** The answer of a gateway to `rooms`. */
export interface RoomsAnswer {
  readonly v: 1;
  readonly id: ProcessId;
  /** The rooms with the most sessions, in descending order. */
  readonly rooms: readonly RoomStatus[];
  /** The number of rooms that the answer leaves out. */
  readonly more: number;
}

/** The answer to `drain`. */
export interface DrainAnswer {
  readonly v: 1;
  readonly id: ProcessId;
}

/** The answer of a gateway to `kick`: how many connections it closed. */
export interface KickAnswer {
  readonly v: 1;
  readonly id: ProcessId;
  readonly closed: number;
}

export type ControlAnswer = ProcessStatus | RoomsAnswer | DrainAnswer | KickAnswer;

/** Rooms of one answer. A room takes 100 bytes, so the answer stays far below the limit of NATS. */
export const CONTROL_ROOMS_MAX = 1_000;

const KINDS: ReadonlySet<unknown> = new Set<NodeKind>([
  "gateway",
  "room",
  "persistence",
  "region",
  "webhooks",
  "operator",
]);

export function encodeControl(request: Omit<ControlRequest, "v">): string {
  return JSON.stringify({ v: 1, ...request });
}

export function encodeAnswer(answer: ControlAnswer): string {
  return JSON.stringify(answer);
}

/** Undefined unless the text is a whole request of version 1. */
export function decodeControl(text: string): ControlRequest | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1 || typeof value["by"] !== "string") return undefined;
  if (value["id"] !== undefined && !isProcessId(value["id"])) return undefined;
  if (value["user"] !== undefined && !isUserId(value["user"])) return undefined;
  return value as unknown as ControlRequest;
}

/**
 * Undefined unless the text is a whole status of version 1. The same holds for the other answers.
 */
export function decodeStatus(text: string): ProcessStatus | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1 || !isProcessId(value["id"]) || !isCount(value["pid"])) return undefined;
  const { kind, version, host, upSeconds, owns, load, logs } = value;
  if (!KINDS.has(kind) || typeof version !== "string" || typeof host !== "string") return undefined;
  if (!isCount(upSeconds)) return undefined;
  for (const name of ["partitions", "partitionsMax", "connections", "rooms", "unanswered"]) {
    if (value[name] !== undefined && !isCount(value[name])) return undefined;
  }
  if (owns !== undefined && !(isObject(owns) && Object.values(owns).every(isCount))) {
    return undefined;
  }
  if (load !== undefined && !isLoadStatus(load)) return undefined;
  if (logs !== undefined && !(Array.isArray(logs) && logs.every(isLogStatus))) return undefined;
  const { forecasts } = value;
  if (forecasts !== undefined && !(Array.isArray(forecasts) && forecasts.every(isForecast))) {
    return undefined;
  }
  return value as unknown as ProcessStatus;
}

export function decodeRooms(text: string): RoomsAnswer | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1 || !Array.isArray(value["rooms"]) || !isCount(value["more"])) {
    return undefined;
  }
  const rooms = value["rooms"] as readonly unknown[];
  return rooms.every(isRoomStatus) ? (value as unknown as RoomsAnswer) : undefined;
}

export function decodeDrain(text: string): DrainAnswer | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1 || !isProcessId(value["id"])) return undefined;
  return value as unknown as DrainAnswer;
}

export function decodeKick(text: string): KickAnswer | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1 || !isProcessId(value["id"]) || !isCount(value["closed"])) {
    return undefined;
  }
  return value as unknown as KickAnswer;
}

function isLogStatus(item: unknown): boolean {
  if (!isObject(item) || !isCount(item["p"]) || typeof item["isReachable"] !== "boolean") {
    return false;
  }
  const { lagEntries, lagSeconds, missing, fill } = item;
  if (!Number.isFinite(lagEntries) || !Number.isFinite(lagSeconds)) return false;
  return [missing, fill].every((count) => count === undefined || Number.isFinite(count));
}

function isForecast(item: unknown): boolean {
  if (!isObject(item) || typeof item["resource"] !== "string") return false;
  const { earliestSeconds, medianSeconds, latestSeconds, blamed } = item;
  if (blamed !== undefined && typeof blamed !== "string") return false;
  return [earliestSeconds, medianSeconds, latestSeconds].every(isCount);
}

function isLoadStatus(item: unknown): boolean {
  if (!isObject(item) || !Array.isArray(item["hot"]) || !item["hot"].every(isCount)) return false;
  return [item["capacity"], item["busy"], item["weight"]].every((number) =>
    Number.isFinite(number),
  );
}

function isRoomStatus(item: unknown): boolean {
  if (!Array.isArray(item)) return false;
  const [room, sessions, head] = item as readonly unknown[];
  return isRoomId(room) && isCount(sessions) && isCount(head);
}
