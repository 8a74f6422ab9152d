// `make plots`: draws the dashboards as pictures from real data, without Grafana. It runs a cluster
// and a real Prometheus that scrapes it every second, one minute of mixed load as warm-up, and two
// minutes with some faults. Then it evaluates the queries of dashboards.ts.
//
//   node loadtest/plots/main.ts SECONDS=120 RATE=150
//
// Writes docs/images/dashboard-<uid>.svg. Every panel marks the faults.

import { writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { UserId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { Load } from "#verify/chaos/load.ts";
import { devToken } from "#verify/wire-client/dev-token.ts";
import { DEFAULTS } from "#infra/embedded/cluster-options.ts";
import { Cluster } from "#infra/embedded/cluster.ts";
import { stopPostgres } from "#verify/drills/archive-faults.ts";
import { Prometheus } from "#verify/drills/prometheus.ts";
import type { Target } from "#verify/drills/prometheus.ts";
import { freePorts } from "#infra/embedded/ports.ts";
import { REPOSITORY } from "#infra/embedded/service-process.ts";
import { ToolMissing } from "#tools/programs/programs.ts";
import { DASHBOARDS } from "#infra/grafana/dashboards.ts";
import type { Dashboard } from "#infra/grafana/dashboards.ts";
import { drawPicture } from "./panel-svg.ts";
import type { Mark } from "./panel-svg.ts";
import { toSeries } from "./series.ts";

const SERVICES = { gateway: 2, room: 2, persistence: 2 } as const;
const PARTITIONS = 8;
const SHAPE = { rooms: 60, perRoom: 4, roomsPerClient: 4 } as const;
const PAUSED_READERS = 5;
const SCRAPE_MS = 1_000;
const STEP_S = 2;
/**
 * The queries use windows of one minute, so drawing begins when a window contains only the load.
 */
const WARM_MS = 65_000;
const IN_WITHIN_MS = 60_000;

const asked = new Map(process.argv.slice(2).map((text) => text.split("=") as [string, string]));
const seconds = Number(asked.get("SECONDS") ?? 120);
const rate = Number(asked.get("RATE") ?? 150);

const dataDir = await mkdtemp(join(tmpdir(), "parley-plots-"));
try {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(
    new Cluster({
      ...DEFAULTS,
      dataDir: join(dataDir, "cluster"),
      port: 0,
      gateways: SERVICES.gateway,
      rooms: SERVICES.room,
      persistence: SERVICES.persistence,
      partitions: PARTITIONS,
      limits: "off",
      say: () => undefined,
    }),
  );
  const targets = await dress(cluster);
  await cluster.start();
  const prometheus = stack.use(
    await Prometheus.start({
      dir: join(dataDir, "prometheus"),
      rules: await readFile(join(REPOSITORY, "infra/prometheus/rules.yml"), "utf8"),
      scrapeMs: SCRAPE_MS,
      evaluateMs: SCRAPE_MS,
      targets,
    }),
  );
  const { from, marks } = await play(cluster);
  const to = Date.now() / 1_000;
  for (const dashboard of DASHBOARDS) {
    const path = `docs/images/dashboard-${dashboard.uid}.svg`;
    const panels = await panelsOf(dashboard, prometheus, { from, to });
    const note =
      `make plots: ${rate} messages/s into ${SHAPE.rooms} rooms of ${SHAPE.perRoom} for ${seconds} s, ` +
      "all processes on one machine; scraped every second";
    const picture = { title: dashboard.title, note, from, to, stepSeconds: STEP_S, marks, panels };
    writeFileSync(join(REPOSITORY, path), drawPicture(picture));
    const empty = panels.filter(({ series }) => series.length === 0).map(({ title }) => title);
    console.log(`${path}${empty.length > 0 ? `  without data: ${empty.join(", ")}` : ""}`);
  }
} catch (error: unknown) {
  if (!(error instanceof ToolMissing)) throw error;
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await rm(dataDir, { recursive: true, force: true });
}

/** A fixed port for /metrics of each process, so that a restarted process keeps it. */
async function dress(cluster: Cluster): Promise<Target[]> {
  const names = Object.entries(SERVICES).flatMap(([job, count]) =>
    Array.from({ length: count }, (_, i) => ({ job, instance: `${job}-${i + 1}` })),
  );
  const ports = await freePorts(names.length);
  return names.map(({ job, instance }, i) => {
    cluster.setEnv(instance, { METRICS_PORT: String(ports[i]) });
    return { job, instance, address: `127.0.0.1:${ports[i]}` };
  });
}

/** Runs the load and injects the faults, at shares of the time. */
async function play(cluster: Cluster): Promise<{ from: number; marks: Mark[] }> {
  const marks: Mark[] = [];
  let goOn = (): void => undefined;
  const mark = (label: string): void => void marks.push({ t: Date.now() / 1_000, label });
  const endpoints = cluster.info().gateways.map(({ name, url }) => ({
    name,
    url: `${url.replace("http", "ws")}/v1/ws`,
  }));
  const tokenOf = (user: UserId): Promise<string> => devToken(cluster.url, user);
  const file = join(dataDir, "records.jsonl");
  const load = new Load({ seed: 1, endpoints, ...SHAPE, rate, file });
  try {
    await load.open(tokenOf);
    await until(() => load.state().isJoined, {
      withinMs: IN_WITHIN_MS,
      what: "all clients to be joined",
    });
    load.start();
    await sleep(WARM_MS);
    const from = Date.now() / 1_000;
    const part = (share: number): Promise<void> => sleep(share * seconds * 1_000);
    await part(0.2);
    mark("readers paused");
    await load.pauseReaders(PAUSED_READERS, tokenOf);
    await part(0.15);
    load.resumeReaders();
    mark("readers continue");
    await part(0.15);
    mark("kill -9 room-1");
    await cluster.kill("room-1");
    await part(0.2);
    mark("PostgreSQL paused");
    goOn = stopPostgres(cluster);
    await part(0.1);
    mark("PostgreSQL continues");
    goOn();
    goOn = () => undefined;
    await part(0.2);
    return { from, marks };
  } finally {
    goOn(); // Also after an early exit: a paused process cannot be stopped.
    load.close();
    load.end();
  }
}

async function panelsOf(
  { panels }: Dashboard,
  prometheus: Prometheus,
  { from, to }: { readonly from: number; readonly to: number },
) {
  const drawn = [];
  for (const { title, unit, queries } of panels) {
    const series = [];
    for (const [legend, query] of Object.entries(queries)) {
      const results = await prometheus.range(query, { from, to, stepSeconds: STEP_S });
      series.push(...results.map((result) => toSeries(legend, result)));
    }
    const some = series.filter(({ points }) => points.length > 0);
    drawn.push({
      title,
      unit,
      series: some.toSorted((a, b) => a.legend.localeCompare(b.legend, "en", { numeric: true })),
    });
  }
  return drawn;
}
