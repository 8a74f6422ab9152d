// Collect: several runs as one Markdown table, for docs/operating/faults.md.
//
//   node verify/chaos/collect.ts .parley/chaos/*/summary.json
//
// A row is a fault: how often it was injected, how many units (rooms, or clients of a killed
// gateway) were served again, after which time, and their deadline.

import { readFileSync } from "node:fs";
import { percentile } from "../checker/faults.ts";
import { ROWS } from "./plan.ts";
import type { Summary } from "./summary.ts";

export function tableOf(runs: readonly Summary[]): string {
  const lines = [
    "| row | fault | runs | back: p50 | p99 | max | allowed | never | ack p99 meanwhile | also |",
    "|---|---|---|---|---|---|---|---|---|---|",
  ];
  for (const { name, what, backMs, since } of ROWS) {
    const done = runs.flatMap(({ faults }) => faults.filter(({ fault }) => fault === name));
    if (done.length === 0) continue;
    const took = done.flatMap(({ tookMs }) => tookMs).sort((a, b) => a - b);
    const ms = (share: number): string => `${percentile(took, share)} ms`;
    const never = done.reduce((sum, fault) => sum + fault.never, 0);
    const allowed = `${backMs} ms${since === "heal" ? " ▲" : ""}`;
    const worst = `${Math.max(...done.map(({ ackMs }) => ackMs.p99))} ms`;
    const cells = [name, what, done.length, ms(0.5), ms(0.99), ms(1), allowed, never, worst];
    lines.push(`| ${cells.join(" | ")} | ${alsoText(done)} |`);
  }
  return `${lines.join("\n")}\n\n${sumText(runs)}\n`;
}

function alsoText(done: Summary["faults"]): string {
  const parts: string[] = [];
  const refusals = done.flatMap(({ refusalMs }) => refusalMs ?? []);
  if (refusals.length > 0) parts.push(`first error after ${Math.round(Math.max(...refusals))} ms`);
  const drains = done.flatMap(({ drainMs, backlog }) =>
    drainMs === undefined ? [] : [{ drainMs, backlog: backlog ?? 0 }],
  );
  const [most] = drains.sort((a, b) => b.drainMs - a.drainMs);
  if (most !== undefined) {
    parts.push(`archive ${most.backlog} entries behind, drained in ${Math.round(most.drainMs)} ms`);
  }
  return parts.join("; ");
}

function sumText(runs: readonly Summary[]): string {
  const sum = (of: (run: Summary) => number): number => runs.reduce((all, run) => all + of(run), 0);
  const broken = new Set(runs.flatMap((run) => run.broken));
  const sometimes = new Map<string, number>();
  for (const run of runs) {
    for (const [name, count] of Object.entries(run.sometimes)) {
      sometimes.set(name, (sometimes.get(name) ?? 0) + count);
    }
  }
  const calm = (which: "p50" | "p99"): number => Math.max(...runs.map((run) => run.calmMs[which]));
  const acked = sum(({ counts }) => counts.acked).toLocaleString("en");
  const shown = sum(({ counts }) => counts.seen).toLocaleString("en");
  const times = [...sometimes].map(([name, count]) => `${name} ${count}`).join(", ");
  const verdict =
    broken.size === 0 ? "no invariant broken" : `broken: ${[...broken].sort().join(", ")}`;
  return [
    `${runs.length} runs, ${sum(({ seconds }) => seconds)} s: ${acked} messages acknowledged, ` +
      `${shown} shown; ${verdict}. ▲: from the heal; the others: from the begin of the fault.`,
    `Send to acknowledgement without a fault: p50 ${calm("p50")} ms, p99 ${calm("p99")} ms (the slowest run).`,
    `Sometimes: ${times}.`,
    `Commands: ${[...new Set(runs.map(({ command }) => `\`${command}\``))].join(", ")}.`,
  ].join("\n");
}

if (import.meta.main) {
  const files = process.argv.slice(2);
  if (files.length === 0) {
    console.error("usage: node verify/chaos/collect.ts <summary.json> …");
    // A module cannot return.
    process.exit(2);
  }
  const runs = files.map((file) => JSON.parse(readFileSync(file, "utf8")) as Summary);
  console.log(tableOf(runs));
}
