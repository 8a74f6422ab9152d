import { expect } from "chai";
import { getHeapSpaceStatistics } from "node:v8";
import { collectStartGarbage } from "../start-garbage.ts";

const MIB = 1024 * 1024;
const youngBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space")?.space_size ?? NaN;

describe("StartGarbage", () => {
  it("start-garbage.1: the young generation is small afterwards, and `gc` is no global", () => {
    let kept: object[] = [];
    for (let n = 0; n < 1_000_000; n++) {
      kept.push({ n });
      if (kept.length > 100_000) kept = [];
    }
    expect(youngBytes()).to.be.above(2 * MIB);
    collectStartGarbage();
    expect(youngBytes()).to.be.below(2 * MIB + 1);
    expect(globalThis.gc).to.equal(undefined);
  });
});
