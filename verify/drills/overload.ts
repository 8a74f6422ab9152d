// `make drill-overload`: row F23 of the fault table, three times the peak load for a while.
//
//   node verify/drills/overload.ts [seconds] [cores] [pending messages of a user]
//
// The drill finds the peak: the highest rate of acknowledgements while the offered load grows step
// by step until that rate no longer grows. It offers three times the peak for `seconds`, with
// readers beside the writers, then half of it without them. It does so twice in each of ROUNDS:
// with shedding off, and with shedding on (L12). One gateway and one room node run with limits on.
// Every user has an address of its own and writes no more often than the limits allow, so many
// well-behaved users make the overload. All processes of the cluster together get a CPU quota of
// `cores` of one core, so that the generator on the same machine can offer three times what they
// can serve.
//
// Judged, with shedding on: goodput (acknowledgements a second as a share of the peak), when the
// 99th percentile is normal again. Judged always: the refusals that users get, log and archive
// against the acknowledgements, memory, restarts. A run with a late generator is void. Pages are
// not compared: the limits refuse so many reads of one user.

import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { setSetting } from "#client/cli/settings.ts";
import { WIRE_SENDS_MAX } from "#client/sdk/core/bounds.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { cpuOf, cpuSince } from "../../loadtest/bench/cpu.ts";
import type { CpuByName } from "../../loadtest/bench/cpu.ts";
import { until } from "#shared/testing/wait.ts";
import { mintDevToken, openDevSecret } from "#shared/adapters/dev-token.ts";
import { linesOf } from "../checker/folder.ts";
import { decodeRecord } from "../checker/record.ts";
import type { HistoryRecord } from "../checker/record.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { CpuQuota } from "./cpu-quota.ts";
import { GeneratorProcess } from "./generator-process.ts";
import { userName } from "./offered-load.ts";
import type { Offered } from "./offered-load.ts";
import type { OverloadCommand } from "./overload-generator.ts";
import { socketUrlOf } from "../wire-client/dev-token.ts";
import { judge } from "./verdict.ts";

const PARTITIONS = 16;
const USERS = 1_200;
const ROOMS = Array.from({ length: USERS / 2 }, (_, n) => `overload-${n}` as RoomId);
const TOKEN_SECONDS = 7_200;

/**
 * The ramp: steps of STEP_SECONDS, each RAMP_FACTOR above the one before, up to STEPS_MAX of them.
 */
const RAMP_FROM = 1_000;
const RAMP_FACTOR = 2;
const STEPS_MAX = 6;
const STEP_SECONDS = 4;
/** The ramp ends after two steps whose rate is at most this factor above the best earlier one. */
const GROWTH_MIN = 1.05;
/** A step that acknowledges less than this share of its offer is beyond the peak. */
const BEYOND_SHARE = 0.8;
const WARM_SECONDS = 8;

const OVERLOAD = 3;
const ROUNDS = 2;
const GENERATOR_CORES = 1;
const READERS = 400;
/** Pages and joins. A reader stays below the limits of a user. */
const READS_PER_SECOND = 3_000;
/** A setting is in force within a second (E4). */
const IN_FORCE_MS = 2_000;
const ARCHIVED_WITHIN_MS = 120_000;
const REST = 0.5;
const REST_SECONDS = 12;
/** The largest 99th percentile that counts as normal. */
const NORMAL_MS = 1_000;
/** F23. */
const GOODPUT_MIN = 0.8;
const BACK_MS = 5_000;
/** The generator is on time when its 99th percentile of lateness is at most this. */
const SLIP_P99_MS = 100;
/** The bounds of the chaos run (I12). */
const MIB_MAX: Readonly<Record<string, number>> = { gateway: 768, room: 768, persistence: 768 };
const REFUSALS: ReadonlySet<string> = new Set(["busy", "rate_limited", "unavailable"]);

const seconds = Number(process.argv[2] ?? 60);
const cores = Number(process.argv[3] ?? 0.4);
/** Pending messages of one user. Default: the bound of the SDK. */
const pendingMax = Number(process.argv[4] ?? WIRE_SENDS_MAX);
const dataDir = await mkdtemp(join(tmpdir(), "parley-overload-"));
const records = join(dataDir, "records.jsonl");
const complaints: string[] = [];
const cluster = await startCluster({
  dataDir,
  port: 0,
  partitions: PARTITIONS,
  limits: "on",
  env: { LOG_KEEP_ENTRIES: "1000000" }, // Keeps the whole log for the comparison.
  say: (line) => console.error(`  ${line}`),
});
const generator = new GeneratorProcess();
const quota = CpuQuota.open("cluster", clusterPids(), cores);
/** Real users run on other machines: other programs here must not delay the generator. */
const users = CpuQuota.open("users", [generator.pid], GENERATOR_CORES);
try {
  if (typeof quota === "string") console.error(`  ${quota}`);
  const before = services(cluster);
  await generator.done({ kind: "open", options: await loadOptions() });
  const peak = await findPeak();
  console.log(`peak: ${round(peak)} acknowledgements a second`);
  const goodputs = { off: [] as number[], on: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const shedding of ["off", "on"] as const) {
      const goodput = await overload(peak, shedding);
      goodputs[shedding].push(goodput);
      for (const surprise of await generator.done({ kind: "drain" })) complain(surprise);
    }
  }
  const [off, on] = [mean(goodputs.off), mean(goodputs.on)];
  console.log(
    `F23: mean goodput ${round(on * 100)} % of the peak with shedding, ${round(off * 100)} % without: ` +
      `ratio ${(on / off).toFixed(2)}`,
  );
  if (on < GOODPUT_MIN) complain(`goodput is below ${GOODPUT_MIN * 100} %`);
  judgeProcesses(before);
  await judgeStores();
  console.log(complaints.length === 0 ? "passed" : "FAILED");
  process.exitCode = complaints.length === 0 ? 0 : 1;
} finally {
  generator.stop();
  await cluster.stop();
  for (const one of [quota, users]) if (typeof one === "object") one[Symbol.dispose]();
  await rm(dataDir, { recursive: true, force: true });
}

/** Returns the goodput. */
async function overload(peak: number, shedding: "on" | "off"): Promise<number> {
  await setSetting(cluster.natsAccess, { name: "limits.shedding", value: shedding });
  await sleep(IN_FORCE_MS);
  await archived();
  const name = `overload, shedding ${shedding}`;
  const [cpuBefore, overAt] = [cpuOf(pids()), performance.now()];
  const over = await phase(name, peak * OVERLOAD, seconds, Infinity, 0, READS_PER_SECOND);
  showCpu(cpuSince(cpuBefore, cpuOf(pids())), performance.now() - overAt);
  const rest = await phase("rest", peak * REST, REST_SECONDS, NORMAL_MS, BACK_MS);
  const goodput = over.acked / over.seconds / peak;
  const frames = over.written / over.seconds / peak;
  console.log(
    `  goodput ${round(goodput * 100)} % of the peak, ${frames.toFixed(1)} × the peak in frames; ` +
      `readers: ${JSON.stringify(over.reads)}; back ${rest.backMs} ms after the heal`,
  );
  if (frames < OVERLOAD / 2) complain("void: the generator wrote too little for an overload");
  if (shedding === "on" && rest.backMs > BACK_MS) complain(`back later than ${BACK_MS} ms`);
  return goodput;
}

/** Waits until the archive has caught up: its backlog would cost the next phase CPU time. */
async function archived(): Promise<void> {
  const isDone = async (): Promise<boolean> => {
    const [persistence] = cluster.info().persistence;
    const text = await (await fetch(persistence?.metrics ?? "")).text();
    const lags = text.matchAll(/^parley_archive_lag_entries\S* (\S+)$/gm);
    return [...lags].every(([, lag]) => Number(lag) === 0);
  };
  await until(isDone, { withinMs: ARCHIVED_WITHIN_MS, what: "the archive to catch up" });
}

async function loadOptions(): Promise<Extract<OverloadCommand, { kind: "open" }>["options"]> {
  const secret = await openDevSecret(join(dataDir, "dev-secret"));
  const tokens: string[] = [];
  for (let n = 0; n < USERS; n++) {
    tokens.push(await mintDevToken(secret, { user: userName(n) }, TOKEN_SECONDS));
  }
  const readerTokens: string[] = [];
  for (let n = 0; n < READERS; n++) {
    readerTokens.push(await mintDevToken(secret, { user: `reader-${n}` }, TOKEN_SECONDS));
  }
  const url = socketUrlOf(cluster.url);
  return { url, rooms: ROOMS, tokens, readerTokens, pendingMax, file: records };
}

async function findPeak(): Promise<number> {
  let peak = 0;
  let stepsWithoutGrowth = 0;
  let isBeyond = false;
  await phase("warm-up", RAMP_FROM, WARM_SECONDS, Infinity, 0);
  for (let step = 0; step < STEPS_MAX; step++) {
    const perSecond = RAMP_FROM * RAMP_FACTOR ** step;
    const figures = await phase("ramp", perSecond, STEP_SECONDS, Infinity, 0);
    const acked = figures.acked / figures.seconds;
    stepsWithoutGrowth = acked > peak * GROWTH_MIN ? 0 : stepsWithoutGrowth + 1;
    peak = Math.max(peak, acked);
    await generator.done({ kind: "drain" });
    isBeyond = acked < BEYOND_SHARE * perSecond;
    if (stepsWithoutGrowth === 2) return peak;
  }
  if (!isBeyond) complain("void: the ramp did not reach the peak");
  return peak;
}

async function phase(
  name: string,
  perSecond: number,
  lastsSeconds: number,
  boundMs: number,
  answersMs: number,
  readsPerSecond = 0,
): Promise<Offered> {
  const times = { seconds: lastsSeconds, boundMs, answersMs };
  const figures = await generator.offer({ perSecond, ...times, readsPerSecond });
  const rate = (count: number): number => round(count / figures.seconds);
  const refusals = Object.entries(figures.refusals).map(([error, count]) => `${error} ${count}`);
  console.log(
    `${name}: due ${rate(figures.offered)}/s, not created ${rate(figures.skipped)}/s, frames ` +
      `${rate(figures.written)}/s, acknowledged ${rate(figures.acked)}/s; p50 ${round(figures.p50)} ` +
      `p99 ${round(figures.p99)} ms; refused: ${refusals.join(", ") || "none"}; ` +
      `generator late p99 ${round(figures.slipP99)} max ${round(figures.slipMax)} ms`,
  );
  if (name !== "ramp" && figures.slipP99 > SLIP_P99_MS)
    complain(`void: the generator was late (${name})`);
  for (const error of Object.keys(figures.refusals)) {
    if (!REFUSALS.has(error)) complain(`refused with ${error}`);
  }
  return figures;
}

function judgeProcesses(before: ReadonlyMap<string, number>): void {
  for (const [name, pid] of services(cluster)) {
    if (before.get(name) !== pid) complain(`${name} restarted`);
    const mib = peakMib(pid);
    const bound = MIB_MAX[name.replace(/-\d+$/, "")];
    console.log(
      `${name}: ${round(mib)} MiB at most${bound === undefined ? "" : `, bound ${bound}`}`,
    );
    if (bound !== undefined && mib > bound) complain(`${name} is above its memory bound`);
  }
}

async function judgeStores(): Promise<void> {
  const { report } = await judge({
    cluster,
    partitions: PARTITIONS,
    records: recordsOf(records),
    hasPages: false,
    async isRead(heads) {
      const answer = await generator.command({ kind: "is-read", heads: [...heads] });
      return answer.kind === "read" && answer.isRead;
    },
  });
  console.log(`${JSON.stringify(report.counts)}; broken: ${report.broken.join(", ") || "none"}`);
  for (const violation of report.violations.slice(0, 10)) complain(JSON.stringify(violation));
}

function* recordsOf(file: string): Generator<HistoryRecord> {
  for (const line of linesOf(file)) {
    const record = decodeRecord(line);
    if (record !== undefined) yield record;
  }
}

function services(of: Cluster): ReadonlyMap<string, number> {
  const { gateways, rooms, persistence, nats } = of.info();
  const all = [...gateways, ...rooms, ...persistence, ...nats];
  return new Map(all.map(({ name, pid = 0 }) => [name, pid]));
}

function pids(): ReadonlyMap<string, number> {
  const { pid = 0 } = cluster.info().postgres;
  return new Map([...services(cluster), ["postgres", pid], ["generator", generator.pid]]);
}

function clusterPids(): number[] {
  return [...services(cluster).values(), cluster.info().postgres.pid ?? 0];
}

/** Prints the CPU share of each process, which shows the bottleneck. */
function showCpu(cpu: CpuByName, ms: number): void {
  const shares = Array.from(cpu, ([name, us]) => `${name} ${round(us / ms / 10)} %`);
  console.log(`of a core during the overload: ${shares.join(", ")}`);
}

/** The largest resident size so far. */
function peakMib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? NaN) / 1_024;
}

function complain(what: string): void {
  complaints.push(what);
  console.log(`  ${what}`);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function round(value: number): number {
  return Math.round(value);
}
