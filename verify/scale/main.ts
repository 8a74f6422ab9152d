// `make sim-scale`: simulates a large cluster without faults for a virtual hour, counts its
// messages on the bus, and compares them with the model.
//
//   node verify/scale/main.ts GATEWAYS=100 ROOM_NODES=50 PARTITIONS=1024 SECONDS=3600 MINUTES=20
//
// TOGETHER=1 starts all room nodes at the same moment. MINUTES bounds the real time: the phase in
// which users send ends early, and a line near the end has the virtual seconds of the run.
// PUBLISH=1 writes large-run.json and the tables of docs/scale.md. Exits with 1 when a kind of
// message differs by more than 10 % from the model.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeRow, isWithin, rowsOf } from "./compare.ts";
import { fixedMs, runScale } from "./scale-run.ts";
import type { ScaleResult, Size } from "./scale-run.ts";
import { LARGE_RUN, publishPage } from "./page-file.ts";

const asked = new Map(process.argv.slice(2).map((text) => text.split("=") as [string, string]));
const numberOf = (name: string, otherwise: number): number =>
  Number(asked.get(name) ?? process.env[name] ?? otherwise);

const IDLE_MS = 100_000;
/** The end of a run needs this share of the real time. */
const LAST_SHARE = 0.1;

const size = readSize();
const minutes = numberOf("MINUTES", 20);
const began = performance.now();
const seconds = (): number => (performance.now() - began) / 1_000;
let reported = "";

const result = await runScale(size, {
  isOver: () => seconds() > minutes * 60 * (1 - LAST_SHARE),
  report: (phase) => {
    if (phase !== reported) console.log(`  ${phase} after ${seconds().toFixed(0)} s`);
    reported = phase;
  },
});
const { user, system } = process.cpuUsage();
const cpuSeconds = Math.round((user + system) / 1_000_000);
const isRight = print(result);
if (numberOf("PUBLISH", 0) === 1) publish(result);
process.exitCode = isRight ? 0 : 1;

function readSize(): Size {
  const totalMs = numberOf("SECONDS", 3_600) * 1_000;
  const roomNodes = numberOf("ROOM_NODES", 50);
  const restMs = totalMs - fixedMs({ roomNodes });
  if (restMs <= 0) throw new Error("SECONDS is shorter than the start and the end of a run");
  const idleMs = Math.min(IDLE_MS, Math.round(restMs / 4));
  return {
    seed: numberOf("SEED", 1),
    gateways: numberOf("GATEWAYS", 100),
    roomNodes,
    persistence: numberOf("PERSISTENCE", 8),
    partitions: numberOf("PARTITIONS", 1_024),
    rooms: numberOf("ROOMS", 1_024),
    members: numberOf("MEMBERS", 8),
    roomsPerUser: 2,
    messagesPerSecond: numberOf("RATE", 40),
    idleMs,
    loadMs: restMs - idleMs,
    startsTogether: numberOf("TOGETHER", 0) === 1,
  };
}

function print(run: ScaleResult): boolean {
  const { users, sent, acked, delivered, events, virtualMs, fingerprint, findings } = run;
  const { gateways, roomNodes, persistence, partitions, rooms, members } = size;
  console.log(
    `${gateways} gateways, ${roomNodes} room nodes, ${persistence} persistence, ${partitions} partitions; ` +
      `${users} users in ${rooms} rooms of ${members}`,
  );
  const { in: beats } = run.start["room beat"];
  console.log(`  ${beats} beats of room nodes while the room nodes started`);
  const rows = rowsOf(run);
  console.log(`  ${"phase".padEnd(20)} ${"kind".padEnd(20)}${"counted".padStart(12)}     computed`);
  for (const row of rows) console.log(describeRow(row));
  for (const finding of findings) console.log(`✗ ${finding}`);
  const wrong = rows.filter((row) => !isWithin(row)).length;
  console.log(
    `${sent} sent, ${acked} acknowledged, ${delivered} delivered; ${events} events, ` +
      `${(virtualMs / 1_000).toFixed(0)} virtual seconds in ${seconds().toFixed(0)} s ` +
      `(${cpuSeconds} s of CPU); fingerprint ${fingerprint}`,
  );
  console.log(`${rows.length} counts, ${wrong} differ by more than 10 % from the model`);
  return wrong === 0 && findings.length === 0;
}

function publish(run: ScaleResult): void {
  const stored = { ...run, seconds: Math.round(seconds()), cpuSeconds };
  writeFileSync(join(import.meta.dirname, LARGE_RUN), `${JSON.stringify(stored, undefined, 2)}\n`);
  publishPage();
}
