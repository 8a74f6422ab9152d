// make sim: runs seeds and says what they found.
//
//   node verify/sim/main.ts SEED=123            one seed, its options and its fingerprint
//   node verify/sim/main.ts SEEDS=500 FROM=1    many seeds; the first line of a failure says how to replay it
//   PLANT=skip-fence                     with a planted bug (verify/sim/planted-bugs.ts), which must be found
//   TRACE=1                              every event of the run, on standard output

import { describeOptions } from "./options.ts";
import { SOMETIMES } from "./findings.ts";
import type { Counts } from "./findings.ts";
import { plantOf } from "./planted-bugs.ts";
import { runSeed } from "./simulation.ts";
import type { RunResult } from "./simulation.ts";

const settings = readSettings();
const began = performance.now();
const counts: Partial<Counts> = {};
const totals = { seeds: 0, failed: 0, acked: 0, seen: 0, events: 0, healedMs: 0 };

for (let seed = settings.from; seed < settings.from + settings.count; seed++) {
  const result = await runSeed(seed, {
    plant: plantOf(settings.plant),
    sink: settings.trace ? (line) => console.log(line) : undefined,
  });
  note(result);
  if (settings.count === 1) describe(result);
  if (result.findings.length > 0) fail(result);
}
summary();
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

function note(result: RunResult): void {
  totals.seeds++;
  totals.acked += result.acked;
  totals.seen += result.seen;
  totals.events += result.events;
  totals.healedMs = Math.max(totals.healedMs, result.healedMs);
  for (const name of SOMETIMES) counts[name] = (counts[name] ?? 0) + result.counts[name];
}

function describe({ options, hash, events, healedMs, acked }: RunResult): void {
  console.log(`  ${describeOptions(options)}`);
  console.log(
    `  ${acked} acked, ${events} events, whole again ${healedMs.toFixed(0)} ms after heal`,
  );
  console.log(`  trace ${hash}`);
}

function fail({ options, findings }: RunResult): void {
  totals.failed++;
  const plant = settings.plant === undefined ? "" : ` PLANT=${settings.plant}`;
  console.log(`FAILED  make sim SEED=${options.seed}${plant}`);
  for (const { invariant, detail } of findings.slice(0, 5))
    console.log(`  ${invariant}: ${detail}`);
}

function summary(): void {
  const seconds = (performance.now() - began) / 1_000;
  const pace = ((totals.seeds / seconds) * 60).toFixed(0);
  console.log(
    `${totals.seeds} seeds, ${totals.failed} failed: ${totals.acked} acked, ${totals.seen} shown, ` +
      `${totals.events} events in ${seconds.toFixed(1)} s (${pace} seeds a minute), ` +
      `whole again after at most ${(totals.healedMs / 1_000).toFixed(1)} s`,
  );
  if (totals.seeds < 2) return;
  for (const name of SOMETIMES) console.log(`  ${String(counts[name]).padStart(8)}  ${name}`);
}
