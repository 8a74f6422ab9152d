// SessionStore: where the leases of gateways and the sessions are stored, for persistence.
//
// The contract (shared/testing/session-store.contract.ts):
//   session-store.1. A lease ends a fixed time after its last renewal. The gateway is registered
//        until it gives its lease back or its sessions were ended by `endLost`.
//   session-store.2. `lease` reports `isNew` when the gateway was not registered, or had been
//        declared lost. A gateway then announces all its sessions.
//   session-store.3. A session has one `started` and one `ended`, however often and by however many
//        processes they are written. The first `ended` decides the reason. A repeated write gets
//        the revision of then.
//   session-store.4. `kept` of an unknown session stores `started`, and of one that ended as
//        `gateway-lost` `started` with `again`. Behind another end, a late `started` or `kept`
//        stores nothing, and so does the `ended` of an unknown session.
//   session-store.5. `endLost` ends the sessions of a gateway whose lease has ended, unless it
//        returned meanwhile: a session that the gateway announced again behind its return stays
//        live, or is live again behind its `ended`.
//   session-store.6. No call rejects. When the store does not answer, a write is uncertain and gets
//        revision 0, and every other call is `unavailable`.

import type { Millis, ProcessId, UserId } from "../protocol/ids.ts";
import type { SessionList, SessionWrite } from "../protocol/session-requests.ts";

/** A lease ends this long after its last renewal. */
export const GATEWAY_LEASE_MS = 10_000;

export type Stored<T> =
  | { readonly kind: "ok"; readonly value: T }
  | { readonly kind: "unavailable"; readonly reason: string };

export interface SessionStore {
  lease(gateway: ProcessId): Promise<Stored<{ readonly isNew: boolean }>>;
  leave(gateway: ProcessId): Promise<Stored<undefined>>;
  /** The revision behind each write, in their order; 0: not written. */
  write(writes: readonly SessionWrite[]): Promise<readonly number[]>;
  list(user: UserId): Promise<Stored<SessionList>>;
  /** The registered gateways whose lease has ended. */
  lost(): Promise<Stored<readonly ProcessId[]>>;
  /** Ends the sessions of a lost gateway. The value: how many this call ended. */
  endLost(gateway: ProcessId, at: Millis): Promise<Stored<number>>;
}
