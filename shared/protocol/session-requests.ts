// Session requests: both halves of the requests of gateways to persistence on `sess`, of the
// answers, and of the notices of persistence to one gateway on `sess.<gateway>`.
//
// A gateway has no right to JetStream (X5), so persistence reads and writes the buckets `gateways`
// and `sessions` for it. Does not own: where they are stored (shared/ports/session-store.ts).
//
//   session-requests.1. Every request may be repeated: a repeated write changes nothing, and
//        gets the same answer.
//   session-requests.2. A decoder returns undefined for another version (N5), another shape, or
//        more writes than a request may have. An unknown op is answered with `bad_request`.

import { isCount, isObject, parseObject } from "../kit/json.ts";
import { isMessageId, isProcessId, isStorable, isUserId } from "./ids.ts";
import type { Millis, ProcessId, UserId } from "./ids.ts";
import { END_REASONS, readSessionEvent, readSessionRecord } from "./session-records.ts";
import type { EndReason, SessionEvent, SessionId, SessionRecord } from "./session-records.ts";

const VERSION = 1;

/** The writes of one request; further ones go into the next. Each is a kilobyte at most. */
export const SESSION_WRITES_MAX = 500;
/** The sessions of one list. Further ones are counted as more. */
export const SESSIONS_LIST_MAX = 500;
/** The sessions of one notice. */
export const SESSIONS_NOTICE_MAX = SESSIONS_LIST_MAX;
const AUTHOR_LENGTH_MAX = 256;

/** [revision, event]: the revision of the newest event that the gateway knows; 0: none. */
export type SessionWrite = readonly [number, SessionEvent];

/** What a request can end, and why. */
export type EndCause = Extract<EndReason, "moved" | "ended">;

export type SessionRequest =
  /** Takes or renews the lease of a gateway. */
  | { readonly op: "lease"; readonly gateway: ProcessId }
  /** Gives it back: the gateway has left and has no sessions. */
  | { readonly op: "leave"; readonly gateway: ProcessId }
  | { readonly op: "write"; readonly writes: readonly SessionWrite[] }
  | { readonly op: "list"; readonly user: UserId }
  /** Ends one session of a user, or all. */
  | {
      readonly op: "end";
      readonly user: UserId;
      readonly session?: SessionId | undefined;
      readonly reason: EndCause;
    }
  /** Refuses the tokens of a user that were issued until now. */
  | { readonly op: "revoke"; readonly user: UserId; readonly by: string };

export type SessionOp = SessionRequest["op"];

export type SessionAnswer =
  /** `isNew`: there was no lease, so the gateway announces all its sessions. */
  | { readonly ok: true; readonly op: "lease"; readonly isNew: boolean }
  | { readonly ok: true; readonly op: "leave" }
  /** The revision behind each write; 0: not written, ask again. */
  | { readonly ok: true; readonly op: "write"; readonly revisions: readonly number[] }
  | ({ readonly ok: true; readonly op: "list" } & SessionList)
  /** The sessions that ended, and those whose gateway has not confirmed it. */
  | { readonly ok: true; readonly op: "end"; readonly ended: number; readonly left: number }
  | { readonly ok: true; readonly op: "revoke"; readonly at: Millis }
  | { readonly ok: false; readonly error: SessionRefusal };

/** `full`: no further revocation fits. */
export type SessionRefusal = "unavailable" | "busy" | "full" | "bad_request";
const REFUSALS: readonly SessionRefusal[] = ["unavailable", "busy", "full", "bad_request"];

/** The live sessions of a user, the oldest first, and how many the list leaves out. */
export interface SessionList {
  readonly sessions: readonly SessionRecord[];
  readonly more: number;
}

/** persistence → gateway: close these sessions. It may be lost or repeated. */
export interface SessionNotice {
  readonly user: UserId;
  readonly sessions: readonly SessionId[];
  readonly reason: EndCause;
}

export function encodeSessionRequest(request: SessionRequest): string {
  return JSON.stringify({ v: VERSION, ...request });
}

export function decodeSessionRequest(text: string): SessionRequest | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== VERSION) return undefined;
  const { op, gateway, user, session, writes, by, reason } = value;
  switch (op) {
    case "lease":
    case "leave":
      return isProcessId(gateway) ? { op, gateway } : undefined;
    case "write": {
      const read = readList(writes, SESSION_WRITES_MAX, readWrite);
      return read && { op, writes: read };
    }
    case "list":
      return isUserId(user) ? { op, user } : undefined;
    case "end": {
      const cause = causeOf(reason);
      if (!isUserId(user) || cause === undefined) return undefined;
      if (session === undefined) return { op, user, reason: cause };
      return isMessageId(session) ? { op, user, session, reason: cause } : undefined;
    }
    case "revoke":
      if (typeof by !== "string" || by.length > AUTHOR_LENGTH_MAX || !isStorable(by)) {
        return undefined;
      }
      return isUserId(user) ? { op, user, by } : undefined;
    default:
      return undefined;
  }
}

export function encodeSessionAnswer(answer: SessionAnswer): string {
  return JSON.stringify({ v: VERSION, ...answer });
}

export function decodeSessionAnswer(text: string): SessionAnswer | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== VERSION) return undefined;
  const { ok, op } = value;
  if (ok === false) {
    const error = REFUSALS.find((one) => one === value["error"]);
    return { ok, error: error ?? "unavailable" };
  }
  if (ok !== true) return undefined;
  switch (op) {
    case "lease": {
      const { isNew } = value;
      return typeof isNew === "boolean" ? { ok, op, isNew } : undefined;
    }
    case "leave":
      return { ok, op };
    case "write": {
      const { revisions } = value;
      const read = readList(revisions, SESSION_WRITES_MAX, (one) =>
        isCount(one) ? one : undefined,
      );
      return read && { ok, op, revisions: read };
    }
    case "list": {
      const sessions = readList(value["sessions"], SESSIONS_LIST_MAX, readSessionRecord);
      const { more } = value;
      return sessions && isCount(more) ? { ok, op, sessions, more } : undefined;
    }
    case "end": {
      const { ended, left } = value;
      return isCount(ended) && isCount(left) ? { ok, op, ended, left } : undefined;
    }
    case "revoke": {
      const { at } = value;
      return isCount(at) ? { ok, op, at } : undefined;
    }
    default:
      return undefined;
  }
}

export function encodeSessionNotice(notice: SessionNotice): string {
  return JSON.stringify({ v: VERSION, ...notice });
}

export function decodeSessionNotice(text: string): SessionNotice | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== VERSION) return undefined;
  const { user } = value;
  const reason = causeOf(value["reason"]);
  const sessions = readList(value["sessions"], SESSIONS_NOTICE_MAX, (one) =>
    isMessageId(one) ? one : undefined,
  );
  if (!isUserId(user) || reason === undefined || sessions === undefined) return undefined;
  return { user, sessions, reason };
}

function causeOf(value: unknown): EndCause | undefined {
  const reason = END_REASONS.find((one) => one === value);
  return reason === "moved" || reason === "ended" ? reason : undefined;
}

function readWrite(item: unknown): SessionWrite | undefined {
  if (!Array.isArray(item)) return undefined;
  const [revision, value] = item as readonly unknown[];
  const event = isObject(value) ? readSessionEvent(value) : undefined;
  return event === undefined || !isCount(revision) ? undefined : [revision, event];
}

function readList<T>(
  value: unknown,
  max: number,
  read: (item: unknown) => T | undefined,
): readonly T[] | undefined {
  if (!Array.isArray(value) || value.length > max) return undefined;
  const items: T[] = [];
  for (const item of value as readonly unknown[]) {
    const one = read(item);
    if (one === undefined) return undefined;
    items.push(one);
  }
  return items;
}
