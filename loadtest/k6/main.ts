// Load (`make load`, `make load ONLY=hot-room SECONDS=60 GATEWAY=http://host:8080`): the k6
// scenarios, each with its own thresholds, against an external gateway or an embedded cluster.
//
// Environment: ONLY, SECONDS, SCALE (multiplies rates and users), GATEWAY. The soak runs only when
// named. Writes .parley/load/<scenario>.json for the report: the summary of k6, and for an embedded
// cluster the memory of its processes over time. Exits with 1 when a threshold is violated.
// Not measured: loads beyond k6 on two cores; see make bench.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startCluster } from "#infra/embedded/cluster.ts";
import { INSPECTED, liveMiB } from "#verify/e2e/live-memory.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { ensureGoProgram, K6 } from "#tools/programs/go-program.ts";
import { ToolMissing } from "#tools/programs/programs.ts";
import { rssOf } from "../bench/cpu.ts";
import { pidsOf } from "../bench/peers/parley.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const OUT = fileURLToPath(new URL("../../.parley/load", import.meta.url));
const SCENARIOS = ["connect-and-chat", "hot-room", "many-rooms", "reconnect-storm", "http-api"];
const SOAK = "soak";
/** The published figures have it. */
const PARTITIONS = 16;
const SAMPLE_MS = 2_000;
/** Rare: each forced collection stops a process, and acks with it, for up to 0.65 s. */
const LIVE_SAMPLE_MS = 300_000;

/** The file that `make report` reads. */
export interface StoredLoad {
  readonly scenario: string;
  readonly command: string;
  readonly at: string;
  readonly passed: boolean;
  readonly seconds: number;
  readonly metrics: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Seconds since the start, and MiB by process; empty for an external gateway. */
  readonly memory: readonly {
    readonly at: number;
    readonly mb: Readonly<Record<string, number>>;
  }[];
  /** The live heap of each service after a forced collection; only for the soak. */
  readonly live?: StoredLoad["memory"];
}

async function main(): Promise<void> {
  const k6 = await ensureGoProgram(K6);
  const only = (process.env["ONLY"] ?? "").split(",").filter((name) => name !== "");
  const unknown = only.filter((name) => ![...SCENARIOS, SOAK].includes(name));
  if (unknown.length > 0) throw new Error(`ONLY: unknown scenario ${unknown.join(", ")}`);
  const { GATEWAY: gateway = "" } = process.env;
  const dataDir = mkdtempSync(join(tmpdir(), "parley-load-"));
  const isSoak = only.includes(SOAK);
  const options = {
    dataDir,
    port: 0,
    partitions: PARTITIONS,
    limits: "off",
    say: () => undefined,
    ...(isSoak && { env: INSPECTED }),
  } as const;
  const cluster = gateway === "" ? await startCluster(options) : undefined;
  const url = cluster?.url ?? gateway;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      // The terminal sends its signal to k6, but not to the servers. Without the exit, the next
      // scenario would begin.
      void cluster?.stop().then(() => process.exit(130));
    });
  }
  const verdicts: string[] = [];
  try {
    for (const scenario of only.length > 0 ? only : SCENARIOS) {
      const logs = scenario === SOAK ? join(dataDir, "logs") : undefined;
      const passed = await play(k6, scenario, { url, cluster, logs });
      if (!passed) process.exitCode = 1;
      verdicts.push(`${passed ? "✓" : "✗"} ${scenario}`);
    }
  } finally {
    await cluster?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
  console.log(verdicts.join("\n"));
}

async function play(
  k6: string,
  scenario: string,
  {
    url,
    cluster,
    logs,
  }: {
    readonly url: string;
    readonly cluster: Cluster | undefined;
    /** Only of services that run with an inspector. */
    readonly logs: string | undefined;
  },
): Promise<boolean> {
  console.log(`\n${scenario}`);
  mkdirSync(OUT, { recursive: true });
  const summary = `${OUT}/${scenario}.summary.json`;
  const child = spawn(
    k6,
    ["run", "--quiet", "--no-usage-report", "--summary-export", summary, `${HERE}${scenario}.js`],
    { env: { ...process.env, GATEWAY: url }, stdio: ["ignore", "inherit", "inherit"] },
  );
  const began = Date.now();
  const memory: StoredLoad["memory"][number][] = [];
  const sample = (): void => {
    if (cluster === undefined) return;
    const at = (Date.now() - began) / 1_000;
    const rss = [...rssOf(pidsOf(cluster))].map(([name, bytes]) => [name, bytes / 2 ** 20]);
    memory.push({ at, mb: Object.fromEntries(rss) as Record<string, number> });
  };
  const live: StoredLoad["memory"][number][] = [];
  const sampleLive = async (): Promise<void> => {
    if (cluster === undefined || logs === undefined) return;
    const mb: Record<string, number> = {};
    for (const name of ["gateway-1", "room-1", "persistence-1"]) {
      mb[name] = await liveMiB(join(logs, `${name}.log`));
    }
    live.push({ at: (Date.now() - began) / 1_000, mb });
  };
  const sampling = setInterval(sample, SAMPLE_MS);
  const samplingLive = setInterval(() => void sampleLive(), LIVE_SAMPLE_MS);
  const [code] = (await once(child, "exit")) as [number | null];
  clearInterval(sampling);
  clearInterval(samplingLive);
  const seconds = (Date.now() - began) / 1_000;
  const { metrics } = JSON.parse(readFileSync(summary, "utf8")) as Pick<StoredLoad, "metrics">;
  rmSync(summary);
  const { SECONDS: asked = "" } = process.env;
  const stored: StoredLoad = {
    scenario,
    command: `make load ONLY=${scenario}${asked === "" ? "" : ` SECONDS=${asked}`}`,
    at: new Date().toISOString(),
    passed: code === 0,
    seconds,
    metrics,
    memory,
    ...(live.length > 0 && { live }),
  };
  writeFileSync(`${OUT}/${scenario}.json`, JSON.stringify(stored, undefined, 1));
  return stored.passed;
}

try {
  await main();
} catch (error: unknown) {
  if (!(error instanceof ToolMissing)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
