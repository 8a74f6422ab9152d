// Placement: which partitions this node should serve, as far as beats tell.
//
// Owns: the view of live room nodes and of what each says it owns. Does not own: safety. Two nodes
// that disagree cost a claim or two; the fence keeps the log right.
//
//   P11. A partition belongs to the rendezvous winner among the live nodes, this one included.
//   PL1. A partition that a live peer still announces is not claimed until the peer lets go of it,
//        falls silent, or HANDOVER_MS have passed: a drain is quicker than a fight.
//   PL2. A node that is leaving wants nothing.

import { Members } from "#shared/kit/membership.ts";
import { rendezvous } from "#shared/kit/rendezvous.ts";
import type { Millis, Partition, ProcessId } from "#shared/protocol/ids.ts";
import { NODE_TIMEOUT_MS } from "#shared/protocol/membership.ts";
import type { Beat } from "#shared/protocol/membership.ts";

/** How long a claim waits for a live peer to hand a partition over. */
export const HANDOVER_MS = 5_000;

export class Placement {
  readonly #self: ProcessId;
  readonly #partitions: number;
  readonly #peers = new Members(NODE_TIMEOUT_MS);
  readonly #owns = new Map<ProcessId, ReadonlySet<Partition>>();
  /** Since when a wanted partition is held by a peer. */
  readonly #waiting = new Map<Partition, Millis>();
  #leaving = false;

  constructor(self: ProcessId, partitions: number) {
    this.#self = self;
    this.#partitions = partitions;
  }

  /** True when this beat told of a peer that was not known. */
  onBeat(beat: Beat, now: Millis): boolean {
    if (beat.id === this.#self) return false;
    const isNew = this.#peers.onBeat(beat, now);
    const owns = Object.keys(beat.owns ?? {}).map(Number);
    if (owns.length > 0) this.#owns.set(beat.id, new Set(owns));
    else this.#owns.delete(beat.id);
    return isNew;
  }

  onTick(now: Millis): void {
    for (const gone of this.#peers.expire(now)) this.#owns.delete(gone);
  }

  leave(): void {
    this.#leaving = true; // PL2
  }

  isLive(peer: ProcessId): boolean {
    return this.#peers.has(peer);
  }

  /** The node that should own `p`. */
  ownerOf(p: Partition): ProcessId | undefined {
    const members = this.#leaving ? this.#peers.live() : [...this.#peers.live(), this.#self];
    return rendezvous(`partition-${p}`, members);
  }

  /** What to claim and what to let go, given what is held (or being claimed) now. */
  decide(
    held: ReadonlySet<Partition>,
    now: Millis,
  ): { readonly claim: Partition[]; readonly drain: Partition[] } {
    const claim: Partition[] = [];
    const drain: Partition[] = [];
    for (let p = 0; p < this.#partitions; p++) {
      const isOurs = this.ownerOf(p) === this.#self;
      if (!isOurs) this.#waiting.delete(p);
      if (isOurs && !held.has(p) && this.#isFree(p, now)) claim.push(p);
      if (!isOurs && held.has(p)) drain.push(p);
    }
    return { claim, drain };
  }

  #isFree(p: Partition, now: Millis): boolean {
    const isHeld = [...this.#owns.values()].some((owns) => owns.has(p));
    if (!isHeld) {
      this.#waiting.delete(p);
      return true;
    }
    const since = this.#waiting.get(p);
    if (since === undefined) this.#waiting.set(p, now);
    return since !== undefined && now - since >= HANDOVER_MS; // PL1
  }
}
