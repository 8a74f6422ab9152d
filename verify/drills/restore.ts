// `make drill-restore`: PostgreSQL and NATS lose all data, twice each. Measured: how long until the
// cluster serves again. Judged: every acknowledged message is stored, or counted as lost.
//
//   node verify/drills/restore.ts [messages before each step] [rooms]

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RoomId } from "#shared/protocol/ids.ts";
import { LossyCluster } from "./losses.ts";
import type { Outcome } from "./losses.ts";

const acked = Number(process.argv[2] ?? 5_000);
const rooms = Array.from(
  { length: Number(process.argv[3] ?? 50) },
  (_, i) => `drill-${i}` as RoomId,
);

const dataDir = await mkdtemp(join(tmpdir(), "parley-drill-"));
const say = (line: string): void => console.error(`  ${line}`);
try {
  await using lossy = await LossyCluster.open({ dataDir, rooms, partitions: 8, acked, say });
  const drills = [
    ["PostgreSQL lost, restored from a backup and the log", () => lossy.losePostgres()],
    ["NATS lost all data after a planned stop", () => lossy.loseLogsAfterStop()],
    ["NATS lost all data while persistence was paused", () => lossy.loseLogsUnderLoad()],
    ["PostgreSQL lost, and its backup is too old for the logs", () => lossy.losePostgresTooLate()],
  ] as const;
  for (const [name, lose] of drills) print(name, await lose());
} finally {
  await rm(dataDir, { recursive: true, force: true });
}

function print(name: string, { took, acked: all, lost, reset, recreated, wrong }: Outcome): void {
  console.log(name);
  for (const [what, tookMs] of Object.entries(took)) console.log(`  ${what}: ${tookMs} ms`);
  console.log(`  acknowledged so far ${all}, lost ${lost}`);
  console.log(
    `  recreated rooms ${recreated.length}, rooms whose clients got a reset ${reset.length}`,
  );
  for (const what of wrong.slice(0, 20)) console.log(`  WRONG ${what}`);
  if (wrong.length > 0) process.exitCode = 1;
}
