// Balance: when this node changes its weight, so that one partition moves from a busy node to one
// that is less busy.
//
// Owns: the choice of the next move from the loads in the beats, its hysteresis and its rate. Does
// not own: the measurement (load-window.ts), the owners that follow from the weights (shares.ts).
//
//   balance.1. Every node computes the same next move from the same beats. Only the node whose
//       weight changes performs it, so there is no coordinator.
//   balance.2. A move is useful when the giver is a fifth more utilised than the taker, also after
//       the partition has moved more than half of the way to equal utilisation. A giver below
//       UTILISATION_MIN gives nothing.
//   balance.3. A node changes its weight when it has been the next one for HOLD_MS, the newest
//       beats of all live nodes name it, and the owners have not changed for the interval. So while
//       beats arrive within a second, at most one partition moves in an interval.
//   balance.4. A partition is hot when its cost alone is at least HOT_SHARE of what its owner can
//       do, and above the mean utilisation: no move makes its owner less busy than that.

import type { Millis, Partition, ProcessId } from "#shared/protocol/ids.ts";
import type { NodeLoad } from "#shared/protocol/load.ts";
import type { Move } from "./shares.ts";

/** How long a node has to be the next one. One second longer than beats stay fresh. */
export const HOLD_MS = 3_000;
/** An older beat agrees to nothing. */
export const FRESH_MS = 2_000;
/** The giver's utilisation is at least this factor above the taker's. */
const RATIO_MIN = 1.2;
/** The share of a partition's cost by which the larger utilisation must fall. */
const GAIN_MIN = 0.5;
/** Below this utilisation of the giver nothing waits, so a move would only cost its pause. */
const UTILISATION_MIN = 0.2;
const HOT_SHARE = 0.5;

export interface MemberLoad {
  readonly load: NodeLoad;
  readonly receivedAt: Millis;
}

/** What placement knows at this moment. */
export interface BalanceView {
  /** All live room nodes, this one included; undefined when one of them reports no load. */
  readonly loads: ReadonlyMap<ProcessId, MemberLoad> | undefined;
  /** Every move of one partition. */
  moves(): readonly Move[];
}

export class Balance {
  readonly #self: ProcessId;
  /** 0: no moves. */
  #intervalMs: number;
  #quietSince: Millis;
  #next: ProcessId | undefined;
  #nextSince: Millis = 0;
  /** The moves that this node has decided. */
  moves = 0;

  constructor(self: ProcessId, intervalMs: number, now: Millis) {
    this.#self = self;
    this.#intervalMs = intervalMs;
    this.#quietSince = now;
  }

  set intervalMs(ms: number) {
    this.#intervalMs = ms;
  }

  /** The node that should change its weight next; beats announce it (balance.3). */
  get next(): ProcessId | undefined {
    return this.#next;
  }

  /** A node came or went, or a weight has changed. */
  onOwnersChanged(now: Millis): void {
    this.#quietSince = now;
    this.#next = undefined;
  }

  /** Call it once a beat. Returns the move that this node performs now, by its new weight. */
  decide(view: BalanceView, now: Millis): Move | undefined {
    const { loads } = view;
    const isQuiet = this.#intervalMs > 0 && now - this.#quietSince >= this.#intervalMs - HOLD_MS;
    const isUneven = loads !== undefined && isQuiet && mayHelp(loads);
    const move = isUneven ? bestMove(view.moves(), loads) : undefined;
    if (move?.node !== this.#next) this.#nextSince = now;
    this.#next = move?.node;
    if (move?.node !== this.#self || loads === undefined) return undefined;
    // It is the next one only since HOLD_MS before the end of the interval.
    if (now - this.#nextSince < HOLD_MS) return undefined;
    if (!this.#areAgreed(loads, now)) return undefined;
    this.moves++;
    this.onOwnersChanged(now);
    return move;
  }

  #areAgreed(loads: ReadonlyMap<ProcessId, MemberLoad>, now: Millis): boolean {
    return [...loads].every(
      ([id, { load, receivedAt }]) =>
        id === this.#self || (load.next === this.#self && now - receivedAt <= FRESH_MS),
    );
  }
}

/** balance.4: the hot partitions of `node`. */
export function hotPartitions(
  node: ProcessId,
  loads: ReadonlyMap<ProcessId, Pick<MemberLoad, "load">>,
): Partition[] {
  const load = loads.get(node)?.load;
  if (load === undefined) return [];
  let [busy, capacity] = [0, 0];
  for (const { load: each } of loads.values()) {
    busy += each.busy;
    capacity += each.capacity;
  }
  const costMin = load.capacity * Math.max(HOT_SHARE, busy / capacity);
  return Object.entries(load.costs ?? {})
    .filter(([, cost]) => cost >= costMin)
    .map(([p]) => Number(p));
}

interface Candidate {
  readonly move: Move;
  /** Gains of about the same size are in one class, so that noise does not change the order. */
  readonly gainClass: number;
}

/** Whether any two nodes differ enough, so that a search is worth its time. */
function mayHelp(loads: ReadonlyMap<ProcessId, MemberLoad>): boolean {
  const all = Array.from(loads.values(), ({ load }) => load.busy / load.capacity);
  const most = Math.max(...all);
  return most >= UTILISATION_MIN && most >= RATIO_MIN * Math.min(...all);
}

function bestMove(
  moves: readonly Move[],
  loads: ReadonlyMap<ProcessId, MemberLoad>,
): Move | undefined {
  let best: Candidate | undefined;
  for (const move of moves) {
    const candidate = candidateOf(move, loads);
    if (candidate !== undefined && (best === undefined || isBefore(candidate, best)))
      best = candidate;
  }
  return best?.move;
}

function candidateOf(move: Move, loads: ReadonlyMap<ProcessId, MemberLoad>): Candidate | undefined {
  const from = loads.get(move.from)?.load;
  const to = loads.get(move.to)?.load;
  if (from === undefined || to === undefined) return undefined;
  const cost = from.costs?.[move.p] ?? 0;
  if (!isUseful(from, to, cost)) return undefined;
  // A partition without work only makes way for the next one, so the giver must have a useful one.
  const isWorthIt = Object.values(from.costs ?? {}).some((each) => isUseful(from, to, each));
  return isWorthIt
    ? { move, gainClass: Math.floor(2 * Math.log2(gainOf(from, to, cost) + 1)) }
    : undefined;
}

/** balance.2. */
function isUseful(from: NodeLoad, to: NodeLoad, cost: number): boolean {
  const [giver, taker] = [from.busy / from.capacity, to.busy / to.capacity];
  if (giver < UTILISATION_MIN || giver < RATIO_MIN * taker) return false;
  // Where the giver stays the busier one, the larger utilisation falls by the whole cost.
  return giver - (taker + cost / to.capacity) >= GAIN_MIN * (cost / from.capacity);
}

/** By how much the sum of squares of the utilisations, weighted by capacity, falls. */
function gainOf(from: NodeLoad, to: NodeLoad, cost: number): number {
  const gap = from.busy / from.capacity - to.busy / to.capacity;
  return 2 * cost * gap - cost * cost * (1 / from.capacity + 1 / to.capacity);
}

function isBefore(a: Candidate, b: Candidate): boolean {
  if (a.gainClass !== b.gainClass) return a.gainClass > b.gainClass;
  if (a.move.p !== b.move.p) return a.move.p < b.move.p;
  // Two weights can move the same partition: the one that is nearer to 1 keeps room for more moves.
  const [one, other] = [Math.abs(a.move.weight), Math.abs(b.move.weight)];
  return one === other ? a.move.node < b.move.node : one < other;
}
