// Report (`make report`): writes loadtest/REPORT.md: the table of the bench, the numbers of the
// source article beside those of Parley, and the table of the k6 scenarios.
//
// Plays its own scenarios (ONLY=hooks,rooms,batches,history,connections; ONLY=none plays none) and
// reads the results of `make bench` and `make load` in .parley. Rows that were not measured stay as
// in the last report (carry.ts).

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { pinGenerator } from "../bench/peer.ts";
import { plotCost } from "../bench/plot.ts";
import { readResults } from "../bench/results.ts";
import type { StoredLoad } from "../k6/main.ts";
import { BATCHES, HISTORY } from "./archive.ts";
import { CONNECTIONS } from "./connections.ts";
import { HOOKS } from "./hooks.ts";
import { carry } from "./carry.ts";
import { missingRows, render } from "./render.ts";
import { ROOMS } from "./rooms.ts";
import type { StoredScenario } from "./scenario.ts";

const SCENARIOS = [HOOKS, CONNECTIONS, BATCHES, HISTORY, ROOMS] as const;
const FOLDER = fileURLToPath(new URL("../../.parley", import.meta.url));
const OUT = fileURLToPath(new URL("..", import.meta.url));

const only = (process.env["ONLY"] ?? "").split(",").filter((id) => id !== "");
pinGenerator();
for (const scenario of SCENARIOS) {
  if (only.length > 0 && !only.includes(scenario.id)) continue;
  console.log(scenario.title);
  const rows = await scenario.play();
  for (const { what, source, ours } of rows) console.log(`  ${what}: ${ours} (article: ${source})`);
  const { id, title, method } = scenario;
  const command = `make report ONLY=${id}`;
  const stored: StoredScenario = { id, title, method, command, at: new Date().toISOString(), rows };
  mkdirSync(`${FOLDER}/report`, { recursive: true });
  writeFileSync(`${FOLDER}/report/${id}.json`, JSON.stringify(stored, undefined, 1));
}

const results = readResults();
const scenarios = SCENARIOS.map(({ id, title }) => {
  const path = `${FOLDER}/report/${id}.json`;
  return existsSync(path) ? (read(path) as StoredScenario) : { title };
});
const loads = list(`${FOLDER}/load`).map((path) => read(path) as StoredLoad);
const report = `${OUT}/REPORT.md`;
const last = existsSync(report) ? readFileSync(report, "utf8") : "";
writeFileSync(report, carry(last, render({ results, scenarios, loads })));
if (missingRows(results).length === 0)
  writeFileSync(`${OUT}/cost.svg`, plotCost(results.flatMap(({ legs }) => legs)));
console.log("written: loadtest/REPORT.md");

function list(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json") && !name.includes("summary"))
    .sort()
    .map((name) => `${folder}/${name}`);
}

function read(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}
