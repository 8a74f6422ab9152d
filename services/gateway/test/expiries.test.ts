import { expect } from "chai";
import { Expiries } from "../runtime/expiries.ts";
import type { Expiring } from "../runtime/expiries.ts";

class Holder implements Expiring {
  bucket: number | undefined;
  endsAt: number;

  constructor(endsAt: number) {
    this.endsAt = endsAt;
  }
}

function fill(...ends: number[]): { expiries: Expiries<Holder>; holders: Holder[] } {
  const expiries = new Expiries<Holder>();
  const holders = ends.map((endsAt) => new Holder(endsAt));
  for (const holder of holders) expiries.note(holder);
  return { expiries, holders };
}

describe("Expiries", () => {
  it("expiries.1: a holder is in one bucket, and no bucket is empty", () => {
    const { expiries, holders } = fill(1_000, 1_999, 2_000, Infinity);
    expect(expiries.size).to.equal(2);
    const [first, second, third, never] = holders;
    first!.endsAt = 9_000;
    expiries.note(first!);
    second!.endsAt = Infinity;
    expiries.note(second!);
    expect(expiries.due(5_000)).to.deep.equal([third]);
    never!.endsAt = 500;
    expiries.note(never!);
    expect(expiries.due(5_000)).to.have.members([third, never]);
    for (const holder of holders) expiries.remove(holder);
    expiries.remove(first!);
    expect([expiries.size, expiries.due(Infinity)]).to.deep.equal([0, []]);
  });

  it("expiries.2: a holder is due when its second has passed, until it is removed", () => {
    const { expiries, holders } = fill(1_500, 7_000);
    expect(expiries.due(1_999)).to.deep.equal([]);
    expect(expiries.due(2_000)).to.deep.equal([holders[0]]);
    expect(expiries.due(99_000)).to.have.members(holders);
    expect(expiries.due(0)).to.deep.equal([]); // The clock was set back.
    expiries.remove(holders[0]!);
    expect(expiries.due(99_000)).to.deep.equal([holders[1]]);
  });
});
