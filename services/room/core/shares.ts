// Shares: the owner of each partition by weighted rendezvous, and the smallest change of one weight
// that moves exactly one partition.
//
// Owns: the ranks. Does not own: who is a member and with which weight (placement.ts), which change
// is useful (balance.ts).
//
//   shares.1. The owner of a partition has the largest log2(score) + weight. It depends only on the
//       members and their weights, so equal views choose equal owners.
//   shares.2. A member that changes its weight moves partitions only from or to itself. The one
//       that moves at the smallest change is its loosest partition.
//   shares.3. A change that moves the loosest partition moves no other one; there is none when no
//       whole step of a weight lies between the two, or when it exceeds WEIGHT_MAX.

import { rendezvousScore } from "#shared/kit/rendezvous.ts";
import type { Partition, ProcessId } from "#shared/protocol/ids.ts";
import { WEIGHT_MAX, WEIGHT_STEPS } from "#shared/protocol/load.ts";

/** Logarithms of two versions of Node may differ in the last bits; a step keeps this distance. */
const TOLERANCE = 1e-6;

/** One member changes its weight, and one partition moves. */
export interface Move {
  readonly node: ProcessId;
  readonly weight: number;
  readonly p: Partition;
  readonly from: ProcessId;
  readonly to: ProcessId;
}

interface Member {
  readonly id: ProcessId;
  readonly weight: number;
  /** log2(score) in steps, by partition; filled on demand. */
  readonly ranks: number[];
}

/** The loosest partition of a member in one direction, and the change that moves the next one. */
interface Edge {
  p: Partition;
  from: ProcessId;
  to: ProcessId;
  at: number;
  nextAt: number;
}

export class Shares {
  #members: readonly Member[] = [];
  readonly #owners: (ProcessId | undefined)[] = [];

  /** The members and their weights in steps (WEIGHT_STEPS). */
  set(weights: Iterable<readonly [ProcessId, number]>): void {
    const ranks = new Map(this.#members.map((member) => [member.id, member.ranks]));
    this.#members = Array.from(weights, ([id, weight]) => ({
      id,
      weight,
      ranks: ranks.get(id) ?? [],
    })).sort((a, b) => (a.id < b.id ? -1 : 1));
    this.#owners.length = 0;
  }

  ownerOf(p: Partition): ProcessId | undefined {
    return (this.#owners[p] ??= this.#bestTwo(p)[0]?.id);
  }

  /** The moves of one partition, at most two for each member: one from it and one to it. */
  moves(partitions: number): Move[] {
    const out = new Map<Member, Edge>();
    const into = new Map<Member, Edge>();
    for (let p = 0; p < partitions; p++) {
      const [best, second] = this.#bestTwo(p);
      if (best === undefined || second === undefined) return []; // One member owns everything.
      const rank = this.#rank(best, p);
      addEdge(out, best, { p, from: best.id, to: second.id, at: rank - this.#rank(second, p) });
      for (const member of this.#members) {
        if (member === best) continue;
        addEdge(into, member, {
          p,
          from: best.id,
          to: member.id,
          at: rank - this.#rank(member, p),
        });
      }
    }
    return this.#members.flatMap((member) => [
      ...moveOf(member, out.get(member), -1),
      ...moveOf(member, into.get(member), 1),
    ]);
  }

  #bestTwo(p: Partition): [Member | undefined, Member | undefined] {
    let [best, second]: [Member | undefined, Member | undefined] = [undefined, undefined];
    let [first, next] = [-Infinity, -Infinity];
    for (const member of this.#members) {
      const rank = this.#rank(member, p);
      if (rank > first) [best, second, first, next] = [member, best, rank, first];
      else if (rank > next) [second, next] = [member, rank];
    }
    return [best, second];
  }

  #rank({ id, weight, ranks }: Member, p: Partition): number {
    ranks[p] ??= rendezvousScore(`partition-${p}`, id) * WEIGHT_STEPS;
    return ranks[p] + weight;
  }
}

function addEdge(edges: Map<Member, Edge>, member: Member, found: Omit<Edge, "nextAt">): void {
  const edge = edges.get(member);
  if (edge === undefined) edges.set(member, { ...found, nextAt: Infinity });
  else if (found.at < edge.at) edges.set(member, { ...found, nextAt: edge.at });
  else edge.nextAt = Math.min(edge.nextAt, found.at);
}

function moveOf(member: Member, edge: Edge | undefined, sign: 1 | -1): Move[] {
  if (edge === undefined) return [];
  const change = Math.ceil(edge.at + TOLERANCE);
  const weight = member.weight + sign * change;
  if (change > edge.nextAt - TOLERANCE || Math.abs(weight) > WEIGHT_MAX) return []; // shares.3
  return [{ node: member.id, weight, p: edge.p, from: edge.from, to: edge.to }];
}
