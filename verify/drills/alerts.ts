// `make drill-alerts`: makes every alert fire by a real fault, and measures when it fires and when
// users notice.
//
//   node verify/drills/alerts.ts FACTOR=20 ONLY=ArchiveLags,LogFills
//
// A real Prometheus scrapes every process each second and evaluates the repository's rules with
// their times compressed by FACTOR (alert-rules.ts); FACTOR=1 leaves them as they are. The steady
// load sends 40 messages a second to 24 rooms through the SDK. A user notices a fault when a
// message is refused or waits for half a second. Not measured: the notification after Prometheus,
// more than one machine, and the invariants (make chaos).

import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { REPOSITORY } from "#infra/embedded/service-process.ts";
import { AlertDrill } from "./alert-drill.ts";
import { ALERT_FAULTS } from "./alert-faults.ts";
import { alertsOf, compressRules } from "./alert-rules.ts";
import { alertTable } from "./alert-table.ts";
import { AlertCluster } from "./alert-cluster.ts";
import { Prometheus } from "./prometheus.ts";

const SCRAPE_MS = 1_000;
const EVALUATE_MS = 15_000;
/** Between the first message and the first scrape: cold processes are not measured. */
const WARM_MS = 10_000;
const OUT = join(REPOSITORY, ".parley/drill-alerts");

const asked = new Map(process.argv.slice(2).map((text) => text.split("=") as [string, string]));
const factor = Number(asked.get("FACTOR") ?? 20);
const short = (name: string): string => name.replace("Parley", "");
const only = new Set(
  (asked.get("ONLY") ?? "")
    .split(",")
    .filter((name) => name !== "")
    .map(short),
);
const known = new Set(ALERT_FAULTS.flatMap(({ alerts }) => alerts.map(({ name }) => short(name))));
const unknown = [...only].filter((name) => !known.has(name));
if (unknown.length > 0) {
  console.error(`ONLY: unknown alert ${unknown.join(", ")}; known: ${[...known].join(", ")}`);
  // A module cannot return.
  process.exit(1);
}
const isAsked = (name: string): boolean => only.size === 0 || only.has(short(name));
const faults = ALERT_FAULTS.filter(({ alerts }) => alerts.some(({ name }) => isAsked(name)));
const say = (line: string): void => console.error(`  ${line}`);

const rulesText = await readFile(join(REPOSITORY, "infra/prometheus/rules.yml"), "utf8");
// No started process may outlive a Ctrl-C.
const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => interrupt.abort());
const dataDir = await mkdtemp(join(tmpdir(), "parley-alerts-"));
try {
  mkdirSync(OUT, { recursive: true });
  const log = join(OUT, `cluster-${factor}.txt`);
  rmSync(log, { force: true });
  const note = (line: string): void => appendFileSync(log, `${line}\n`);
  await using alertCluster = await AlertCluster.open(join(dataDir, "cluster"), note);
  await sleep(WARM_MS);
  await using prometheus = await Prometheus.start({
    dir: join(dataDir, "prometheus"),
    rules: compressRules(rulesText, factor),
    scrapeMs: SCRAPE_MS,
    evaluateMs: Math.max(SCRAPE_MS, EVALUATE_MS / factor),
    targets: alertCluster.targets,
  });
  const drill = new AlertDrill({
    alertCluster,
    prometheus,
    rules: alertsOf(rulesText),
    factor,
    say,
  });
  try {
    await drill.run(faults, interrupt.signal);
  } finally {
    writeFileSync(join(OUT, `rows-${factor}.json`), JSON.stringify(drill.rows, undefined, 2));
    console.log(alertTable(drill.rows, factor)); // Also of an interrupted drill.
  }
  const { rows } = drill;
  const silent = rows.filter(({ fired }) => fired === undefined);
  console.log(`${rows.length - silent.length} of ${rows.length} alerts fired, times / ${factor}`);
  process.exitCode = silent.length === 0 ? 0 : 1;
} catch (error: unknown) {
  if (!interrupt.signal.aborted) throw error;
  say("interrupted");
} finally {
  await rm(dataDir, { recursive: true, force: true });
}
if (interrupt.signal.aborted) process.exit(130); // Pending waits must not keep the process alive.
