// Placement: which partitions this node should serve, as far as beats tell.
//
// Owns: the view of live room nodes and of what each says it holds. Does not own: safety. Two nodes
// that disagree cost a claim or two; the fence keeps the log right.
//
//   placement.1. A partition belongs to the rendezvous winner among the live nodes, this one included.
//   placement.2. A partition that a peer still announces is not claimed until the peer lets go of it, is
//        gone, or HANDOVER_MS have passed: a drain is quicker than a fight.
//   placement.3. A node that is leaving, or has not listened yet, wants nothing.
//   placement.4. When more than half of the nodes fall silent together it is probably us who are cut off:
//        they count as live for FREEZE_MS more, unless they are known to be gone.
//   placement.5. A node that was taken for gone and returns is counted once it beat for RETURN_MS: by then it
//        knows of its successors and has stood back (P6), so it takes its share without a fight.
//   placement.6. Silence is not counted while this node was deaf itself: paused, or without its bus.

import { LiveProcesses, PROCESSES_MAX } from "#shared/kit/live-processes.ts";
import { rendezvous } from "#shared/kit/rendezvous.ts";
import type { Epoch, Millis, Partition, ProcessId } from "#shared/protocol/ids.ts";
import { BEAT_MS, NODE_TIMEOUT_MS } from "#shared/protocol/beat.ts";
import type { Beat } from "#shared/protocol/beat.ts";
import type { Rival } from "./partition-state.ts";

/** How long a claim waits for a peer to hand a partition over. */
export const HANDOVER_MS = 5_000;
/** P18: long enough to see a cut of one's own (two pings of the bus), short enough to go on alone. */
export const FREEZE_MS = 10_000;
/** P18: nodes cut off together beat at different moments, so the last may look alive a beat longer. */
const TOGETHER_MS = NODE_TIMEOUT_MS - BEAT_MS;
/** P19: longer than a fenced node stands back. */
export const RETURN_MS = 3_500;
/** P20: a tick that comes later than this tells of a pause of this very process. */
export const TICK_LATE_MS = 1_000;

export interface BeatOutcome {
  /** Who is live, or what somebody holds, is not as it was. */
  readonly changed: boolean;
  /** The sender does not know us yet, perhaps. */
  readonly isNew: boolean;
}

interface Holdings {
  readonly epochs: ReadonlyMap<Partition, Epoch>;
  readonly lastBeatAt: Millis;
}

export class Placement {
  readonly #self: ProcessId;
  readonly #partitions: number;
  readonly #peers = new LiveProcesses(NODE_TIMEOUT_MS);
  /** What each peer announced; also of those that are leaving. */
  readonly #holdings = new Map<ProcessId, Holdings>();
  /** The newest epoch that a peer held and does not hold any more. */
  readonly #released = new Map<Partition, Rival>();
  /** Since when a wanted partition is held by a peer. */
  readonly #waiting = new Map<Partition, Millis>();
  /** P18: peers that fell silent and count nevertheless, until then. */
  readonly #frozen = new Map<ProcessId, Millis>();
  /** P19: peers that were gone, and since when they are back. */
  readonly #returned = new Map<ProcessId, { backAt: Millis | undefined }>();
  #claimsNothing = false;
  #tickedAt: Millis | undefined;

  constructor(self: ProcessId, partitions: number) {
    this.#self = self;
    this.#partitions = partitions;
  }

  onBeat(beat: Beat, now: Millis): BeatOutcome {
    const { id } = beat;
    if (id === this.#self) return { changed: false, isNew: false };
    if (!this.#isTrusted(id, now))
      return { changed: this.#updateHoldings(beat, now), isNew: false };
    const isOther = this.#peers.onBeat(beat, now);
    const wasFrozen = this.#frozen.delete(id);
    const held = this.#updateHoldings(beat, now);
    return {
      changed: isOther || held || wasFrozen,
      isNew: beat.state === "joining" || (isOther && beat.state === "live"),
    };
  }

  /** True when this node was deaf since the last tick. */
  onTick(now: Millis): boolean {
    const isLate = this.#tickedAt !== undefined && now - this.#tickedAt > TICK_LATE_MS;
    this.#tickedAt = now;
    if (isLate) this.restartTimeouts(now);
    const silent = this.#peers.silentFor(TOGETHER_MS, now);
    const nodes = this.#peers.live().length + 1;
    const gone = this.#peers.expire(now);
    const isMostly = silent.length * 2 > nodes;
    for (const peer of gone) {
      if (isMostly || this.#frozen.size > 0) this.#frozen.set(peer, now + FREEZE_MS);
      else this.remove(peer);
    }
    for (const [peer, until] of this.#frozen) if (until <= now) this.remove(peer);
    for (const [peer, { lastBeatAt }] of this.#holdings) {
      if (this.#isCounted(peer) || now - lastBeatAt <= NODE_TIMEOUT_MS) continue;
      this.#holdings.delete(peer); // It said that it leaves, and died on the way.
    }
    return isLate;
  }

  /** P20: we heard nothing for a while, through no fault of the others. */
  restartTimeouts(now: Millis): void {
    this.#peers.refresh(now);
  }

  /** `peer` is known to be dead; its next beat brings it back. */
  remove(peer: ProcessId): void {
    this.#peers.remove(peer);
    this.#frozen.delete(peer);
    this.#holdings.delete(peer);
    this.#returned.delete(peer);
    this.#returned.set(peer, { backAt: undefined });
    const [oldest] = this.#returned.keys();
    if (this.#returned.size > PROCESSES_MAX && oldest !== undefined) this.#returned.delete(oldest);
  }

  /** From now on this node wants its share, or nothing (placement.3). */
  set claimsNothing(value: boolean) {
    this.#claimsNothing = value;
  }

  get isFrozen(): boolean {
    return this.#frozen.size > 0;
  }

  /** Live peers that were silent for longer than `ms`, and those that are frozen. */
  silentFor(ms: number, now: Millis): ProcessId[] {
    return [...this.#frozen.keys(), ...this.#peers.silentFor(ms, now)];
  }

  /** The node that should own `p`. */
  ownerOf(p: Partition): ProcessId | undefined {
    const members = [...this.#peers.live(), ...this.#frozen.keys()];
    if (!this.#claimsNothing) members.push(this.#self);
    return rendezvous(`partition-${p}`, members);
  }

  /** The peer that says it holds `p`, by the newest claim. */
  holderOf(p: Partition): ProcessId | undefined {
    let best: ProcessId | undefined;
    let newest: Epoch = -1;
    for (const [peer, { epochs }] of this.#holdings) {
      const epoch = epochs.get(p);
      if (epoch === undefined || epoch <= newest) continue;
      best = peer;
      newest = epoch;
    }
    return best;
  }

  /** Whether `rival` is not in the way of a claim of `p` any more: gone, or it let that tenure go. */
  isOver(p: Partition, { node, epoch }: Rival): boolean {
    if (!this.#isCounted(node)) return true;
    const released = this.#released.get(p);
    return released?.node === node && released.epoch >= epoch;
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

  #isCounted(peer: ProcessId): boolean {
    return this.#peers.has(peer) || this.#frozen.has(peer);
  }

  /** P19. */
  #isTrusted(peer: ProcessId, now: Millis): boolean {
    const returned = this.#returned.get(peer);
    if (returned === undefined) return true;
    returned.backAt ??= now;
    if (now - returned.backAt < RETURN_MS) return false;
    return this.#returned.delete(peer);
  }

  /** True when it holds other partitions than before. */
  #updateHoldings({ id, owns }: Beat, now: Millis): boolean {
    const before = this.#holdings.get(id)?.epochs;
    const epochs = new Map(Object.entries(owns ?? {}).map(([p, epoch]) => [Number(p), epoch]));
    for (const [p, epoch] of before ?? []) {
      if (!epochs.has(p)) this.#released.set(p, { node: id, epoch });
    }
    if (epochs.size === 0) return this.#holdings.delete(id);
    if (before === undefined && this.#holdings.size >= PROCESSES_MAX) return false;
    this.#holdings.set(id, { epochs, lastBeatAt: now });
    return (
      before?.size !== epochs.size || [...epochs].some(([p, epoch]) => before.get(p) !== epoch)
    );
  }

  #isFree(p: Partition, now: Millis): boolean {
    if (this.holderOf(p) === undefined) {
      this.#waiting.delete(p);
      return true;
    }
    const since = this.#waiting.get(p);
    if (since === undefined) this.#waiting.set(p, now);
    return since !== undefined && now - since >= HANDOVER_MS; // placement.2
  }
}
