// Placement: which partitions this node should claim and drain, according to the beats of its
// peers.
//
// Owns: the view of the live room nodes and of the partitions that each one reports. Does not own:
// safety. Two nodes with different views cost a few claims, and the fence keeps the log correct.
//
//   placement.1. A partition belongs to the winner of weighted rendezvous among the live nodes,
//       this node included (shares.ts). While one of them reports no load, all weights are equal,
//       because that node has an older version and knows no weights.
//   placement.2. This node does not claim a partition that a peer still reports, until the peer
//       releases it, the peer is gone, or HANDOVER_MS have passed. A hand-over is faster than a
//       fence.
//   placement.3. A node that is leaving, or has not received beats yet, claims nothing.
//   placement.4. When more than half of the nodes fall silent together, the cause is probably a
//       disconnect of this node. The silent nodes count as live for FREEZE_MS more, unless they are
//       known to be dead.
//   placement.5. A node that was declared dead and returns counts as live after RETURN_MS of beats.
//       At that time it knows its successors and its fenced time is over (P6), so it gets its share
//       without a fence.
//   placement.6. The silence of peers does not count while this node itself was paused or
//       disconnected from the bus.

import { LiveProcesses, LIVE_PROCESSES_MAX } from "#shared/kit/live-processes.ts";
import type { Epoch, Millis, Partition, ProcessId } from "#shared/protocol/ids.ts";
import { BEAT_MS, NODE_TIMEOUT_MS } from "#shared/protocol/beat.ts";
import type { Beat } from "#shared/protocol/beat.ts";
import type { NodeLoad } from "#shared/protocol/load.ts";
import type { BalanceView, MemberLoad } from "./balance.ts";
import type { Rival } from "./partition-state.ts";
import { Shares } from "./shares.ts";
import type { Move } from "./shares.ts";

/** How long a claim waits for a peer to hand a partition over. */
export const HANDOVER_MS = 5_000;
/**
 * P18: long enough to notice a disconnect of this node (two pings of the bus), short enough to go
 * on alone.
 */
export const FREEZE_MS = 10_000;
/**
 * P18: nodes that are cut off together beat at different times, so the last one falls silent up to
 * one beat later.
 */
const TOGETHER_MS = NODE_TIMEOUT_MS - BEAT_MS;
/** P19: longer than FENCED_MS. */
export const RETURN_MS = 3_500;
/** P20: a tick that is later than this shows that this process was paused. */
export const TICK_LATE_MS = 1_000;

export interface BeatOutcome {
  /** The set of live nodes, their weights, or the partitions of a node, have changed. */
  readonly changed: boolean;
  /** The sender may not know this node yet. */
  readonly isNew: boolean;
}

interface Holdings {
  readonly epochs: ReadonlyMap<Partition, Epoch>;
  readonly lastBeatAt: Millis;
}

export class Placement implements BalanceView {
  readonly #self: ProcessId;
  #partitions: number;
  readonly #peers = new LiveProcesses(NODE_TIMEOUT_MS);
  /** The partitions that each peer reported, leaving peers included. */
  readonly #holdings = new Map<ProcessId, Holdings>();
  /** The newest epoch of each partition that a peer reported and no longer reports. */
  readonly #released = new Map<Partition, Rival>();
  /** The time since when a peer reports a partition that belongs to this node. */
  readonly #waiting = new Map<Partition, Millis>();
  /** P18: silent peers that still count as live, each with the end of that time. */
  readonly #frozen = new Map<ProcessId, Millis>();
  /** P19: peers that were gone, each with the time of its first beat afterwards. */
  readonly #returned = new Map<ProcessId, { backAt: Millis | undefined }>();
  readonly #loads = new Map<ProcessId, MemberLoad>();
  readonly #shares = new Shares();
  #sharesAreOld = true;
  /** How often the members, their weights or the number of partitions have changed. */
  #revision = 0;
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
    const hasOtherWeight = this.#updateLoad(beat, now);
    if (isOther || wasFrozen || hasOtherWeight) this.#onOwnersChanged();
    const held = this.#updateHoldings(beat, now);
    return {
      changed: isOther || held || wasFrozen || hasOtherWeight,
      isNew: beat.state === "joining" || (isOther && beat.state === "live"),
    };
  }

  /** Returns true when this node was paused since the last tick. */
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
      this.#holdings.delete(peer); // It was leaving and crashed before its last beat.
    }
    return isLate;
  }

  /** P20: this node was paused or disconnected, so the silence of all peers begins again now. */
  restartTimeouts(now: Millis): void {
    this.#peers.refresh(now);
  }

  /** `peer` is dead. Its beats bring it back after RETURN_MS. */
  remove(peer: ProcessId): void {
    this.#peers.remove(peer);
    this.#loads.delete(peer);
    this.#onOwnersChanged();
    this.#frozen.delete(peer);
    this.#holdings.delete(peer);
    this.#returned.delete(peer);
    this.#returned.set(peer, { backAt: undefined });
    const [oldest] = this.#returned.keys();
    if (this.#returned.size > LIVE_PROCESSES_MAX && oldest !== undefined)
      this.#returned.delete(oldest);
  }

  /** From now on this node claims nothing, or its share (placement.3). */
  set claimsNothing(value: boolean) {
    if (value !== this.#claimsNothing) this.#onOwnersChanged();
    this.#claimsNothing = value;
  }

  /** The number of partitions to place. A split raises it, and measured costs begin again. */
  set partitions(value: number) {
    if (value !== this.#partitions) this.#onOwnersChanged();
    this.#partitions = value;
  }

  /** This node's own load, as its next beat announces it. */
  setLoad(load: NodeLoad, now: Millis): void {
    if (this.#updateLoad({ id: this.#self, load }, now)) this.#onOwnersChanged();
  }

  /** Changes when the members, their weights or the number of partitions change. */
  get revision(): number {
    return this.#revision;
  }

  get loads(): ReadonlyMap<ProcessId, MemberLoad> | undefined {
    const loads = this.#members().map((id) => [id, this.#loads.get(id)] as const);
    const isKnown = (entry: (typeof loads)[number]): entry is [ProcessId, MemberLoad] =>
      entry[1] !== undefined;
    return loads.every(isKnown) ? new Map(loads) : undefined;
  }

  moves(): Move[] {
    return this.#freshShares().moves(this.#partitions);
  }

  get isFrozen(): boolean {
    return this.#frozen.size > 0;
  }

  /** Live peers that were silent for longer than `ms`, and the frozen ones. */
  silentFor(ms: number, now: Millis): ProcessId[] {
    return [...this.#frozen.keys(), ...this.#peers.silentFor(ms, now)];
  }

  /** The node that should own `p`. */
  ownerOf(p: Partition): ProcessId | undefined {
    return this.#freshShares().ownerOf(p);
  }

  /** The peer that reports `p` with the newest epoch. */
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

  /** Whether `rival` no longer blocks a claim of `p`: it is gone, or it has released that epoch. */
  isOver(p: Partition, { node, epoch }: Rival): boolean {
    if (!this.#isCounted(node)) return true;
    const released = this.#released.get(p);
    return released?.node === node && released.epoch >= epoch;
  }

  /** The partitions to claim and to drain. `held`: those that this node serves or is claiming. */
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

  #members(): ProcessId[] {
    const peers = [...this.#peers.live(), ...this.#frozen.keys()];
    return this.#claimsNothing ? peers : [...peers, this.#self];
  }

  /** placement.1. */
  #freshShares(): Shares {
    if (this.#sharesAreOld) {
      const { loads } = this;
      this.#shares.set(
        this.#members().map((id) => [id, loads?.get(id)?.load.weight ?? 0] as const),
      );
      this.#sharesAreOld = false;
    }
    return this.#shares;
  }

  #onOwnersChanged(): void {
    this.#sharesAreOld = true;
    this.#revision++;
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

  /** Returns true when the weight of the node has changed. A node that is not live has none. */
  #updateLoad({ id, load }: Pick<Beat, "id" | "load">, now: Millis): boolean {
    const before = this.#loads.get(id)?.load.weight;
    const isMember = id === this.#self || this.#peers.has(id);
    if (load === undefined || !isMember) this.#loads.delete(id);
    else this.#loads.set(id, { load, receivedAt: now });
    return before !== this.#loads.get(id)?.load.weight;
  }

  /** Returns true when the peer reports other partitions or epochs than before. */
  #updateHoldings({ id, owns }: Beat, now: Millis): boolean {
    const before = this.#holdings.get(id)?.epochs;
    const epochs = new Map(Object.entries(owns ?? {}).map(([p, epoch]) => [Number(p), epoch]));
    for (const [p, epoch] of before ?? []) {
      if (!epochs.has(p)) this.#released.set(p, { node: id, epoch });
    }
    if (epochs.size === 0) return this.#holdings.delete(id);
    if (before === undefined && this.#holdings.size >= LIVE_PROCESSES_MAX) return false;
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
