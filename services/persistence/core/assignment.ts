// Assignment: which partitions this persistence process archives.
//
// Rendezvous hashing over the live processes, so that all of them agree without messages. Agreement
// only saves work: two runners on one partition are harmless (D2), and the next change assigns a
// partition without a runner.

import { rendezvous } from "#shared/kit/rendezvous.ts";
import type { Partition, ProcessId } from "#shared/protocol/ids.ts";

export interface AssignmentChange {
  readonly take: readonly Partition[];
  readonly drop: readonly Partition[];
}

export class Assignment {
  readonly #self: ProcessId;
  #partitions: number;
  #mine = new Set<Partition>();

  constructor(self: ProcessId, partitions: number) {
    this.#self = self;
    this.#partitions = partitions;
  }

  /** Takes effect with the next update. */
  set partitions(partitions: number) {
    this.#partitions = partitions;
  }

  get mine(): ReadonlySet<Partition> {
    return this.#mine;
  }

  /** Recomputes the assignment from the live processes. This process always counts as live. */
  update(live: Iterable<ProcessId>): AssignmentChange {
    const members = new Set(live).add(this.#self);
    const next = new Set<Partition>();
    for (let p = 0; p < this.#partitions; p++) {
      if (rendezvous(`hist.${p}`, members) === this.#self) next.add(p);
    }
    const take = [...next].filter((p) => !this.#mine.has(p));
    const drop = [...this.#mine].filter((p) => !next.has(p));
    this.#mine = next;
    return { take, drop };
  }
}
