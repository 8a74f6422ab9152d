// Lanes, at the owner: which batch of a gateway the owner may take next.
//
// Owns: the next batch number of each gateway. Does not own: the commands of a batch (tenure.ts).
//
//   lanes.1. The owner takes batch n of an incarnation only after batch n-1. Batch 1 begins an
//       incarnation that is newer than all before (commands.4 of commands.ts). So no later batch
//       overtakes a batch that was lost, or that a fenced owner took.

import { isNewerIncarnation } from "#shared/protocol/lane-incarnation.ts";
import type { CommandBatch } from "#shared/protocol/commands.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";

export type Admission =
  | { readonly kind: "take" }
  /** The first batch of a new incarnation: the gateway resends all its unanswered commands. */
  | { readonly kind: "begin" }
  /** Out of order: the answer is `resync`. */
  | { readonly kind: "resync" }
  /** A batch of an older incarnation than `newest`. */
  | { readonly kind: "older"; readonly newest: number }
  /** A batch of this incarnation that was already taken. */
  | { readonly kind: "ignore" };

export class InboundLanes {
  readonly #next = new Map<ProcessId, { readonly lane: number; n: number }>();

  admit(batch: CommandBatch): Admission {
    const known = this.#next.get(batch.gw);
    if (known === undefined || isNewerIncarnation(batch.lane, known.lane)) {
      if (batch.n !== 1) return { kind: "resync" };
      this.#next.set(batch.gw, { lane: batch.lane, n: 2 });
      return { kind: "begin" };
    }
    if (batch.lane !== known.lane) return { kind: "older", newest: known.lane };
    if (batch.n < known.n) return { kind: "ignore" };
    if (batch.n > known.n) return { kind: "resync" };
    known.n++;
    return { kind: "take" };
  }

  forget(gateway: ProcessId): void {
    this.#next.delete(gateway);
  }
}
