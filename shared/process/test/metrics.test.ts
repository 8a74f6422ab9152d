import fs from "node:fs";
import { expect } from "chai";
import { systemClock } from "../../adapters/clock-system.ts";
import { Histogram } from "../../kit/histogram.ts";
import { Metrics } from "../metrics.ts";
import { openMetricsServer } from "../metrics-server.ts";

function create(): Metrics {
  return new Metrics({ service: "test", version: "1" });
}

const OPEN_FILES = "process_open_fds ";

async function render(register: (metrics: Metrics) => void): Promise<readonly string[]> {
  const metrics = create();
  register(metrics);
  return (await metrics.render()).split("\n");
}

describe("Metrics", () => {
  it("E1: reads counters and gauges at each scrape", async () => {
    let sent = 0;
    const metrics = create();
    metrics.counter("sent_total", "Sent", () => sent);
    metrics.gauge("by_kind", "By kind", () => [
      [{ kind: "a" }, 1],
      [{ kind: 'b"\n' }, 2],
    ]);
    sent = 41;
    const lines = (await metrics.render()).split("\n");
    expect(lines).to.include.members(["# TYPE sent counter", "sent_total 41"]);
    expect(lines).to.include.members(['by_kind{kind="a"} 1', 'by_kind{kind="b\\"\\n"} 2']);
    sent = 42;
    expect((await metrics.render()).split("\n")).to.include("sent_total 42");
    expect(lines.at(-2)).to.equal("# EOF");
  });

  it("E1: a scrape after a long pause has everything that was counted meanwhile", async () => {
    let sent = 0;
    const took = new Histogram([0.1, 1]);
    const metrics = create();
    metrics.counter("sent_total", "Sent", () => sent);
    metrics.histogram("took", "Took", () => took);
    await metrics.render();
    for (let n = 0; n < 10_000; n++) {
      sent++;
      took.observe(0.5);
    }
    const lines = (await metrics.render()).split("\n");
    expect(lines).to.include.members(["sent_total 10000", "took_count 10000"]);
  });

  it("metrics.3: a histogram is cumulative and carries the trace of a sampled value", async () => {
    const histogram = new Histogram([0.1, 1]);
    for (const value of [0.05, 0.5, 0.6, 7]) histogram.observe(value);
    histogram.exemplify({ traceId: "4bf9", value: 0.6, atSeconds: 1_795 });
    const lines = await render((metrics) => metrics.histogram("took", "Took", () => histogram));
    expect(lines).to.include.members([
      "# TYPE took histogram",
      'took_bucket{le="0.1"} 1',
      'took_bucket{le="1"} 3 # {trace_id="4bf9"} 0.6 1795',
      'took_bucket{le="+Inf"} 4',
      "took_sum 8.15",
      "took_count 4",
    ]);
  });

  it("metrics.2: a read function that throws loses its own family only", async () => {
    const lines = await render((metrics) => {
      metrics.gauge("broken", "Broken", () => {
        throw new Error("no");
      });
      metrics.gauge("whole", "Whole", () => 1);
    });
    expect(lines).to.include("whole 1").and.not.include("broken 0");
  });

  it("E1: exposes the event loop, the heap and garbage collection", async () => {
    const text = (await render(() => undefined)).join("\n");
    for (const name of [
      "nodejs_eventloop_lag_p99_seconds ",
      "nodejs_heap_size_used_bytes ",
      "nodejs_gc_duration_seconds",
      "parley_event_loop_utilisation ",
    ]) {
      expect(text).to.contain(name);
    }
    expect(text).to.contain('parley_build_info{service="test",version="1"');
  });

  it("E1: a scrape counts the open files and does not list them", async () => {
    const list = fs.readdirSync;
    let lists = 0;
    fs.readdirSync = ((...args: Parameters<typeof list>) => {
      lists += 1;
      return list(...args);
    }) as typeof list;
    try {
      const count = (await render(() => undefined)).find((line) => line.startsWith(OPEN_FILES));
      expect(Number(count?.slice(OPEN_FILES.length))).to.be.above(0);
      expect(lists).to.equal(0);
    } finally {
      fs.readdirSync = list;
    }
  });

  it("E1: the lag of the event loop is the lateness of periodic work since the last scrape", async () => {
    const lag = async (name: string): Promise<number> => {
      const lines = await render(() => undefined);
      return Number(
        lines
          .find((line) => line.startsWith(`nodejs_eventloop_lag_${name}_seconds `))
          ?.split(" ")[1],
      );
    };
    const runs = (): Promise<void> =>
      new Promise((resolve) => {
        const timer = systemClock.every(20, () => {
          timer.cancel();
          resolve();
        });
      });
    await lag("p99");
    const run = runs();
    const until = performance.now() + 300;
    while (performance.now() < until); // The event loop is busy.
    await run;
    expect(await lag("max")).to.be.at.least(0.25);
    expect(await lag("max")).to.equal(0);
  });
});

describe("Metrics server", () => {
  it("metrics-server.1: serves health, readiness and metrics, and nothing else", async () => {
    let missing: string | undefined;
    const server = await openMetricsServer({
      host: "127.0.0.1",
      port: 0,
      metrics: create(),
      missing: () => missing,
    });
    const get = (path: string, method = "GET"): Promise<Response> =>
      fetch(new URL(path, server.url), { method });
    expect((await get("/healthz")).status).to.equal(200);
    expect((await get("/readyz")).status).to.equal(200);
    missing = "NATS is not connected";
    const unready = await get("/readyz");
    expect([unready.status, await unready.text()]).to.deep.equal([503, `${missing}\n`]);
    const scraped = await get("/metrics?x=1");
    expect(scraped.headers.get("content-type")).to.contain("openmetrics-text");
    expect(await scraped.text()).to.contain("# EOF");
    expect((await get("/metrics", "POST")).status).to.equal(405);
    expect((await get("/else")).status).to.equal(404);
    await server.close(); // metrics-server.2: kept-alive sockets do not hold it.
  });
});
