// `make fuzz RUNS=1000000 SEED=1 ONLY=results`: runs every decoder on broken messages, one line
// each.
//
// Exits with code 0 when nothing threw and no heap grew by more than HEAP_GROWTH_MAX.

import { fuzz } from "./fuzz.ts";
import { targets } from "./targets.ts";

const MIB = 1024 * 1024;
/** Compiled code and the seeds of a target stay. A leak of one message a run is far larger. */
const HEAP_GROWTH_MAX = 16 * MIB;

const runs = Number(process.env["RUNS"] ?? 100_000);
const seed = Number(process.env["SEED"] ?? 1);
const only = process.env["ONLY"] ?? "";
const all = targets();
const chosen = all.filter(({ name }) => name.startsWith(only));
if (chosen.length === 0)
  throw new Error(
    `ONLY: unknown decoder "${only}"; known: ${all.map(({ name }) => name).join(", ")}`,
  );

console.log(
  "decoder                    runs    runs/s   refused  accepted   heap before → after MiB",
);
for (const target of chosen) {
  const result = fuzz(target, runs, seed);
  const { seconds, refused, accepted, heapBefore, heapAfter, findings } = result;
  const columns = [
    target.name.padEnd(20),
    String(result.runs).padStart(10),
    (result.runs / seconds).toFixed(0).padStart(9),
    String(refused).padStart(9),
    String(accepted).padStart(9),
    `${(heapBefore / MIB).toFixed(1)} → ${(heapAfter / MIB).toFixed(1)}`.padStart(16),
  ];
  console.log(columns.join(" "));
  for (const { error, text } of findings)
    console.log(`  threw ${error}\n    ${JSON.stringify(text)}`);
  const hasGrown = globalThis.gc !== undefined && heapAfter - heapBefore > HEAP_GROWTH_MAX;
  if (hasGrown) console.log("  the heap grew");
  if (findings.length > 0 || hasGrown) process.exitCode = 1;
}
