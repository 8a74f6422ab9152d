// `make drill-restore`: PostgreSQL and NATS lose everything, twice each; how long until there is
// service again, and whether everything that was acknowledged is there, or counted.
//
//   node verify/drills/restore.ts [acked] [rooms]     messages before each step; rooms that talk

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
    ["NATS lost everything after an orderly stop", () => lossy.loseLogsAfterStop()],
    ["NATS lost everything while persistence stood still", () => lossy.loseLogsUnderLoad()],
    ["PostgreSQL lost, and its backup too old for the logs", () => lossy.losePostgresTooLate()],
  ] as const;
  for (const [name, lose] of drills) print(name, await lose());
} finally {
  await rm(dataDir, { recursive: true, force: true });
}

function print(name: string, { took, acked: all, lost, reset, reborn, wrong }: Outcome): void {
  console.log(name);
  for (const [what, tookMs] of Object.entries(took)) console.log(`  ${what}: ${tookMs} ms`);
  console.log(`  acknowledged ${all} by now, lost ${lost}`);
  console.log(`  rooms born again ${reborn.length}, whose people were told ${reset.length}`);
  for (const what of wrong.slice(0, 20)) console.log(`  WRONG ${what}`);
  if (wrong.length > 0) process.exitCode = 1;
}
