// make sim: runs seeds and reports their findings.
//
//   node verify/sim/main.ts SEED=123         one seed: its options and the fingerprint of its trace
//   node verify/sim/main.ts SEEDS=500 FROM=1 many seeds, and for each failure how to repeat it
//   PLANT=skip-fence                         a planted bug (planted-bugs.ts), which must be found
//   TRACE=1                                  prints every event of the run

import { describeOptions } from "./options.ts";
import { COVERAGE_EVENTS } from "./findings.ts";
import type { CoverageCounts } from "./findings.ts";
import { plantedBug } from "./planted-bugs.ts";
import { runSeed } from "./simulation.ts";
import type { RunResult } from "./simulation.ts";

const settings = readSettings();
const began = performance.now();
const counts: Partial<CoverageCounts> = {};
const totals = { seeds: 0, failed: 0, acked: 0, seen: 0, events: 0, convergedMs: 0 };

for (let seed = settings.from; seed < settings.from + settings.count; seed++) {
  const result = await runSeed(seed, {
    plantedBug: plantedBug(settings.plant),
    sink: settings.trace ? (line) => console.log(line) : undefined,
  });
  addToTotals(result);
  if (settings.count === 1) printRun(result);
  if (result.findings.length > 0) printFailure(result);
}
printTotals();
process.exitCode = totals.failed > 0 ? 1 : 0;

function readSettings(): {
  from: number;
  count: number;
  plant: string | undefined;
  trace: boolean;
} {
  const given = new Map(
    process.argv.slice(2).map((word): [string, string] => {
      const [name = "", value = ""] = word.split("=");
      return [name, value];
    }),
  );
  const read = (name: string): string | undefined => given.get(name) ?? process.env[name];
  const seed = read("SEED");
  return {
    from: Number(seed ?? read("FROM") ?? 1),
    count: seed === undefined ? Number(read("SEEDS") ?? 200) : 1,
    plant: read("PLANT"),
    trace: read("TRACE") === "1",
  };
}

function addToTotals(result: RunResult): void {
  totals.seeds++;
  totals.acked += result.acked;
  totals.seen += result.seen;
  totals.events += result.events;
  totals.convergedMs = Math.max(totals.convergedMs, result.convergedMs);
  for (const name of COVERAGE_EVENTS) counts[name] = (counts[name] ?? 0) + result.counts[name];
}

function printRun({ options, fingerprint, events, convergedMs, acked }: RunResult): void {
  console.log(`  ${describeOptions(options)}`);
  console.log(
    `  ${acked} acked, ${events} events, converged ${convergedMs.toFixed(0)} ms after the last fault`,
  );
  console.log(`  fingerprint ${fingerprint}`);
}

function printFailure({ options, findings }: RunResult): void {
  totals.failed++;
  const plant = settings.plant === undefined ? "" : ` PLANT=${settings.plant}`;
  console.log(`FAILED  make sim SEED=${options.seed}${plant}`);
  for (const { invariant, detail } of findings.slice(0, 5))
    console.log(`  ${invariant}: ${detail}`);
}

function printTotals(): void {
  const seconds = (performance.now() - began) / 1_000;
  const pace = ((totals.seeds / seconds) * 60).toFixed(0);
  console.log(
    `${totals.seeds} seeds, ${totals.failed} failed: ${totals.acked} acked, ${totals.seen} shown, ` +
      `${totals.events} events in ${seconds.toFixed(1)} s (${pace} seeds a minute), ` +
      `converged after at most ${(totals.convergedMs / 1_000).toFixed(1)} s`,
  );
  if (totals.seeds < 2) return;
  for (const name of COVERAGE_EVENTS) console.log(`  ${String(counts[name]).padStart(8)}  ${name}`);
}
