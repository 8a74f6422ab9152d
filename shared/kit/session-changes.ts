// Session changes: what a write of a session stores behind the newest event of its key.
//
// Both stores use it, so they decide alike. Pure. Does not own: revisions, and who writes first.
//
//   session-changes.1. A gateway writes `started` or `kept` only for a session that it has. So a
//        session that was ended as `gateway-lost` goes on. Another end came from the gateway
//        itself, and the write is an older one that arrives late.

import type { SessionEvent } from "../protocol/session-records.ts";

/** The event to store; undefined: the write changes nothing. */
export function sessionChange(
  newest: SessionEvent | undefined,
  written: SessionEvent,
): SessionEvent | undefined {
  const isLive = newest !== undefined && newest.t !== "ended";
  if (written.t === "ended") return isLive ? written : undefined;
  if (newest === undefined) return { ...written, t: "started" };
  if (newest.t !== "ended") return written.t === "kept" ? written : undefined;
  // session-changes.1
  return newest.reason === "gateway-lost" ? { ...written, t: "started", again: true } : undefined;
}
