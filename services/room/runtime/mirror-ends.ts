// MirrorEnds: how far the mirrors of the following region are, as its agent reports it.
//
// Owns: the subscription, and the newest end of each partition. Does not own: which appends wait
// (regional-log.ts).
//
//   mirror-ends.1. Only reports of the region and of the term that the right to the partition names
//        count. An earlier follower may have had other logs.

import type { RegionRight } from "#shared/process/region-grants.ts";
import type { Bus, Subscription } from "#shared/ports/bus.ts";
import type { LogSeq, Partition } from "#shared/protocol/ids.ts";
import { decodeMirrored } from "#shared/protocol/regions.ts";
import { subjects } from "#shared/protocol/subjects.ts";

interface End {
  /** The region and the term of the reports. */
  readonly of: string;
  seq: LogSeq;
}

export class MirrorEnds {
  readonly #bus: Bus;
  readonly #right: RegionRight;
  readonly #onEnds: (ps: readonly Partition[]) => void;
  readonly #ends = new Map<Partition, End>();
  readonly #subscriptions = new Map<string, Subscription>();

  constructor(bus: Bus, right: RegionRight, onEnds: (ps: readonly Partition[]) => void) {
    this.#bus = bus;
    this.#right = right;
    this.#onEnds = onEnds;
  }

  /** The last entry that the mirror has; 0: not known. */
  endOf(p: Partition): LogSeq {
    this.follow();
    const end = this.#ends.get(p);
    return end?.of === this.#sourceOf(p) ? end.seq : 0;
  }

  /** Called when the grant changes, too, so that no report is missed. */
  follow(): void {
    const { grant } = this.#right;
    const rights = grant?.homes ?? (grant === undefined ? [] : [grant]);
    const mirrors = new Set(rights.flatMap(({ mirror }) => mirror ?? []));
    for (const [mirror, subscription] of this.#subscriptions) {
      if (mirrors.has(mirror)) continue;
      subscription.unsubscribe();
      this.#subscriptions.delete(mirror);
    }
    for (const mirror of mirrors) {
      if (this.#subscriptions.has(mirror)) continue;
      const subject = subjects.mirrored(mirror);
      const subscription = this.#bus.subscribe(subject, ({ data }) => this.#onReport(mirror, data));
      this.#subscriptions.set(mirror, subscription);
    }
  }

  stop(): void {
    for (const subscription of this.#subscriptions.values()) subscription.unsubscribe();
  }

  #onReport(mirror: string, data: Uint8Array): void {
    const report = decodeMirrored(new TextDecoder().decode(data));
    if (report?.region !== mirror) return;
    const of = `${mirror} ${report.term}`;
    const changed: Partition[] = [];
    for (const [p, seq] of report.ends) {
      if (this.#sourceOf(p) !== of) continue; // mirror-ends.1
      const end = this.#ends.get(p);
      if (end?.of === of) end.seq = Math.max(seq, end.seq);
      else this.#ends.set(p, { of, seq });
      changed.push(p);
    }
    this.#onEnds(changed);
  }

  /** Whose reports count. */
  #sourceOf(p: Partition): string {
    const { mirror = null, term = 0 } = this.#right.rightOf(p) ?? {};
    return mirror === null ? "" : `${mirror} ${term}`;
  }
}
