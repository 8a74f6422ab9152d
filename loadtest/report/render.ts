// Render: the report as Markdown, from measurements only.

import type { Leg } from "../bench/figures.ts";
import { isVoid, median } from "../bench/figures.ts";
import { legTable, verdictTable } from "../bench/results.ts";
import type { StoredResult } from "../bench/results.ts";
import type { StoredLoad } from "../k6/main.ts";
import type { StoredScenario } from "./scenario.ts";
import { GAP } from "./carry.ts";
import { soakTable } from "./soak-table.ts";

export interface Measured {
  readonly results: readonly StoredResult[];
  /** All scenarios in order; those without a measurement have only a title. */
  readonly scenarios: readonly (StoredScenario | Pick<StoredScenario, "title">)[];
  readonly loads: readonly StoredLoad[];
}

/** The rows of B2 and B3 contain B10. */
const ROWS = ["B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B9", "TRACE"];

/** Rows of the bench without a measurement. */
export function missingRows(results: readonly StoredResult[]): string[] {
  return ROWS.filter((id) => !results.some((result) => result.id === id));
}

export function render({ results, scenarios, loads }: Measured): string {
  const machines = [...new Set(results.map(({ machine }) => machine))];
  const missing = missingRows(results);
  const late = results.filter(({ legs }) => legs.some(isVoid)).map(({ id }) => id);
  const soak = loads.flatMap(soakTable);
  return [
    "# Load report",
    "",
    "`make report` writes this page from the measurements of `make bench`, `make load` and its own scenarios; no figure is",
    "typed by hand. The figures of one row come from one run on one machine. Ratios are valid on other machines, times",
    "are not. Everything is on: fsync for each commit, archive, authentication. Only rate limits are off.",
    "",
    ...machines.map((machine) => `Machine: ${machine}.`),
    missing.length > 0
      ? `Rows that were not measured with the others: ${missing.join(", ")}. They are kept from the last report, with their commands and commits. The plot shows the last complete run.`
      : "",
    late.length > 0
      ? `The machine was busy with other work: in ${late.join(", ")} at least one run had a late generator and is void. Of these rows, use only the ratios.`
      : "",
    "",
    "## Beside peers in the same run",
    "",
    verdictTable(results),
    "![CPU per delivery](cost.svg)",
    "",
    "Medians over the alternations of all systems of a shape:",
    "",
    legTable(results),
    "## Garbage collection under load (S4)",
    "",
    ...collectionTable(results),
    "",
    "## The source article's numbers",
    "",
    ...scenarios.flatMap(scenarioBlock),
    "## Scenarios with thresholds (k6)",
    "",
    ...loadTable(loads),
    "",
    "### Soak",
    "",
    ...(soak.length > 0 ? soak : [GAP, ""]),
    "## Not measured",
    "",
    "- TLS, compression, networks with delay or loss, several machines, several processes of one kind on one machine.",
    "- The generator and the servers share one machine with two cores; the generator has one, all servers the other.",
    "- The clients of the bench are cheaper than browsers. `client/web/test/browser.e2e.ts` tests a browser.",
    "- The other servers store nothing (raw `ws`, Socket.IO over Redis in memory), so these rows favour them.",
    "- The article used other machines and clients. Its numbers are targets, not a comparison.",
    "",
  ]
    .filter((line, i, all) => line !== "" || all[i - 1] !== "")
    .join("\n");
}

function scenarioBlock(scenario: Measured["scenarios"][number]): string[] {
  const { title } = scenario;
  if (!("rows" in scenario)) return [`### ${title}`, "", GAP, ""];
  const { method, command, rows } = scenario;
  return [
    `### ${title}`,
    "",
    `${method} \`${command}\``,
    "",
    "| what | article | here |",
    "|---|---|---|",
    ...rows.map(({ what, source, ours }) => `| ${what} | ${source} | ${ours} |`),
    "",
  ];
}

/** The article: 50 → 8 young collections a minute, 45 → 12 ms. */
function collectionTable(results: readonly StoredResult[]): string[] {
  const legs = results.flatMap(({ legs }) =>
    legs.filter(({ nodes }) => Object.keys(nodes).length > 0),
  );
  const shapes = [...new Set(legs.map(({ shape }) => shape))];
  const rows = shapes.flatMap((shape) => {
    const own = legs.filter((leg) => leg.shape === shape);
    const names = [...new Set(own.flatMap(({ nodes }) => Object.keys(nodes)))];
    return names.map((name) => {
      const of = (pick: (leg: Leg) => number): number => median(own.map(pick));
      const perMinute = of((leg) => ((leg.nodes[name]?.gc.young ?? 0) / leg.seconds) * 60);
      const longest = Math.max(...own.map((leg) => leg.nodes[name]?.gc.longestMs ?? 0));
      const pauses = of((leg) => (leg.nodes[name]?.gc.pauseMs ?? 0) / leg.seconds / 10);
      return `| ${shape} | ${name} | ${perMinute.toFixed(0)} | ${longest.toFixed(1)} ms | ${pauses.toFixed(2)} % |`;
    });
  });
  return [
    "The article reduced young collections from 50 to 8 a minute and pauses from 45 to 12 ms, at a load that it does not",
    "state. Pauses are wall time, so a busy machine makes them longer. The command is that of each row above.",
    "",
    "| shape | process | young collections / minute | longest pause | share of the time |",
    "|---|---|---|---|---|",
    ...rows,
  ];
}

function loadTable(loads: readonly StoredLoad[]): string[] {
  const figure = (load: StoredLoad, metric: string, field: string): string => {
    const value = load.metrics[metric]?.[field];
    return value === undefined ? "–" : value.toFixed(value < 10 ? 1 : 0);
  };
  const rows = loads.map((load) => {
    const http = `${figure(load, "http_req_duration", "med")} / ${figure(load, "http_req_duration", "p(95)")}`;
    const ack = `${figure(load, "parley_ack_ms", "med")} / ${figure(load, "parley_ack_ms", "p(95)")}`;
    const delivery = `${figure(load, "parley_delivery_ms", "med")} / ${figure(load, "parley_delivery_ms", "p(95)")}`;
    const rate = figure(load, "http_reqs", "rate");
    return `| ${load.scenario} | ${load.passed ? "passed" : "**failed**"} | ${ack} | ${delivery} | ${rate} | ${http} | ${growth(load)} | \`${load.command}\` |`;
  });
  return [
    "The article's table for each service: 1,200 requests a second at 98 ms mean with 0.02 % errors; one million requests a day",
    "at 120 ms. Every scenario also fails on a gap, a refusal, an unanswered send or a dropped iteration.",
    "",
    "| scenario | thresholds | ack med / p95 ms | delivery med / p95 ms | HTTP requests/s | HTTP med / p95 ms | memory of all processes | command |",
    "|---|---|---|---|---|---|---|---|",
    ...rows,
  ];
}

function growth({ memory }: StoredLoad): string {
  const sum = (mb: Readonly<Record<string, number>> = {}): number =>
    Object.values(mb).reduce((all, value) => all + value, 0);
  const [first, last] = [memory[0], memory.at(-1)];
  return first === undefined
    ? "–"
    : `${sum(first.mb).toFixed(0)} → ${sum(last?.mb).toFixed(0)} MiB`;
}
