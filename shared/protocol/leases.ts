// Leases: both halves of the request for a lease, and of its answer, on `lease.take`.
//
// A gateway has no right to JetStream (X5), so persistence takes the lease for the process that
// asks. Does not own: where leases are stored (shared/ports/leases.ts).

import { parseObject } from "../kit/json.ts";
import { isProcessId } from "./ids.ts";
import type { ProcessId } from "./ids.ts";

/** One process of a service at a time replaces itself. */
export const LEASE_NAMES = ["gateway", "room"] as const;
export type LeaseName = (typeof LEASE_NAMES)[number];

/** A replaced process has started again within this time. */
export const LEASE_MS = 60_000;

export interface LeaseRequest {
  readonly name: LeaseName;
  readonly by: ProcessId;
}

export type LeaseOutcome =
  | { readonly kind: "held" }
  /** Another process holds it. */
  | { readonly kind: "taken" }
  /** The store did not answer: the lease is held or not. */
  | { readonly kind: "unknown" };

const OUTCOMES: ReadonlySet<unknown> = new Set(["held", "taken", "unknown"]);

export function encodeLeaseRequest({ name, by }: LeaseRequest): string {
  return JSON.stringify({ v: 1, name, by });
}

/** Undefined unless the text is a whole request of version 1. */
export function decodeLeaseRequest(text: string): LeaseRequest | undefined {
  const { v, name, by } = parseObject(text) ?? {};
  if (v !== 1 || !isProcessId(by)) return undefined;
  const known = LEASE_NAMES.find((one) => one === name);
  return known && { name: known, by };
}

export function encodeLeaseOutcome({ kind }: LeaseOutcome): string {
  return JSON.stringify({ v: 1, kind });
}

/** Undefined unless the text is a whole answer of version 1. */
export function decodeLeaseOutcome(text: string): LeaseOutcome | undefined {
  const { v, kind } = parseObject(text) ?? {};
  return v === 1 && OUTCOMES.has(kind) ? ({ kind } as LeaseOutcome) : undefined;
}
