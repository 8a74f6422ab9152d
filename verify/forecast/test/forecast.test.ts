// A real process that leaks until V8 ends it, seen by the sensor of the services.

import { expect } from "chai";
import { judge, scoreOf, wilson } from "../evaluate.ts";
import { runLoad } from "../run-load.ts";

const MIB = 1_024 * 1_024;

describe("Forecast of a real process", () => {
  it("heap-sensor.1: the live bytes of a leak rise to the limit, and V8 ends the process there", async () => {
    const run = await runLoad({ shape: "linear", seed: 1, seconds: 20, heapMib: 48 });
    expect(run.isExhausted).to.equal(true);
    expect(run.readings.length).to.be.above(4);
    const last = run.readings.at(-1);
    expect(last?.limit).to.equal(48 * MIB);
    expect(last?.live).to.be.above(0.6 * 48 * MIB);
    expect(last?.live).to.be.above(2 * (run.readings[0]?.live ?? Infinity));
  }).timeout(120_000);

  it("evaluate.1: counts warnings before the end as found, and warnings without an end as false", () => {
    const steep = Array.from({ length: 40 }, (_, i) => ({
      at: i,
      live: (2 + i) * MIB,
      accounted: 0,
      limit: 60 * MIB,
    }));
    const flat = steep.map((reading, i) => ({ ...reading, live: (20 + (i % 3)) * MIB }));
    const run = { shape: "linear", seed: 1, seconds: 40, readings: steep } as const;
    const judged = [
      judge({ ...run, isExhausted: true }),
      judge({ ...run, shape: "wave", isExhausted: false }),
      judge({ ...run, isExhausted: false }),
      judge({ ...run, isExhausted: true, readings: flat }),
    ];
    expect(scoreOf(judged)).to.deep.include({
      runs: 4,
      exhausted: 2,
      leftOut: 1,
      found: 1,
      falseAlarms: 1,
      healthySeconds: 40,
    });
    expect(judged[0]?.warnedAt).to.be.within(15, 38);
    expect(wilson(9, 10).map((share) => share.toFixed(3))).to.deep.equal(["0.596", "0.982"]);
  });
});
