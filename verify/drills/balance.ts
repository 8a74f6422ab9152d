// `make drill-balance`: partitions move to the room node that has more CPU (P26).
//
//   node verify/drills/balance.ts [messages a second]
//
// Two room nodes share 16 partitions, with the same number of rooms in each. The drill measures
// what all messages cost, gives both nodes the same CPU quota, and waits until the balance has
// settled. Then it halves the quota of one node, measures once before any partition moves, lets the
// balance settle again with moves every INTERVAL_SECONDS, and measures once more.
//
// Printed for each measurement: messages and CPU of each node, their ratio, the wait of clients.
// Judged: the ratio after the second balance, the time between moves, log and archive against the
// records of the clients. Not judged: how long a move takes (make drill-failover measures drains).

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { setSetting } from "#client/cli/settings.ts";
import { WIRE_SENDS_MAX } from "#client/sdk/core/bounds.ts";
import { partitionOf } from "#shared/protocol/ids.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import { cpuOf, cpuSince } from "../../loadtest/bench/cpu.ts";
import { mintDevToken, openDevSecret } from "#shared/adapters/dev-token.ts";
import { linesOf } from "../checker/folder.ts";
import { decodeRecord } from "../checker/record.ts";
import type { HistoryRecord } from "../checker/record.ts";
import { socketUrlOf } from "../wire-client/dev-token.ts";
import { CpuQuota } from "./cpu-quota.ts";
import { GeneratorProcess } from "./generator-process.ts";
import { userName } from "./offered-load.ts";
import type { Offered } from "./offered-load.ts";
import { judge } from "./verdict.ts";

const PARTITIONS = 16;
const ROOMS_EACH = 4;
const USERS_EACH = 2;
const TOKEN_SECONDS = 3_600;
const INTERVAL_SECONDS = 10;
/** Without a move for so long, the balance has settled. */
const QUIET_SECONDS = 30;
const SETTLES_WITHIN_SECONDS = 110;
const STEP_SECONDS = 5;
const MEASURE_SECONDS = 15;
/** The wait for the last answers of a measurement. */
const ANSWERS_MS = 2_000;
/** A node reads its quota every ten seconds. */
const QUOTA_SECONDS = 11;
/** The share of both quotas that the work takes when one node has half the quota of the other. */
const UTILISATION = 0.5;
/** The quotas of this drill are small; the kernel accepts 1 ms or more in a period. */
const PERIOD_US = 50_000;
/** Of the CPU. One of 16 partitions more or less changes the ratio by about a tenth. */
const RATIO = { goal: 0.5, tolerance: 0.15 };
const NORMAL_MS = 1_000;

interface Counts {
  readonly events: readonly number[];
  readonly partitions: readonly number[];
  readonly moves: number;
  readonly weights: readonly number[];
}

const perSecond = Number(process.argv[2] ?? 2_000);
const rooms = roomsOfAllPartitions();
const dataDir = await mkdtemp(join(tmpdir(), "parley-balance-"));
const records = join(dataDir, "records.jsonl");
const complaints: string[] = [];
const began = performance.now();
const cluster = await startCluster({
  dataDir,
  port: 0,
  rooms: 2,
  partitions: PARTITIONS,
  limits: "off",
  env: { LOG_KEEP_ENTRIES: "1000000" }, // Keeps the whole log for the comparison.
  say: (line) => console.error(`  ${line}`),
});
const nodes = cluster.info().rooms;
const generator = new GeneratorProcess();
const quotas: CpuQuota[] = [];
try {
  await interval(0);
  await generator.done({ kind: "open", options: await loadOptions() });
  await offer(MEASURE_SECONDS); // Warms the code up.
  const [one, two] = await measure("without a quota");
  const cores = (2 / 3) * ((one.cores + two.cores) / UTILISATION);
  for (const { name, pid } of nodes) quotas.push(quotaOf(name, pid, cores));
  console.log(`quota of each room node: ${cores.toFixed(3)} cores`);
  await settle("equal quotas");
  await measure("equal quotas");
  for (const quota of quotas.slice(1)) quota.cores = cores / 2;
  console.log(`quota of ${nodes[1]?.name}: ${(cores / 2).toFixed(3)} cores`);
  await offer(QUOTA_SECONDS);
  await measure("half the quota, before");
  await settle("half the quota");
  const [full, half] = await measure("half the quota, after");
  const ratio = half.cores / full.cores;
  if (Math.abs(ratio - RATIO.goal) > RATIO.tolerance)
    complain(`the ratio of CPU is ${ratio.toFixed(2)}`);
  for (const surprise of await generator.done({ kind: "drain" })) complain(surprise);
  await judgeStores();
  console.log(`${complaints.length === 0 ? "passed" : "FAILED"} after ${seconds()} s`);
  process.exitCode = complaints.length === 0 ? 0 : 1;
} finally {
  generator.stop();
  await cluster.stop();
  for (const quota of quotas) quota[Symbol.dispose]();
  await rm(dataDir, { recursive: true, force: true });
}

/** The same number of rooms in each partition, so that all cost the same. */
function roomsOfAllPartitions(): RoomId[] {
  const found = Array.from({ length: PARTITIONS }, (): RoomId[] => []);
  for (let n = 0; found.some((list) => list.length < ROOMS_EACH); n++) {
    const room = `balance-${n}` as RoomId;
    const list = found[partitionOf(room, PARTITIONS)];
    if (list !== undefined && list.length < ROOMS_EACH) list.push(room);
  }
  return found.flat();
}

async function loadOptions() {
  const secret = await openDevSecret(join(dataDir, "dev-secret"));
  const tokens: string[] = [];
  for (let n = 0; n < rooms.length * USERS_EACH; n++)
    tokens.push(await mintDevToken(secret, { user: userName(n) }, TOKEN_SECONDS));
  const url = socketUrlOf(cluster.url);
  return { url, rooms, tokens, readerTokens: [], pendingMax: WIRE_SENDS_MAX, file: records };
}

function quotaOf(name: string, pid: number, cores: number): CpuQuota {
  const quota = CpuQuota.open(name, [pid], cores, PERIOD_US);
  if (typeof quota === "string") throw new Error(quota);
  return quota;
}

async function interval(value: number): Promise<void> {
  await setSetting(cluster.natsAccess, {
    name: "balance.seconds",
    value: String(value),
    service: "room",
  });
}

function offer(lastsSeconds: number, answersMs = 0): Promise<Offered> {
  const times = { seconds: lastsSeconds, boundMs: NORMAL_MS, answersMs };
  return generator.offer({ perSecond, ...times, readsPerSecond: 0 });
}

/** The work of each node while nothing moves. */
async function measure(what: string) {
  await interval(0);
  const pids = new Map(nodes.map(({ name, pid }) => [name, pid]));
  const [before, cpuBefore, at] = [await counts(), cpuOf(pids), performance.now()];
  const {
    acked,
    seconds: lasted,
    p50,
    p99,
    skipped,
    slipP99,
  } = await offer(MEASURE_SECONDS, ANSWERS_MS);
  const [after, cpu, ms] = [
    await counts(),
    cpuSince(cpuBefore, cpuOf(pids)),
    performance.now() - at,
  ];
  const work = nodes.map(({ name }, n) => ({
    messages: (after.events[n] ?? 0) - (before.events[n] ?? 0),
    cores: (cpu.get(name) ?? 0) / 1_000 / ms,
  })) as [Work, Work];
  const [one, two] = work;
  console.log(
    `${what}: partitions ${after.partitions.join(" and ")}; messages ${one.messages} and ${two.messages}, ratio ${(two.messages / one.messages).toFixed(2)}; ` +
      `CPU ${one.cores.toFixed(3)} and ${two.cores.toFixed(3)} cores, ratio ${(two.cores / one.cores).toFixed(2)}; ` +
      `weights ${after.weights.map((weight) => weight.toFixed(2)).join(" and ")}; ` +
      `acknowledged ${Math.round(acked / lasted)}/s, p50 ${Math.round(p50)} p99 ${Math.round(p99)} ms, ` +
      `not created ${skipped}; generator late p99 ${Math.round(slipP99)} ms`,
  );
  return work;
}

interface Work {
  readonly messages: number;
  readonly cores: number;
}

/** Lets partitions move until none has moved for QUIET_SECONDS. */
async function settle(what: string): Promise<void> {
  await interval(INTERVAL_SECONDS);
  const [from, since] = [(await counts()).moves, performance.now()];
  let [moves, movedAt] = [from, performance.now()];
  const times: number[] = [];
  while (performance.now() - movedAt < QUIET_SECONDS * 1_000) {
    if (performance.now() - since > SETTLES_WITHIN_SECONDS * 1_000) {
      complain(`the balance has not settled in ${SETTLES_WITHIN_SECONDS} s`);
      break;
    }
    await offer(STEP_SECONDS);
    const { moves: now } = await counts();
    if (now === moves) continue;
    movedAt = performance.now();
    times.push(Math.round((movedAt - since) / 1_000));
    // A step is shorter than the interval, so it sees one move at most.
    if (now - moves > 1) complain(`${now - moves} partitions moved within ${STEP_SECONDS} s`);
    moves = now;
  }
  const at = times.length === 0 ? "" : `, seen after ${times.join(", ")} s`;
  console.log(`  ${what}: ${moves - from} moves${at}`);
}

async function counts(): Promise<Counts> {
  const texts = await Promise.all(nodes.map(async ({ metrics }) => (await fetch(metrics)).text()));
  const read = (name: string): number[] =>
    texts.map((text) =>
      Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "m").exec(text)?.[1] ?? NaN),
    );
  const moves = read("parley_room_moves_total").reduce((sum, n) => sum + n, 0);
  const partitions = texts.map(
    (text) => text.match(/^parley_room_partition_epoch\{/gm)?.length ?? 0,
  );
  return {
    events: read("parley_room_events_total"),
    partitions,
    moves,
    weights: read("parley_room_weight"),
  };
}

async function judgeStores(): Promise<void> {
  await sleep(1_000);
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

function seconds(): number {
  return Math.round((performance.now() - began) / 1_000);
}

function complain(what: string): void {
  complaints.push(what);
  console.log(`  ${what}`);
}
