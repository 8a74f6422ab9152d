// Lanes, seen from the owner: which batch of which gateway may be taken next.
//
//   P8. Batch n of an incarnation is taken only after n-1 of it. n = 1 begins an incarnation that
//       is higher than all before. So a batch lost on the way, or taken by an owner that was just
//       being fenced, can never be overtaken by a later one.

import type { CommandBatch } from "#shared/protocol/commands.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";

export type Admission =
  | { readonly kind: "take" }
  /** The first of a new incarnation: all that this gateway had waiting comes again. */
  | { readonly kind: "begin" }
  /** Out of step: answer `resync`. */
  | { readonly kind: "resync" }
  /** A leftover of an incarnation that was given up. */
  | { readonly kind: "ignore" };

export class InboundLanes {
  readonly #next = new Map<ProcessId, { readonly lane: number; n: number }>();

  admit(batch: CommandBatch): Admission {
    const known = this.#next.get(batch.gw);
    if (known !== undefined && batch.lane < known.lane) return { kind: "ignore" };
    if (known === undefined || batch.lane > known.lane) {
      if (batch.n !== 1) return { kind: "resync" };
      this.#next.set(batch.gw, { lane: batch.lane, n: 2 });
      return { kind: "begin" };
    }
    if (batch.n < known.n) return { kind: "ignore" };
    if (batch.n > known.n) return { kind: "resync" };
    known.n++;
    return { kind: "take" };
  }

  forget(gateway: ProcessId): void {
    this.#next.delete(gateway);
  }
}
