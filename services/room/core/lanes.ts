// Lanes, seen from the owner: which batch of which gateway may be taken next.
//
//   lanes.1. Batch n of an incarnation is taken only after n-1 of it. n = 1 begins an incarnation that
//       is newer than all before (commands.4 of commands.ts). So a batch lost on the way, or taken by an owner that was just
//       being fenced, can never be overtaken by a later one.

import { isNewerIncarnation } from "#shared/protocol/commands.ts";
import type { CommandBatch } from "#shared/protocol/commands.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";

export type Admission =
  | { readonly kind: "take" }
  /** The first of a new incarnation: all that this gateway had waiting comes again. */
  | { readonly kind: "begin" }
  /** Out of step: answer `resync`. */
  | { readonly kind: "resync" }
  /** Of an incarnation that was given up, or that another sender's number left behind. */
  | { readonly kind: "older"; readonly newest: number }
  /** A batch of this incarnation that was taken before. */
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
