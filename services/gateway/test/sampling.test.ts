import { expect } from "chai";
import { seededRandom } from "#shared/kit/random.ts";
import { FORCED_RATE, Sampling } from "../core/sampling.ts";

const ASKING = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
const NOT_ASKING = `${ASKING.slice(0, -2)}00`;

function picked(sampling: Sampling, given: string | undefined, times: number): number {
  let count = 0;
  for (let n = 0; n < times; n++) if (sampling.pick(given, 0) !== undefined) count++;
  return count;
}

describe("Sampling", () => {
  it("E3: with ratio 0 nothing is traced, and no random number is drawn", () => {
    const sampling = new Sampling({
      next32: () => {
        throw new Error("thrown");
      },
    });
    expect(picked(sampling, undefined, 10)).to.equal(0);
    expect(picked(sampling, NOT_ASKING, 10)).to.equal(0);
    sampling.ratio = 1;
    expect(() => sampling.pick(undefined, 0)).to.throw("thrown");
  });

  it("E3: a share of the sends is traced, under the sender's context if there is one", () => {
    const sampling = new Sampling(seededRandom(7), 0.01);
    expect(picked(sampling, undefined, 100_000)).to.be.within(900, 1_100);
    sampling.ratio = 1;
    expect(sampling.pick(undefined, 0)).to.deep.equal({ parent: undefined });
    expect(sampling.pick(NOT_ASKING, 0)).to.deep.equal({ parent: NOT_ASKING });
  });

  it("sampling.2: a send with the sampled flag is traced at any ratio, up to a rate", () => {
    const sampling = new Sampling(seededRandom(7));
    expect(sampling.pick(ASKING, 0)).to.deep.equal({ parent: ASKING });
    expect(picked(sampling, ASKING, 1_000)).to.be.within(1, FORCED_RATE.burst);
    expect(sampling.pick(ASKING, 60_000)).to.deep.equal({ parent: ASKING });
  });

  it("sampling.3: text that is not a traceparent is ignored", () => {
    const sampling = new Sampling(seededRandom(7), 1);
    const broken = ["", "01", `${ASKING} `, `${ASKING}\n`, ASKING.toUpperCase(), `0${ASKING}`];
    for (const given of [...broken, `00-${"0".repeat(32)}-${"b".repeat(16)}-01`]) {
      expect(sampling.pick(given, 0), given).to.deep.equal({ parent: undefined });
    }
  });

  it("sampling.1: a share begins at the first random number and ends below the ratio", () => {
    const dice = [0, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
    const sampling = new Sampling({ next32: () => dice.shift() ?? 0 }, 0.5);
    const traced = [1, 2, 3, 4].map(() => sampling.pick(undefined, 0) !== undefined);
    expect(traced).to.deep.equal([true, true, false, false]);
  });
});
