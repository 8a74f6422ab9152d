// Term I/O: the inputs and effects of a term machine (term.ts).

import type { Millis } from "#shared/protocol/ids.ts";
import type { RegionRefusal, TermRecord } from "#shared/protocol/regions.ts";
import type { WitnessRead, WitnessWrite } from "#shared/ports/witness.ts";

export type Effect =
  /** Reads the record. The input `read` with the same n is the answer. */
  | { readonly kind: "read"; readonly n: number }
  /** Writes the record if its revision is still `revision`. The input `written` is the answer. */
  | {
      readonly kind: "write";
      readonly n: number;
      readonly record: TermRecord;
      readonly revision: number;
    }
  /** The record that this region knows has changed, or its lease has begun. */
  | { readonly kind: "changed" }
  /** The answer to `take` or `change`. */
  | { readonly kind: "done"; readonly id: number; readonly outcome: Outcome };

/** `unknown`: the witness did not answer, so the change may still happen. */
export type Outcome =
  | { readonly kind: "ok" }
  | { readonly kind: "refused"; readonly why: RegionRefusal; readonly message: string }
  | { readonly kind: "unknown" };

/** What the holder of a term may change in the record. `region`: the hand-over to that region. */
export type Change = Partial<Pick<TermRecord, "mode" | "phase" | "follower" | "logs" | "region">>;

export type Input =
  | { readonly kind: "tick" }
  | { readonly kind: "read"; readonly n: number; readonly outcome: WitnessRead }
  | {
      readonly kind: "written";
      readonly n: number;
      /** The monotonic time at which the request was sent (term.1). */
      readonly sentAt: Millis;
      readonly outcome: WitnessWrite;
    }
  /** Takes the term over. `acceptLoss`: also when this region is not the follower. */
  | { readonly kind: "take"; readonly id: number; readonly acceptLoss: boolean }
  | { readonly kind: "change"; readonly id: number; readonly change: Change };
