// Shares: owners by weight, and the change of one weight that moves one partition.

import { expect } from "chai";
import * as fc from "fast-check";
import { rendezvous, rendezvousScore } from "#shared/kit/rendezvous.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";
import { WEIGHT_MAX, WEIGHT_STEPS } from "#shared/protocol/load.ts";
import { Shares } from "../core/shares.ts";
import type { Move } from "../core/shares.ts";

const PARTITIONS = 32;
const MANY = 4_000;
const ALL = [...Array(PARTITIONS).keys()];
const IDS = ["room-a", "room-b", "room-c", "room-d"] as ProcessId[];

/** Their hashes are equal for every partition. */
const TWINS = ["room-5gh8jv", "room-kw9nkf"] as [ProcessId, ProcessId];

type Weights = readonly (readonly [ProcessId, number])[];

function sharesOf(weights: Weights): Shares {
  const shares = new Shares();
  shares.set(weights);
  return shares;
}

const ownersOf = (shares: Shares, partitions = ALL): (ProcessId | undefined)[] =>
  partitions.map((p) => shares.ownerOf(p));

const weights = fc
  .tuple(
    fc.integer({ min: 1, max: 4 }),
    fc.array(fc.integer({ min: -WEIGHT_MAX, max: WEIGHT_MAX }), { minLength: 4, maxLength: 4 }),
  )
  .map(([count, steps]) => IDS.slice(0, count).map((id, i) => [id, steps[i] ?? 0] as const));

/**
 * The moves by trying changes: the number of partitions that a change of one weight moves grows
 * with the change, so bisection finds the smallest change that moves any.
 */
function smallestMoves(members: Weights, partitions: number): Move[] {
  const all = [...Array(partitions).keys()];
  const before = ownersOf(sharesOf(members), all);
  const shares = new Shares();
  const moved = (node: ProcessId, weight: number): number[] => {
    shares.set(members.map(([id, old]) => [id, id === node ? weight : old]));
    return all.filter((p) => shares.ownerOf(p) !== before[p]);
  };
  return members.flatMap(([node, old]) =>
    [-1, 1].flatMap((sign): Move[] => {
      let [low, high] = [0, 2 * WEIGHT_MAX + 1];
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (moved(node, old + sign * middle).length > 0) high = middle;
        else low = middle;
      }
      const weight = old + sign * high;
      const [p, ...others] = moved(node, weight);
      if (p === undefined || others.length > 0 || Math.abs(weight) > WEIGHT_MAX) return [];
      return [{ node, weight, p, from: before[p]!, to: shares.ownerOf(p)! }];
    }),
  );
}

describe("Shares", () => {
  it("shares.1: equal weights choose the owners of unweighted rendezvous, in any order of members", () => {
    for (const weight of [0, -WEIGHT_STEPS, 12_345]) {
      const members = IDS.map((id) => [id, weight] as const);
      const plain = ALL.map((p) => rendezvous(`partition-${p}`, IDS));
      expect(ownersOf(sharesOf(members))).to.deep.equal(plain);
      expect(ownersOf(sharesOf(members.toReversed()))).to.deep.equal(plain);
    }
    expect(sharesOf([]).ownerOf(0)).to.equal(undefined);
  });

  it("shares.1: members with equal ranks have the same owners and moves in any order", () => {
    const [low, high, third] = [...TWINS, IDS[3]!];
    for (const [weight, others] of [
      [0, -WEIGHT_MAX],
      [-1, -WEIGHT_MAX],
      [0, WEIGHT_MAX],
    ] as const) {
      const members: Weights = [
        [low, 0],
        [high, weight],
        [third, others],
      ];
      const moves = smallestMoves(members, 1);
      for (const order of [members, members.toReversed()]) {
        const shares = sharesOf(order);
        expect(ownersOf(shares)).not.to.include(high);
        expect(shares.moves(1)).to.have.deep.members(moves);
      }
    }
  });

  it("shares.3: a change that ends in equal ranks moves nothing, because the id decides then", () => {
    const [low, high, third] = [...TWINS, IDS[2]!];
    const gap = rendezvousScore("partition-0", high) - rendezvousScore("partition-0", third);
    const shares = sharesOf([
      [low, 0],
      [high, 1],
      // One step of `high` moves partition 0 to this member, and its others to `low`.
      [third, Math.floor(gap * WEIGHT_STEPS + 1)],
    ]);
    expect(ownersOf(shares)).to.include(high).and.not.to.include(low);
    expect(shares.ownerOf(0)).to.equal(high);
    const out = shares.moves(PARTITIONS).filter(({ from, node }) => from === high && node === high);
    expect(out).to.deep.equal([]);
  });

  it("shares.1: the share of a member is proportional to its weight", () => {
    const many = [...Array(6_000).keys()];
    const shares = sharesOf([
      [IDS[0]!, 0],
      [IDS[1]!, -WEIGHT_STEPS],
    ]);
    const first = ownersOf(shares, many).filter((id) => id === IDS[0]).length;
    expect(first / many.length).to.be.within(0.64, 0.69); // Two thirds; six standard deviations.
  });

  it("shares.2, shares.3: of each member the loosest partition moves in both directions, at the smallest change, and alone", () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: PARTITIONS }), (members, partitions) => {
        const moves = sharesOf(members).moves(partitions);
        expect(moves).to.have.deep.members(smallestMoves(members, partitions));
      }),
      { numRuns: 60 },
    );
  });

  it("shares.3: a member whose two loosest partitions move in one step has no move in that direction", () => {
    // With the last two weights, two of 4,000 partitions are that close.
    for (const [weight, count] of [
      [0, 4],
      [18_500, 2],
      [26_200, 2],
    ] as const) {
      const members = [
        [IDS[0]!, 0],
        [IDS[1]!, weight],
      ] as const;
      const moves = sharesOf(members).moves(MANY);
      expect(moves).to.have.deep.members(smallestMoves(members, MANY));
      expect(moves).to.have.length(count);
    }
  });

  it("shares.3: a move may end at WEIGHT_MAX, and not beyond it", () => {
    const [first, second] = [IDS[0]!, IDS[1]!];
    const moveTo = (weight: number): Move | undefined =>
      sharesOf([
        [first, weight],
        [second, weight],
      ])
        .moves(PARTITIONS)
        .find(({ node, to }) => node === first && to === first);
    const change = moveTo(0)!.weight;
    expect(moveTo(WEIGHT_MAX - change)).to.include({ weight: WEIGHT_MAX });
    expect(moveTo(WEIGHT_MAX - change + 1)).to.equal(undefined);
  });

  it("shares.2: repeated moves of one member in one direction take its partitions one by one, up to the bound", () => {
    const members = new Map(IDS.slice(0, 2).map((id) => [id, 0]));
    const shares = new Shares();
    const owned: number[] = [];
    for (;;) {
      shares.set(members);
      owned.push(ownersOf(shares).filter((id) => id === IDS[0]).length);
      const out = shares
        .moves(PARTITIONS)
        .find(({ node, from }) => node === IDS[0] && from === node);
      if (out === undefined) break;
      members.set(out.node, out.weight);
    }
    expect(owned).to.deep.equal(owned.map((_, i) => (owned[0] ?? 0) - i));
    // The share of a quarter of the weight: 32 / 5.
    expect(owned.at(-1)).to.be.within(2, 12);
  });
});
