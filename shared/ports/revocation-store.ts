// RevocationStore: where the revocations in force are stored, for persistence.
//
//   revocation-store.1. A stored revocation replaces the one of the same user. It is a row of the
//        table `settings`, so every gateway follows it (E6).
//   revocation-store.2. While REVOCATIONS_MAX users have one, that of a further user is `full`.
//   revocation-store.3. It never rejects.

import type { Revocation } from "../protocol/revocations.ts";

export type RevokeOutcome = "stored" | "full" | "unavailable";

export interface RevocationStore {
  revoke(revocation: Revocation): Promise<RevokeOutcome>;
}
