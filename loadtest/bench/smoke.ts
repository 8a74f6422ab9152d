// Bench smoke (`make bench-smoke`): two shapes, Parley beside raw `ws` in the same run, in under a
// minute. Fails when a message is missing or doubled; figures are printed, ratios are the ones to
// compare. Everything is on: fsync per commit, archive, auth.
//
// Not measured: TLS, deflate, other machines, reconnects, more than one process of a kind.

import { pinGenerator, startParley, startRaw } from "./peers.ts";
import { run } from "./run.ts";
import type { Figures, Shape } from "./run.ts";

const SHAPES: readonly Shape[] = [
  { name: "1 room × 200, 100/s", rooms: 1, members: 200, perSecond: 100, seconds: 6 },
  { name: "100 rooms × 5, 200/s", rooms: 100, members: 5, perSecond: 200, seconds: 6 },
];
/** A send this late behind its plan makes latencies of the run meaningless. */
const SLIP_MS_MAX = 250;

const ms = (value: number): string => (Number.isNaN(value) ? "–" : value.toFixed(1));

function report(figures: Figures): void {
  const { shape, peer, delivered, expected, cpuPerDeliveryUs, ackMs, deliveryMs } = figures;
  console.log(
    `${shape.padEnd(22)} ${peer.padEnd(26)} ${String(delivered).padStart(7)} of ${String(expected).padStart(7)}` +
      `  ${cpuPerDeliveryUs.toFixed(1).padStart(6)} µs/delivery` +
      `  ack p50 ${ms(ackMs.p50)} p99 ${ms(ackMs.p99)} ms` +
      `  delivery p50 ${ms(deliveryMs.p50)} p99 ${ms(deliveryMs.p99)} ms  slip ${ms(figures.slipMs)} ms`,
  );
}

function detail({ cpu, delivered }: Figures): string {
  return [...cpu].map(([name, us]) => `${name} ${(us / delivered).toFixed(1)}`).join(", ");
}

function isSound(figures: Figures): boolean {
  if (figures.slipMs > SLIP_MS_MAX) console.log("  void: the generator was late");
  return figures.delivered === figures.expected && figures.outOfOrder === 0;
}

pinGenerator();
await using raw = await startRaw();
await using parley = await startParley();
await run(parley, { name: "warm-up", rooms: 20, members: 5, perSecond: 200, seconds: 2 });
const all: Figures[] = [];
for (const shape of SHAPES) {
  const before = await run(raw, shape);
  const ours = await run(parley, shape);
  const after = await run(raw, shape);
  for (const figures of [before, ours, after]) report(figures);
  const rawUs = (before.cpuPerDeliveryUs + after.cpuPerDeliveryUs) / 2;
  console.log(`  ratio ${(ours.cpuPerDeliveryUs / rawUs).toFixed(2)} × raw (${detail(ours)} µs)\n`);
  all.push(before, ours, after);
}
console.log(
  JSON.stringify(all.map((figures) => ({ ...figures, cpu: Object.fromEntries(figures.cpu) }))),
);
if (!all.every(isSound)) {
  console.log("FAILED: messages are missing, doubled or out of order");
  process.exitCode = 1;
}
