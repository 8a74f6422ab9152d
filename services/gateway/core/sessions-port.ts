// Sessions port: the sessions of a user, for a caller without a session, such as an HTTP request.
//
// Each call resolves and never rejects: a failure is a row of the error table.

import type { Millis, UserId } from "#shared/protocol/ids.ts";
import type { SessionId } from "#shared/protocol/session-records.ts";
import type { SessionList } from "#shared/protocol/session-requests.ts";
import type { Refused } from "./room-api-port.ts";

export type SessionsOutcome = { readonly kind: "sessions"; readonly list: SessionList } | Refused;
/** How many ended by this call. `unavailable`: some are left, whose gateway does not answer. */
export type EndOutcome = { readonly kind: "ended"; readonly ended: number } | Refused;
/** `conflict`: no further user fits. */
export type RevokeOutcome = { readonly kind: "revoked"; readonly at: Millis } | Refused;

export interface SessionsApi {
  list(user: UserId): Promise<SessionsOutcome>;
  /** Without `session`: all of the user. */
  end(user: UserId, session: SessionId | undefined): Promise<EndOutcome>;
  /** Refuses all tokens of the user that were issued until now. */
  revoke(user: UserId, by: string): Promise<RevokeOutcome>;
}
