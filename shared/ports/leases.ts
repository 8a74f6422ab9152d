// Leases: which process of a service may replace itself now.
//
// The contract (shared/testing/leases.contract.ts):
//   ports/leases.1. At most one process holds a lease of a name. Of several that ask at once, at
//        most one gets `held`.
//   ports/leases.2. A holder that asks again gets `held`. A lease ends a fixed time after it was
//        taken, without a renewal.
//   ports/leases.3. Without an answer of the store the outcome is `unknown`. It never rejects.

import type { LeaseOutcome, LeaseRequest } from "../protocol/leases.ts";

export interface Leases {
  take(request: LeaseRequest): Promise<LeaseOutcome>;
}
