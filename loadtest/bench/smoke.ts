// Bench smoke (`make bench-smoke`): two shapes, Parley beside raw `ws` in the same run, in less
// than one minute. Fails when a message is missing or duplicated. Compare the printed ratios, not
// the absolute figures. Everything is on: fsync for each commit, archive, authentication.
//
// Not measured: TLS, deflate, other machines, reconnects, more than one process of a service.

import { isSound, isVoid } from "./figures.ts";
import type { Leg } from "./figures.ts";
import { pinGenerator } from "./peer.ts";
import { startParley } from "./peers/parley.ts";
import { startRaw } from "./peers/raw.ts";
import { run } from "./run.ts";
import type { Shape } from "./run.ts";

const SHAPES: readonly Shape[] = [
  { name: "1 room × 200, 100/s", rooms: 1, members: 200, perSecond: 100, seconds: 6 },
  { name: "100 rooms × 5, 200/s", rooms: 100, members: 5, perSecond: 200, seconds: 6 },
];

const ms = (value: number | undefined): string => value?.toFixed(1) ?? "–";

function report(leg: Leg): void {
  const { shape, peer, delivered, expected, cpuUs, ackMs, deliveryMs, slipMs } = leg;
  console.log(
    `${shape.padEnd(22)} ${peer.padEnd(26)} ${String(delivered).padStart(7)} of ${String(expected).padStart(7)}` +
      `  ${cpuUs.toFixed(1).padStart(6)} µs/delivery` +
      `  ack p50 ${ms(ackMs?.p50)} p99 ${ms(ackMs?.p99)} ms` +
      `  delivery p50 ${ms(deliveryMs?.p50)} p99 ${ms(deliveryMs?.p99)} ms  slip ${ms(slipMs.worst)} ms`,
  );
  if (isVoid(leg)) console.log("  void: the generator was late");
}

function detail({ cpuUsBy }: Leg): string {
  return Object.entries(cpuUsBy)
    .map(([name, us]) => `${name} ${us.toFixed(1)}`)
    .join(", ");
}

pinGenerator();
await using raw = await startRaw();
await using parley = await startParley();
const all: Leg[] = [];
for (const shape of SHAPES) {
  const before = await run(raw, shape);
  const ours = await run(parley, shape);
  const after = await run(raw, shape);
  for (const leg of [before, ours, after]) report(leg);
  const rawUs = (before.cpuUs + after.cpuUs) / 2;
  console.log(`  ratio ${(ours.cpuUs / rawUs).toFixed(2)} × raw (${detail(ours)} µs)\n`);
  all.push(before, ours, after);
}
console.log(JSON.stringify(all));
if (!all.every((leg) => isSound(leg) && leg.delivered === leg.expected)) {
  console.log("FAILED: messages are missing, duplicated or out of order");
  process.exitCode = 1;
}
