// Session records: both halves of the events of sessions, which are the messages of the bucket
// `sessions`.
//
// A persistence process writes them (shared/ports/session-store.ts); the API lists sessions from
// them, and webhooks read them in the order of the stream, with a stored position. Does not own:
// who decides that a session ends.
//
//   session-records.1. The key of a session is `<user in base64url>.<session>.<gateway>` (N4). So
//        the sessions of a user, and those of a gateway, are read without any others.
//   session-records.2. The newest event of a key says whether the session is live: after `started`
//        and `kept` it is, after `ended` it is not. The header `KV-Operation: DEL` of an `ended`
//        shows this to tools; its body has the whole record.
//   session-records.3. A session has one `started` and one `ended`, in this order. With `again` a
//        session goes on that ended because its gateway was cut off: it then ends once more.
//   session-records.4. `kept` reports nothing new: it renews the age of a long session, or the
//        revision of a session that its gateway announced again.
//   session-records.5. A decoder returns undefined for another version (N5), another shape, and a
//        record with another key.

import { base64url } from "../kit/base64url.ts";
import { isCount, isObject, parseObject } from "../kit/json.ts";
import type { JsonObject } from "../kit/json.ts";
import { CLOSE } from "./close-codes.ts";
import { isMessageId, isProcessId, isStorable, isUserId } from "./ids.ts";
import type { MessageId, Millis, ProcessId, UserId } from "./ids.ts";

/** The name of a session in `welcome`: a UUIDv7. */
export type SessionId = MessageId;

/** How long a record stays in the bucket. A webhook that is behind by more misses it. */
export const SESSION_KEEP_MS = 72 * 3_600_000;
/** A gateway writes its sessions again after this time (session-records.4). */
export const SESSION_RENEW_MS = SESSION_KEEP_MS / 2;
/** The characters of `client` and of `device`, which the client chooses. */
export const SESSION_TEXT_LENGTH_MAX = 64;

export interface SessionRecord {
  readonly user: UserId;
  readonly session: SessionId;
  readonly gateway: ProcessId;
  readonly since: Millis;
  /** The program of the user, and its device, as the client names them in `hello`. */
  readonly client?: string;
  readonly device?: string;
  /** A prefix of the client's address: an IPv4 /24 or an IPv6 /64. */
  readonly address?: string;
  /** The session that this one replaced. */
  readonly from?: SessionId;
}

/** Why a session ended. */
export const END_REASONS = [
  /** The client closed its connection, or the connection broke. */
  "left",
  /** The client continued on another connection. */
  "moved",
  /** A request of the user or of an administrator ended it. */
  "ended",
  /** An operator closed the connections of the user. */
  "kicked",
  /** Its token was revoked. */
  "revoked",
  /** Its token expired. */
  "expired",
  /** The client was silent. */
  "idle",
  /** The client read too slowly. */
  "slow",
  /** Its gateway left. */
  "restart",
  /** Another close by the server. */
  "closed",
  /** Its gateway crashed or was cut off. */
  "gateway-lost",
] as const;
export type EndReason = (typeof END_REASONS)[number];

export type SessionEvent =
  | (SessionRecord & { readonly t: "started"; readonly again?: true })
  | (SessionRecord & { readonly t: "kept" })
  | (SessionRecord & { readonly t: "ended"; readonly at: Millis; readonly reason: EndReason });

/** The closes that have a reason of their own. */
const BY_CLOSE: ReadonlyMap<CloseRow, EndReason> = new Map<CloseRow, EndReason>([
  [CLOSE.sessionMoved, "moved"],
  [CLOSE.sessionEnded, "ended"],
  [CLOSE.kicked, "kicked"],
  [CLOSE.revoked, "revoked"],
  [CLOSE.tokenExpired, "expired"],
  [CLOSE.idle, "idle"],
  [CLOSE.slow, "slow"],
  [CLOSE.restart, "restart"],
]);

type CloseRow = (typeof CLOSE)[keyof typeof CLOSE];

/** The reason behind a close by the server. Undefined: the client closed. */
export function endReasonOf(close: CloseRow | undefined): EndReason {
  return close === undefined ? "left" : (BY_CLOSE.get(close) ?? "closed");
}

/** The record without what happened to it. */
export function recordOf(event: SessionEvent): SessionRecord {
  const { user, session, gateway, since, client, device, address, from } = event;
  return {
    user,
    session,
    gateway,
    since,
    ...(client !== undefined && { client }),
    ...(device !== undefined && { device }),
    ...(address !== undefined && { address }),
    ...(from !== undefined && { from }),
  };
}

/** session-records.1. */
export function sessionKey({
  user,
  session,
  gateway,
}: Pick<SessionRecord, "user" | "session" | "gateway">): string {
  return `${base64url(user)}.${session}.${gateway}`;
}

export function encodeSessionEvent(event: SessionEvent): string {
  return JSON.stringify({ v: 1, ...event });
}

/** session-records.5. `key`: the key under which it was stored. */
export function decodeSessionEvent(key: string, text: string): SessionEvent | undefined {
  const value = parseObject(text);
  const event = value?.["v"] === 1 ? readSessionEvent(value) : undefined;
  return event !== undefined && sessionKey(event) === key ? event : undefined;
}

/** An event as a part of another message. */
export function readSessionEvent(value: unknown): SessionEvent | undefined {
  const record = readSessionRecord(value);
  if (record === undefined || !isObject(value)) return undefined;
  const { t, again, at, reason: given } = value;
  switch (t) {
    case "started":
      if (again !== undefined && again !== true) return undefined;
      return { t, ...record, ...(again === true && { again }) };
    case "kept":
      return { t, ...record };
    case "ended": {
      const reason = END_REASONS.find((one) => one === given);
      return reason === undefined || !isCount(at) ? undefined : { t, ...record, at, reason };
    }
    default:
      return undefined;
  }
}

export function readSessionRecord(value: unknown): SessionRecord | undefined {
  if (!isObject(value)) return undefined;
  const { user, session, gateway, since, from } = value;
  if (!isUserId(user) || !isMessageId(session) || !isProcessId(gateway)) return undefined;
  if (!isCount(since) || (from !== undefined && !isMessageId(from))) return undefined;
  const texts = readTexts(value);
  return texts && { user, session, gateway, since, ...texts, ...(from && { from }) };
}

function readTexts(
  value: JsonObject,
): Pick<SessionRecord, "client" | "device" | "address"> | undefined {
  const texts: { client?: string; device?: string; address?: string } = {};
  for (const name of ["client", "device", "address"] as const) {
    const text = value[name];
    if (text === undefined) continue;
    if (typeof text !== "string" || text.length > SESSION_TEXT_LENGTH_MAX) return undefined;
    if (!isStorable(text)) return undefined;
    texts[name] = text;
  }
  return texts;
}

/** `203.0.113.7` → `203.0.113.0/24`. An IPv6 client is known by its /64 already (S13). */
export function addressPrefix(address: string): string {
  return /^\d+\.\d+\.\d+\.\d+$/.test(address) ? address.replace(/\d+$/, "0/24") : address;
}
