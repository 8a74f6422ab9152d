// Forecast: what counts as growth, and which metrics a process exports.

import { expect } from "chai";
import { systemClock } from "../../adapters/clock-system.ts";
import { NOTHING_ACCOUNTED, openForecast, unexplained } from "../forecast.ts";
import { heapLimit } from "../heap-sensor.ts";
import { createLogger } from "../logger.ts";
import { Metrics } from "../metrics.ts";
import { Shutdown } from "../shutdown.ts";

const MIB = 1_024 * 1_024;

describe("Forecast", () => {
  it("forecast.1: what a bounded store holds is no growth, and its bound leaves less for the rest", () => {
    const before = unexplained(100 * MIB, 1_000 * MIB, { bytes: 10 * MIB, bytesMax: 300 * MIB });
    const after = unexplained(290 * MIB, 1_000 * MIB, { bytes: 200 * MIB, bytesMax: 300 * MIB });
    expect(before).to.deep.equal({ value: 90 * MIB, limit: 580 * MIB });
    expect(after).to.deep.equal(before);
    expect(unexplained(MIB, 100 * MIB, { bytes: 2 * MIB, bytesMax: 200 * MIB })).to.deep.equal({
      value: 0,
      limit: MIB,
    });
  });

  it("forecast.3: a process that does not grow exports its heap and no forecast", async () => {
    const logger = createLogger({ name: "test", level: "silent" });
    const shutdown = new Shutdown(logger, { deadlineMs: 1_000, exit: () => undefined });
    const metrics = new Metrics({ service: "test", version: "1" });
    openForecast({
      clock: systemClock,
      logger,
      metrics,
      shutdown,
      accounted: () => NOTHING_ACCOUNTED,
    });
    const text = await metrics.render();
    expect(text).to.match(/^parley_heap_limit_bytes [1-9]/m);
    expect(text).to.match(/^parley_heap_live_bytes \d/m);
    expect(text).to.match(/^# TYPE parley_forecast_seconds gauge/m);
    expect(text).to.not.match(/^parley_forecast_seconds\{/m);
    await shutdown.stop("test");
  });

  it("heap-sensor.3: the last --max-old-space-size is the limit", () => {
    const flags = ["--max-old-space-size=100 --inspect", "--max_old_space_size=48"];
    expect(heapLimit(flags)).to.equal(48 * MIB);
    expect(heapLimit([])).to.be.above(100 * MIB);
  });
});
