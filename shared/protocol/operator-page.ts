// Operator page: what the operator service and the admin page exchange over HTTP.
//
// Owns: the path, the shapes of the answers and of the actions. Does not own: the checks of what
// arrives and who may ask (services/operator), how it is shown (client/operator).

import type { LogStatus, ProcessStatus } from "./control.ts";
import type { Millis, ProcessId, RoomId, UserId } from "./ids.ts";
import type { SessionId, SessionRecord } from "./session-records.ts";
import type { ListedWebhook } from "./webhooks.ts";

/** All paths of the service begin with it; the cookie is sent to no other. */
export const OPERATOR_PATH = "/operator";
export const CSRF_HEADER = "x-parley-csrf";

/** Rooms of one answer. */
export const ROOMS_SHOWN_MAX = 50;
/** Sessions of one page. */
export const SESSIONS_PAGE = 25;

/** Who is signed in. */
export interface SignedIn {
  readonly user: UserId;
  /** Each request that changes something repeats it in CSRF_HEADER. */
  readonly csrf: string;
  readonly endsAt: Millis;
}

export interface WatchedProcess extends ProcessStatus {
  /** When it answered last. Before the time of the snapshot: it does not answer any more. */
  readonly lastAt: Millis;
}

export interface WatchedPartition {
  readonly p: number;
  /** Each owner with its epoch: exactly one in a healthy cluster. */
  readonly owners: readonly (readonly [string, number])[];
  readonly log?: LogStatus | undefined;
}

/** Sums over the processes that answered. */
export interface HistoryPoint {
  readonly at: Millis;
  readonly sockets: number;
  readonly rooms: number;
  readonly lagEntries: number;
}

export interface ClusterSnapshot {
  /** When the answers were complete. */
  readonly at: Millis;
  /** By the same clock, when this answer was sent. */
  readonly now: Millis;
  /** False: the service has no connection to NATS, and this is the last snapshot before. */
  readonly isConnected: boolean;
  readonly processes: readonly WatchedProcess[];
  readonly partitions: readonly WatchedPartition[];
  readonly problems: readonly string[];
  /** Null: no process sends webhooks. */
  readonly webhooks: readonly ListedWebhook[] | null;
  /** The oldest first. */
  readonly history: readonly HistoryPoint[];
}

export interface ShownRoom {
  readonly room: RoomId;
  readonly sessions: number;
  readonly head: number;
}

export interface RoomsPage {
  readonly rooms: readonly ShownRoom[];
  /** Rooms that match and are left out; those that a gateway left out count too. */
  readonly more: number;
}

export interface SessionsPage {
  readonly sessions: readonly SessionRecord[];
  readonly from: number;
  readonly total: number;
}

/** The same commands as `parley drain`, `kick`, `revoke` and `devices end`. */
export type OperatorAction =
  | { readonly action: "drain"; readonly process: ProcessId }
  | { readonly action: "kick"; readonly user: UserId }
  | { readonly action: "revoke"; readonly user: UserId }
  | { readonly action: "end"; readonly user: UserId; readonly session: SessionId };

export type OperatorActionResult =
  | { readonly action: "drain"; readonly process: ProcessId }
  | { readonly action: "kick"; readonly closed: number }
  | { readonly action: "revoke"; readonly at: Millis }
  | { readonly action: "end"; readonly ended: number; readonly left: number };
