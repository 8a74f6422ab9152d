// Witness: one small register outside both regions, which says which region may serve.
//
// The contract (shared/testing/witness.contract.ts proves it in memory and on a real NATS server):
//   ports/witness.1. A write succeeds only if the revision of the record is the expected one, and
//        gives it a higher revision. Revision 0: there is no record.
//   ports/witness.2. After `unknown` the write may be done, may be lost, or may still arrive.
//   ports/witness.3. Every call resolves within a few seconds, and none rejects.

import type { TermHistory, TermRecord } from "../protocol/regions.ts";

export type WitnessRead =
  | { readonly kind: "ok"; readonly revision: number; readonly record: TermRecord | undefined }
  | { readonly kind: "unknown"; readonly reason: string };

export type WitnessWrite =
  | { readonly kind: "ok"; readonly revision: number }
  /** Not written, with certainty. */
  | { readonly kind: "conflict" }
  | { readonly kind: "unknown"; readonly reason: string };

export interface Witness {
  read(): Promise<WitnessRead>;
  write(record: TermRecord, revision: number): Promise<WitnessWrite>;
  /** The ends of the logs at the beginning of a term. The first write of a term counts. */
  history(term: number): Promise<TermHistory | undefined>;
  /** False: not written; the caller reads again. */
  record(history: TermHistory): Promise<boolean>;
}
