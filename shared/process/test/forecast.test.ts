// Forecast: what counts as growth, and which metrics a process exports.

import { expect } from "chai";
import { systemClock } from "../../adapters/clock-system.ts";
import { FakeClock } from "../../testing/fake-clock.ts";
import { openForecast } from "../forecast.ts";
import { heapLimit } from "../heap-sensor.ts";
import { createLogger } from "../logger.ts";
import { Metrics } from "../metrics.ts";
import { Shutdown } from "../shutdown.ts";

const MIB = 1_024 * 1_024;

describe("Forecast", () => {
  it("forecast.3: a process that does not grow exports its heap and no forecast", async () => {
    const logger = createLogger({ name: "test", level: "silent" });
    const shutdown = new Shutdown(logger, { deadlineMs: 1_000, exit: () => undefined });
    const metrics = new Metrics({ service: "test", version: "1" });
    openForecast({ clock: systemClock, logger, metrics, shutdown });
    const text = await metrics.render();
    expect(text).to.match(/^parley_heap_limit_bytes [1-9]/m);
    expect(text).to.match(/^parley_heap_live_bytes \d/m);
    expect(text).to.match(/^# TYPE parley_forecast_seconds gauge/m);
    expect(text).to.not.match(/^parley_forecast_seconds\{/m);
    await shutdown.stop("test");
  });

  it("forecast.1, forecast.2, forecast.4: a leak writes memory lines and one warning, and each collection is reported", async () => {
    const lines: Record<string, unknown>[] = [];
    const write = (text: string): void =>
      void lines.push(JSON.parse(text) as Record<string, unknown>);
    const logger = createLogger({ name: "test", level: "info", destination: { write } });
    const shutdown = new Shutdown(logger, { deadlineMs: 1_000, exit: () => undefined });
    const clock = new FakeClock();
    const readings: number[] = [];
    let joins = 0;
    let report: (bytes: number) => void = () => undefined;
    const metrics = new Metrics({ service: "test", version: "1" });
    const forecasts = openForecast({
      clock,
      logger,
      metrics,
      shutdown,
      accounted: () => ({ bytes: 5 * MIB, bytesMax: 10 * MIB }),
      operations: () => ({ join: joins }),
      onHeap: ({ live }) => readings.push(live),
      openSensor: ({ onLive }) => {
        report = onLive;
        return { limit: 400 * MIB, close: () => undefined };
      },
    });
    const named = (msg: string): Record<string, unknown>[] =>
      lines.filter((line) => line["msg"] === msg);
    report(100 * MIB);
    clock.advance(5_000);
    report(100 * MIB);
    expect(named("memory"), "at most one line in ten seconds").to.have.length(1);
    expect(named("memory")[0]).to.deep.include({
      live: 100 * MIB,
      limit: 400 * MIB,
      accounted: 5 * MIB,
      accountedMax: 10 * MIB,
    });
    for (let minute = 0; minute < 190; minute++) {
      clock.advance(60_000);
      joins += 1 + (minute % 7);
      report(100 * MIB + 0.25 * MIB * joins);
    }
    expect(named("exhaustion foretold")).to.have.length(1);
    expect(named("exhaustion foretold")[0]).to.include({ resource: "heap", level: "warn" });
    const { resource, blamed } = forecasts.statuses()[0]!;
    expect([resource, blamed]).to.deep.equal(["heap", "262 kB stay per join"]);
    const text = await metrics.render();
    expect(text).to.contain('parley_forecasts_total{resource="heap"} 1');
    expect(text).to.match(/^parley_forecast_seconds\{resource="heap",bound="median"\} \d/m);
    expect(readings).to.have.length(192);
    await shutdown.stop("test");
  });

  it("heap-sensor.3: the last --max-old-space-size is the limit", () => {
    const flags = ["--max-old-space-size=100 --inspect", "--max_old_space_size=48"];
    expect(heapLimit(flags)).to.equal(48 * MIB);
    expect(heapLimit([])).to.be.above(100 * MIB);
  });
});
