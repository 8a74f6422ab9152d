// `make drill-split`: how long rooms wait while the partitions of a cluster are doubled.
//
//   node verify/drills/split.ts FROM=4 TO=64 RATE=500 KILLS=1 KEEP=folder
//
// KEEP: the folder of the run stays, with the records, the logs of all processes at level debug,
// and the times of the doublings and kills.
//
// Clients send RATE messages a second to 100 rooms on three room nodes, and record everything. Each
// doubling is one command, as an operator gives it. In every second doubling a room node, and then
// a persistence process, is killed. A pause of a room is the longest wait of one of its messages
// from the begin of a doubling until two seconds after its end (pauses.ts). verify/checker judges
// the records, the logs, the archive and the history. Not measured: more than one machine,
// replicated streams.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "#shared/testing/wait.ts";
import { splitPartitions } from "#client/cli/partitions.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { LoadProcess } from "../chaos/load-process.ts";
import { runNow } from "../chaos/run-clock.ts";
import { saveDumps } from "../chaos/saved-dumps.ts";
import { checkFolder, FILES } from "../checker/folder.ts";
import { socketUrlOf } from "../wire-client/dev-token.ts";
import { percentile } from "./acks.ts";
import { pausesOf, recordsIn } from "./pauses.ts";

interface Doubling {
  readonly count: number;
  readonly hasKills: boolean;
  readonly from: number;
  readonly to: number;
  readonly kills: readonly { readonly name: string; readonly at: number }[];
}

const ROOMS = 100;
const PAUSE_GOAL_MS = 1_000;
const WARM_MS = 5_000;
const REST_MS = 6_000;
const KILL_AFTER_MS = 1_500;
const WITHIN_MS = 90_000;
/** The checker's rules, by the words of the goal. */
const GOALS = {
  lost: ["I1", "I5", "I8", "I14"],
  doubled: ["I6"],
  reordered: ["I3", "I4", "I7"],
} as const;

const settings = new Map(process.argv.slice(2).map((word) => word.split("=") as [string, string]));
const setting = (name: string, usual: number): number => Number(settings.get(name) ?? usual);
const [first, last] = [setting("FROM", 4), setting("TO", 64)];

async function double(cluster: Cluster, count: number, hasKills: boolean): Promise<Doubling> {
  const from = runNow();
  const kills: { name: string; at: number }[] = [];
  const splitting = splitPartitions(cluster.natsAccess, { to: count }, () => undefined);
  if (hasKills) {
    for (const name of [`room-${1 + (count % 3)}`, "persistence-1"]) {
      await sleep(KILL_AFTER_MS);
      kills.push({ name, at: runNow() });
      await cluster.kill(name);
    }
  }
  await splitting;
  await until(() => cluster.names.every((name) => cluster.pid(name) !== undefined), {
    withinMs: WITHIN_MS,
    what: "every process to run",
  });
  const to = runNow();
  const killed = hasKills ? ", a room node and a persistence process killed" : "";
  console.log(
    `${count / 2} → ${count} partitions in ${((to - from) / 1_000).toFixed(1)} s${killed}`,
  );
  await sleep(REST_MS);
  return { count, hasKills, from, to, kills };
}

function show(what: string, values: readonly number[]): number {
  const p99 = percentile(values, 0.99);
  const figures = [percentile(values, 0.5), p99, Math.max(...values)].map(Math.round);
  const [p50, high, max] = figures;
  console.log(`${what}: ${values.length} pauses of rooms, p50 ${p50} p99 ${high} max ${max} ms`);
  return p99;
}

const kept = settings.get("KEEP");
if (kept !== undefined) mkdirSync(kept, { recursive: true });
const folder = kept ?? mkdtempSync(join(tmpdir(), "parley-drill-split-"));
await using stack = new AsyncDisposableStack();
stack.defer(() => {
  if (kept === undefined) rmSync(folder, { recursive: true, force: true });
});
const cluster = await startCluster({
  dataDir: join(folder, "data"),
  port: 0,
  gateways: 2,
  rooms: 3,
  persistence: 2,
  partitions: first,
  limits: "off",
  env: { LOG_KEEP_ENTRIES: "10000000", ...(kept !== undefined && { LOG_LEVEL: "debug" }) },
  say: () => undefined,
});
stack.use(cluster);
const load = new LoadProcess();
stack.defer(() => load.end());
const endpoints = cluster.info().gateways.map(({ name, url }) => ({ name, url: socketUrlOf(url) }));
const rate = setting("RATE", 500);
const file = join(folder, FILES.records);
const clients = { seed: 1, rooms: ROOMS, perRoom: 2, roomsPerClient: 4, rate, endpoints, file };
load.open(clients, cluster.url);
await until(() => load.state.isJoined, { withinMs: WITHIN_MS, what: "every client to join" });
load.start();
await sleep(WARM_MS);

const doublings: Doubling[] = [];
for (let count = first * 2; count <= last; count *= 2) {
  const hasKills = setting("KILLS", 1) === 1 && doublings.length % 2 === 1;
  doublings.push(await double(cluster, count, hasKills));
}

load.finish();
await until(() => load.state.pending === 0 && load.state.isJoined, {
  withinMs: WITHIN_MS,
  what: "every send to be acknowledged",
});
await sleep(REST_MS);
await saveDumps(folder, { cluster, partitions: last });
await load.end();

if (kept !== undefined) writeFileSync(join(folder, "doublings.json"), JSON.stringify(doublings));
const report = checkFolder(folder);
const { sent, acked, refused } = report.counts;
console.log(`${sent} messages sent, ${acked} acknowledged, ${refused} only refused`);
for (const [goal, rules] of Object.entries(GOALS)) {
  const broken = report.violations.filter(({ invariant }) =>
    (rules as readonly string[]).includes(invariant),
  );
  console.log(`${goal}: ${broken.length}`);
}
for (const { invariant, detail } of report.violations.slice(0, 10)) {
  console.log(`VIOLATION ${invariant}: ${detail}`);
}
const pauses = pausesOf(recordsIn(readFileSync(file, "utf8")), doublings);
for (const [{ count, hasKills }, values] of pauses) {
  show(`${count / 2} → ${count}${hasKills ? " with kills" : ""}`, values);
}
const all = [...pauses.values()].flat();
const quiet = [...pauses].flatMap(([{ hasKills }, values]) => (hasKills ? [] : values));
const p99 = show("without kills", quiet);
show("all", all);
const isMet = report.counts.violations === 0 && p99 <= PAUSE_GOAL_MS;
const goalText = `0 violations, p99 without kills ≤ ${PAUSE_GOAL_MS} ms`;
console.log(`goal ${isMet ? "met" : "missed"}: ${goalText}`);
process.exitCode = isMet ? 0 : 1;
