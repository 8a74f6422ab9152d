// Shares: owners by weight, and the change of one weight that moves one partition.

import { expect } from "chai";
import * as fc from "fast-check";
import { rendezvous } from "#shared/kit/rendezvous.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";
import { WEIGHT_MAX, WEIGHT_STEPS } from "#shared/protocol/load.ts";
import { Shares } from "../core/shares.ts";

const PARTITIONS = 32;
const ALL = [...Array(PARTITIONS).keys()];
const IDS = ["room-a", "room-b", "room-c", "room-d"] as ProcessId[];

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

  it("shares.1: the share of a member is proportional to its weight", () => {
    const many = [...Array(6_000).keys()];
    const shares = sharesOf([
      [IDS[0]!, 0],
      [IDS[1]!, -WEIGHT_STEPS],
    ]);
    const first = ownersOf(shares, many).filter((id) => id === IDS[0]).length;
    expect(first / many.length).to.be.within(0.64, 0.69); // Two thirds; six standard deviations.
  });

  it("shares.2, shares.3: each move takes exactly its partition, from its giver to its taker", () => {
    fc.assert(
      fc.property(weights, (members) => {
        const before = ownersOf(sharesOf(members));
        const moves = sharesOf(members).moves(PARTITIONS);
        for (const { node, weight, p, from, to } of moves) {
          const changed = members.map(([id, old]) => [id, id === node ? weight : old] as const);
          const expected = before.with(p, to);
          expect(before[p]).to.equal(from);
          expect([from, to]).to.include(node);
          expect(ownersOf(sharesOf(changed))).to.deep.equal(expected);
          expect(Math.abs(weight)).to.be.at.most(WEIGHT_MAX);
        }
        if (members.length === 1) expect(moves).to.deep.equal([]);
      }),
      { numRuns: 60 },
    );
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
