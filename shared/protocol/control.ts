// Control: what whoever operates a cluster asks of its processes, on `ctl.<verb>`.
//
// Only the administrator's NATS user may publish there. Every process hears everything and answers
// what concerns it; a verb or a version that it does not know it leaves alone (N5).

import { isCount, isObject, parseObject } from "../kit/json.ts";
import { isProcessId, isRoomId, isUserId } from "./ids.ts";
import type { NodeKind, Partition, ProcessId, RoomId, Seq, UserId } from "./ids.ts";

export type ControlVerb = "status" | "rooms" | "drain" | "kick";

export interface ControlRequest {
  readonly v: 1;
  /** Who asks, for the log. */
  readonly by: string;
  /** drain: which process. */
  readonly id?: ProcessId;
  /** kick: whose connections. */
  readonly user?: UserId;
}

export interface LogStatus {
  readonly p: Partition;
  readonly isReachable: boolean;
  readonly lagEntries: number;
  readonly lagSeconds: number;
  /** Archived entries above the end of the log; above 0 it was lost (R1). */
  readonly missing?: number;
  /** Of what it may hold; undefined when there is no bound. */
  readonly fill?: number | undefined;
}

/** What a process says of itself; each kind fills in its own part. */
export interface ProcessStatus {
  readonly v: 1;
  readonly id: ProcessId;
  readonly kind: NodeKind;
  readonly version: string;
  readonly host: string;
  readonly pid: number;
  readonly upSeconds: number;
  readonly partitions?: number;
  readonly connections?: number;
  readonly rooms?: number;
  readonly unanswered?: number;
  /** Room nodes: the partitions held, with their epochs. */
  readonly owns?: Readonly<Record<string, number>>;
  /** Persistence: the logs that it archives. */
  readonly logs?: readonly LogStatus[];
}

/** [room, local sessions, head] of a gateway, those with most sessions first. */
export type RoomStatus = readonly [RoomId, number, Seq];

export interface RoomsAnswer {
  readonly v: 1;
  readonly id: ProcessId;
  readonly rooms: readonly RoomStatus[];
  /** Rooms that were left out. */
  readonly more: number;
}

/** Rooms in one answer: 100 bytes each stay far below what NATS carries. */
export const CONTROL_ROOMS_MAX = 1_000;

const KINDS: ReadonlySet<unknown> = new Set<NodeKind>(["gateway", "room", "persistence"]);

export function decodeControl(text: string): ControlRequest | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1 || typeof value["by"] !== "string") return undefined;
  if (value["id"] !== undefined && !isProcessId(value["id"])) return undefined;
  if (value["user"] !== undefined && !isUserId(value["user"])) return undefined;
  return value as unknown as ControlRequest;
}

export function decodeStatus(text: string): ProcessStatus | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1 || !isProcessId(value["id"]) || !isCount(value["pid"])) return undefined;
  const { kind, version, host, upSeconds, owns, logs } = value;
  if (!KINDS.has(kind) || typeof version !== "string" || typeof host !== "string") return undefined;
  if (!isCount(upSeconds)) return undefined;
  for (const name of ["partitions", "connections", "rooms", "unanswered"]) {
    if (value[name] !== undefined && !isCount(value[name])) return undefined;
  }
  if (owns !== undefined && !(isObject(owns) && Object.values(owns).every(isCount))) {
    return undefined;
  }
  if (logs !== undefined && !(Array.isArray(logs) && logs.every(isLogStatus))) return undefined;
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

function isLogStatus(item: unknown): boolean {
  if (!isObject(item) || !isCount(item["p"]) || typeof item["isReachable"] !== "boolean") {
    return false;
  }
  const { lagEntries, lagSeconds, missing, fill } = item;
  if (!Number.isFinite(lagEntries) || !Number.isFinite(lagSeconds)) return false;
  return [missing, fill].every((count) => count === undefined || Number.isFinite(count));
}

function isRoomStatus(item: unknown): boolean {
  if (!Array.isArray(item)) return false;
  const [room, sessions, head] = item as readonly unknown[];
  return isRoomId(room) && isCount(sessions) && isCount(head);
}
