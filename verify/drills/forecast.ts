// `make drill-forecast`: room nodes and gateways leak one after the other until they replace
// themselves, under load, and the checker judges what the clients saw.
//
//   node verify/drills/forecast.ts TIMES=5
//
// The heap of every service is small (HEAP_MIB), so that a leak of LEAK_KIB_S fills it within a
// minute. A process may replace itself at any age here. The clients are those of a chaos run. Not
// measured: a leak of hours, more than one machine, replicated streams.
//
//   drills/forecast.1. A process that V8 ended, or that ended in any other way than with code 75,
//        fails the drill.
//   drills/forecast.2. The wait of a message counts for a replacement when it overlaps the time
//        from AROUND_MS before the exit until AROUND_MS after it.

import { appendFileSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseObject } from "#shared/kit/json.ts";
import { REPLACED } from "#shared/process/self-healing.ts";
import { until } from "#shared/testing/wait.ts";
import { DEFAULTS } from "#infra/embedded/cluster-options.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import { REPOSITORY } from "#infra/embedded/service-process.ts";
import { checkFolder, FILES, linesOf } from "../checker/folder.ts";
import { decodeRecord, encodeRecord } from "../checker/record.ts";
import { reportText } from "../checker/report-text.ts";
import { LoadProcess } from "../chaos/load-process.ts";
import { runNow } from "../chaos/run-clock.ts";
import { saveDumps } from "../chaos/saved-dumps.ts";

const HEAP_MIB = 96;
const STORES_MIB = "16";
const LEAK_KIB_S = "1024";
const SPEED = "30";
const PARTITIONS = 8;
const LOAD = { seed: 1, rooms: 24, perRoom: 2, roomsPerClient: 4, rate: 100 } as const;
const READY_WITHIN_MS = 90_000;
/** A minute until the heap is full; the machine may be busy. */
const REPLACED_WITHIN_MS = 300_000;
const AROUND_MS = 15_000;
const SETTLE_MS = 6_000;
const QUIET_MS = 10_000;
const DRAIN_WITHIN_MS = 90_000;
const PERSISTENCE: NodeJS.ProcessEnv = { LOG_KEEP_ENTRIES: "10000000" };

interface Replacement {
  readonly name: string;
  /** Seconds from the start of the leak. */
  readonly seconds: number;
  /** Seconds before the exit at which the process foretold it; undefined when it did not. */
  readonly foretold: number | undefined;
  readonly exitedAt: number;
}

const asked = new Map(process.argv.slice(2).map((text) => text.split("=") as [string, string]));
const times = Number(asked.get("TIMES") ?? 5);
const stamp = new Date().toISOString().replaceAll(/[-:]|\..*/g, "");
const folder = join(REPOSITORY, ".parley/drill-forecast", stamp);
mkdirSync(folder, { recursive: true });
const say = (line: string): void => console.error(`  ${line}`);
const ends: string[] = [];

await using stack = new AsyncDisposableStack();
const dataDir = join(folder, "data");
const cluster = await startCluster({
  ...DEFAULTS,
  dataDir,
  port: 0,
  gateways: 2,
  rooms: 2,
  partitions: PARTITIONS,
  limits: "off",
  heapMib: HEAP_MIB,
  env: {
    ...PERSISTENCE,
    ROOM_MEMORY_MIB: STORES_MIB,
    GATEWAY_MEMORY_MIB: STORES_MIB,
    SELF_HEALING_AFTER_S: "0",
  },
  say: (line) => {
    appendFileSync(join(folder, "cluster.txt"), `${line}\n`);
    ends.push(line);
  },
});
stack.use(cluster);
const load = new LoadProcess();
stack.defer(() => load.end());
const endpoints = cluster.info().gateways.map(({ name, url }) => ({
  name,
  url: new URL("/v1/ws", url.replace("http", "ws")).href,
}));
const records = join(folder, FILES.records);
load.open({ ...LOAD, endpoints, file: records }, cluster.url);
await until(() => load.state.isJoined, { withinMs: READY_WITHIN_MS, what: "every client to join" });
load.start();
await sleep(SETTLE_MS);

const done: Replacement[] = [];
for (let n = 0; n < times; n++) {
  for (const role of ["room", "gateway"]) {
    const replacement = await leakUntilReplaced(`${role}-${(n % 2) + 1}`);
    done.push(replacement);
    const { name, seconds, foretold } = replacement;
    const lead =
      foretold === undefined ? "not foretold" : `foretold ${foretold.toFixed(0)} s before`;
    say(`${name} was replaced after ${seconds.toFixed(0)} s, ${lead}`);
    await sleep(SETTLE_MS);
  }
}
load.finish();
await until(() => load.state.pending === 0 && load.state.isJoined, {
  withinMs: DRAIN_WITHIN_MS,
  what: "every send to be acknowledged",
});
await sleep(QUIET_MS);
appendFileSync(records, `${encodeRecord({ t: runNow(), op: "mark", what: "end" })}\n`);
await saveDumps(folder, { cluster, partitions: PARTITIONS });
const { surprises } = load.state;
await stack.disposeAsync();

const report = checkFolder(folder);
console.log(reportText(report));
const waits = longestWaits(done);
for (const [i, { name, seconds, foretold }] of done.entries()) {
  const lead = foretold === undefined ? "–" : `${foretold.toFixed(0)} s`;
  console.log(
    `${name}: replaced ${seconds.toFixed(0)} s after its start, foretold ${lead} before; longest wait ${Math.round(waits[i] ?? NaN)} ms`,
  );
}
for (const role of ["room", "gateway"]) {
  const those = done.flatMap(({ name }, i) => (name.startsWith(role) ? [waits[i] ?? NaN] : []));
  console.log(
    `${role}: ${those.length} replaced before their end, longest wait ${Math.round(Math.max(...those))} ms`,
  );
}
for (const surprise of surprises)
  console.log(`an answer that a client must never get: ${surprise}`);
console.log(`records and logs: ${folder}`);
for (const data of ["postgres", "nats"])
  rmSync(join(dataDir, data), { recursive: true, force: true });
process.exitCode = report.counts.violations === 0 && surprises.length === 0 ? 0 : 1;

/** Restarts the process with the leak; resolves when its successor serves. */
async function leakUntilReplaced(name: string): Promise<Replacement> {
  cluster.setEnv(name, {
    NODE_ENV: "development",
    DEBUG_LEAK_KIB_S: LEAK_KIB_S,
    DEBUG_FORECAST_SPEED: SPEED,
  });
  await cluster.terminate(name);
  await runs(name);
  const [id, pid] = [cluster.idOf(name), cluster.pid(name)];
  const began = runNow();
  cluster.setEnv(name, {}); // Its successor does not leak.
  const reported = ends.length;
  await until(() => cluster.pid(name) !== pid, {
    withinMs: REPLACED_WITHIN_MS,
    what: `${name} to be replaced`,
  });
  const exitedAt = runNow();
  await runs(name);
  const how = ends.slice(reported).find((line) => line.startsWith(`${name} ended`)) ?? "no line";
  const lines = readFileSync(join(dataDir, "logs", `${name}.log`), "utf8")
    .split("\n")
    .map((text) => parseObject(text))
    .filter((line) => line?.["name"] === id);
  const timeOf = (msg: string): number | undefined => {
    const line = lines.find((one) => one?.["msg"] === msg);
    return line === undefined ? undefined : Date.parse(String(line["time"]));
  };
  const replacedAt = timeOf(REPLACED);
  if (replacedAt === undefined || !how.includes("code 75")) {
    throw new Error(`${name} was not replaced before its end: ${how}`); // drills/forecast.1
  }
  const foretoldAt = timeOf("exhaustion foretold");
  const foretold = foretoldAt === undefined ? undefined : (replacedAt - foretoldAt) / 1_000;
  return { name, seconds: (exitedAt - began) / 1_000, foretold, exitedAt };
}

function runs(name: string): Promise<void> {
  return until(() => cluster.pid(name) !== undefined, {
    withinMs: READY_WITHIN_MS,
    what: `${name} to run`,
  });
}

/** drills/forecast.2: for each replacement the longest wait of a message, in ms. */
function longestWaits(replacements: readonly Replacement[]): readonly number[] {
  const longest = replacements.map(() => 0);
  const sent = new Map<string, number>();
  for (const text of linesOf(records)) {
    const record = decodeRecord(text);
    if (record?.op !== "send") continue;
    const { t, id, phase } = record;
    if (phase === "invoke" && !sent.has(id)) sent.set(id, t);
    const at = sent.get(id);
    if (phase !== "ok" || at === undefined) continue;
    sent.delete(id);
    for (const [i, { exitedAt }] of replacements.entries()) {
      if (at > exitedAt + AROUND_MS || t < exitedAt - AROUND_MS) continue;
      longest[i] = Math.max(longest[i] ?? 0, t - at);
    }
  }
  return longest;
}
