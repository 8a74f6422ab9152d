// Results: the stored rows of the bench, and the table and the plot of all rows.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Leg } from "./figures.ts";
import { isVoid, median } from "./figures.ts";
import type { ItemResult, Verdict } from "./item.ts";
import { plotCost } from "./plot.ts";

export interface StoredResult extends ItemResult {
  readonly id: string;
  readonly title: string;
  readonly command: string;
  readonly at: string;
  readonly commit: string;
  readonly machine: string;
}

export const RESULTS_DIR = fileURLToPath(new URL("../../.parley/bench", import.meta.url));

export function writeResult(result: StoredResult): void {
  mkdirSync(RESULTS_DIR, { recursive: true });
  writeFileSync(`${RESULTS_DIR}/${result.id}.json`, JSON.stringify(result, undefined, 1));
}

/** All stored rows, B1 first, rows without a number last. */
export function readResults(dir: string = RESULTS_DIR): StoredResult[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .filter((name) => /^(?:B\d+|TRACE|ROOMS|WARM)\.json$/.test(name))
    .map((name) => JSON.parse(readFileSync(`${dir}/${name}`, "utf8")) as StoredResult)
    .sort((a, b) => a.id.localeCompare(b.id, "en", { numeric: true }));
}

export function renderAll(): void {
  const results = readResults();
  writeFileSync(`${RESULTS_DIR}/table.md`, `${verdictTable(results)}\n${legTable(results)}`);
  writeFileSync(`${RESULTS_DIR}/cost.svg`, plotCost(results.flatMap(({ legs }) => legs)));
  console.log(`written: ${RESULTS_DIR}/table.md, cost.svg and a .json per row`);
}

export function verdictTable(results: readonly StoredResult[]): string {
  const mark = ({ ok }: Verdict): string => (ok === undefined ? "–" : ok ? "yes" : "**no**");
  // figures.2: a leg with a late generator neither meets nor misses a target.
  const note = (legs: readonly Leg[]): string => (legs.some(isVoid) ? ", void" : "");
  const rows = results.flatMap(({ id, title, command, commit, verdicts, legs }) =>
    verdicts.map(
      (verdict, i) =>
        `| ${i === 0 ? `${id}: ${title}` : ""} | ${verdict.what} | ${verdict.target} | ${verdict.measured} | ` +
        `${mark(verdict)}${note(legs)} | ${i === 0 ? `\`${command}\` at ${commit}` : ""} |`,
    ),
  );
  return [
    "| row | what | target | measured | met | command |",
    "|---|---|---|---|---|---|",
    ...rows,
  ]
    .map((line) => `${line}\n`)
    .join("");
}

/** One line for each shape and peer: medians over the rounds. */
export function legTable(results: readonly StoredResult[]): string {
  const groups = new Map<string, Leg[]>();
  for (const leg of results.flatMap(({ legs }) => legs.filter(({ expected }) => expected > 0))) {
    const key = `${leg.shape}|${leg.peer}`;
    groups.set(key, [...(groups.get(key) ?? []), leg]);
  }
  const middle = (legs: readonly Leg[], pick: (leg: Leg) => number | undefined): string => {
    const values = legs.map(pick).filter((value) => value !== undefined);
    return values.length === 0 ? "–" : median(values).toFixed(values.every((v) => v < 10) ? 2 : 1);
  };
  const rows = [...groups.values()].map((legs) => {
    const [first] = legs;
    const names = Object.keys(first?.cpuUsBy ?? {});
    const by = names.map((name) => `${name} ${middle(legs, (leg) => leg.cpuUsBy[name])}`);
    const share = middle(legs, (leg) => (100 * leg.delivered) / leg.expected);
    return (
      `| ${first?.shape} | ${first?.peer} | ${legs.length} | ${share} % | ${middle(legs, (leg) => leg.cpuUs)} | ` +
      `${by.join(", ")} | ${middle(legs, (leg) => leg.ackMs?.p50)} / ${middle(legs, (leg) => leg.ackMs?.p99)} | ` +
      `${middle(legs, (leg) => leg.deliveryMs?.p50)} / ${middle(legs, (leg) => leg.deliveryMs?.p99)} | ` +
      `${middle(legs, (leg) => sum(leg.rssMb))} | ${middle(legs, (leg) => leg.slipMs.p99)} | ` +
      `${middle(legs, (leg) => leg.generatorCpu * 100)} % |`
    );
  });
  const head =
    "| shape | system | legs | delivered | CPU µs/delivery | by process | ack p50 / p99 ms | delivery p50 / p99 ms | RSS MiB | slip p99 ms | generator CPU |";
  return [head, "|---|---|---|---|---|---|---|---|---|---|---|", ...rows]
    .map((line) => `${line}\n`)
    .join("");
}

function sum(values: Readonly<Record<string, number>>): number {
  return Object.values(values).reduce((all, value) => all + value, 0);
}
