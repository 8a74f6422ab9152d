// Incarnations of a lane against an owner that has a newer one than the gateway.

import { expect } from "chai";
import * as fc from "fast-check";
import { isNewerIncarnation, nextIncarnation } from "#shared/protocol/lane-incarnation.ts";
import { LANE_INCARNATION_MAX } from "#shared/protocol/limits.ts";
import { LaneBench } from "./lane-bench.ts";

const incarnation = fc.oneof(
  fc.integer({ min: 1, max: LANE_INCARNATION_MAX }),
  fc.constantFrom(1, 2, LANE_INCARNATION_MAX - 1, LANE_INCARNATION_MAX),
);

describe("Incarnations", () => {
  it("P8: a lane with an older incarnation than the owner continues above the number that the owner names", () => {
    const bench = new LaneBench();
    bench.send("a");
    expect(bench.left()).to.deep.equal([[1, 1, ["a"]]]);
    bench.step({ kind: "resync", epoch: 1, incarnation: 1, above: LANE_INCARNATION_MAX - 1 });
    expect(bench.left()).to.deep.equal([[LANE_INCARNATION_MAX, 1, ["a"]]]);
    bench.step({ kind: "resync", epoch: 1, incarnation: LANE_INCARNATION_MAX, above: 7 });
    bench.advance(1_000); // The second resync in a row waits a moment.
    expect(bench.left().at(0)).to.deep.equal([8, 1, ["a"]]);
  });

  it("P8: the answer to a batch of an abandoned incarnation changes nothing", () => {
    const bench = new LaneBench();
    bench.send("a");
    bench.step({ kind: "resync", epoch: 1, incarnation: 1 });
    expect(bench.left().map(([lane]) => lane)).to.deep.equal([1, 2]);
    bench.step({ kind: "resync", epoch: 1, incarnation: 1, above: 2 });
    expect(bench.left()).to.deep.equal([]);
  });

  it("P8: every incarnation has a next one, which is newer than all of the half before it", () => {
    fc.assert(
      fc.property(incarnation, fc.nat(LANE_INCARNATION_MAX >>> 2), (lane, steps) => {
        const next = nextIncarnation(lane);
        expect(next).to.be.within(1, LANE_INCARNATION_MAX);
        expect(isNewerIncarnation(next, lane)).to.equal(true);
        expect(isNewerIncarnation(lane, next)).to.equal(false);
        expect(isNewerIncarnation(lane, lane)).to.equal(false);
        const later = ((lane + steps) % LANE_INCARNATION_MAX) + 1;
        expect(isNewerIncarnation(later, lane)).to.equal(true);
        expect(isNewerIncarnation(lane, later)).to.equal(false);
      }),
    );
  });
});
