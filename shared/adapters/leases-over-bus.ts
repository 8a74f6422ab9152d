// Leases over the bus: asks persistence for a lease. An answer of another shape, or none, is
// `unknown`.

import type { Bus } from "../ports/bus.ts";
import type { Leases } from "../ports/leases.ts";
import { decodeLeaseOutcome, encodeLeaseRequest } from "../protocol/leases.ts";
import { subjects } from "../protocol/subjects.ts";

const TIMEOUT_MS = 3_000;

export function openBusLeases(bus: Pick<Bus, "request">): Leases {
  return {
    async take(request) {
      const options = { timeoutMs: TIMEOUT_MS };
      const answer = await bus.request(subjects.lease, encodeLeaseRequest(request), options);
      if (answer.kind !== "ok") return { kind: "unknown" };
      return decodeLeaseOutcome(new TextDecoder().decode(answer.data)) ?? { kind: "unknown" };
    },
  };
}
