// MirrorEnds: how far the mirrors of the following region are, as its agent reports it.
//
// Owns: the subscription, and the newest end of each partition. Does not own: which appends wait
// (regional-log.ts).
//
//   mirror-ends.1. Only reports of the region and of the term that the grant names count. An
//        earlier follower may have had other logs.

import type { RegionRight } from "#shared/process/region-grants.ts";
import type { Bus, Subscription } from "#shared/ports/bus.ts";
import type { LogSeq, Partition } from "#shared/protocol/ids.ts";
import { decodeMirrored } from "#shared/protocol/regions.ts";
import { subjects } from "#shared/protocol/subjects.ts";

export class MirrorEnds {
  readonly #bus: Bus;
  readonly #right: RegionRight;
  readonly #onEnds: (ps: readonly Partition[]) => void;
  readonly #ends = new Map<Partition, LogSeq>();
  #of = "";
  #subscription: Subscription | undefined;

  constructor(bus: Bus, right: RegionRight, onEnds: (ps: readonly Partition[]) => void) {
    this.#bus = bus;
    this.#right = right;
    this.#onEnds = onEnds;
  }

  /** The last entry that the mirror has; 0: not known. */
  endOf(p: Partition): LogSeq {
    this.follow();
    return this.#ends.get(p) ?? 0;
  }

  /** Called when the grant changes, too, so that no report is missed. */
  follow(): void {
    const { mirror = null, term = 0 } = this.#right.grant ?? {};
    const of = mirror === null ? "" : `${mirror} ${term}`;
    if (of === this.#of) return;
    this.#of = of;
    this.#ends.clear();
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
    if (mirror === null) return;
    this.#subscription = this.#bus.subscribe(subjects.mirrored(mirror), ({ data }) => {
      const report = decodeMirrored(new TextDecoder().decode(data));
      if (report?.region !== mirror || report.term !== term) return; // mirror-ends.1
      for (const [p, seq] of report.ends) {
        this.#ends.set(p, Math.max(seq, this.#ends.get(p) ?? 0));
      }
      this.#onEnds(report.ends.map(([p]) => p));
    });
  }

  stop(): void {
    this.#subscription?.unsubscribe();
  }
}
