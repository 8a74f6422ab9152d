// `make drill-nats`: how long rooms wait when NATS servers are killed or paused.
//
//   node verify/drills/nats.ts [rounds] [row]
//
// Rows F5, F6 and F7 of the fault table, on three servers. Each writer keeps one send pending.
// Measured: from each fault to the first fresh acknowledgement of every room that it affects. Not
// measured: the invariants (verify/e2e/nats-faults.e2e.ts), other numbers of partitions.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RoomId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import { percentile } from "./acks.ts";
import { WriterLoad } from "./writer-load.ts";
import { killAllServers, killLeader, PAUSE_MS, pauseLeader } from "./nats-faults.ts";
import type { Target } from "./nats-faults.ts";

const PARTITIONS = 4;
const ROOMS = Array.from({ length: 12 }, (_, i) => `drill-${i}` as RoomId);
const SERVERS_WITHIN_MS = 90_000;
/** After a heal, so that the replicas catch up before the next fault. */
const SETTLE_MS = 3_000;

const FAULTS = [
  { row: "F5", what: "kill -9 of a leader", run: killLeader, restMs: SETTLE_MS },
  { row: "F6", what: "SIGSTOP of a leader, 10 s", run: pauseLeader, restMs: PAUSE_MS + SETTLE_MS },
  { row: "F7", what: "kill -9 of all servers", run: killAllServers, restMs: SETTLE_MS },
] as const;

const [roundsText = "3", only] = process.argv.slice(2);
const rounds = Number(roundsText);
const dataDir = await mkdtemp(join(tmpdir(), "parley-drill-"));
const cluster = await startCluster({
  dataDir,
  port: 0,
  nats: 3,
  partitions: PARTITIONS,
  limits: "off",
  say: (line) => console.error(`  ${line}`),
});
const options = { cluster, partitions: PARTITIONS, rooms: ROOMS };
const load = await WriterLoad.open({ ...options, pendingMax: 1, keepsRecords: false });
const target: Target = { ...options, acks: load.acks };
try {
  for (const { row, what, run, restMs } of FAULTS) {
    if (only !== undefined && only !== row) continue;
    const all: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const waited = await load.back(await run(target));
      console.error(`  ${row} ${waited.map((ms) => Math.round(ms)).join(" ")}`);
      all.push(...waited);
      await until(() => cluster.info().nats.length === 3, {
        withinMs: SERVERS_WITHIN_MS,
        what: "all servers to run",
      });
      await sleep(restMs);
    }
    const figures = [percentile(all, 0.5), percentile(all, 0.99), Math.max(...all)].map(Math.round);
    console.log(
      `${row} ${what}: ${rounds} rounds, ${all.length} rooms, ` +
        `back after p50 ${figures[0]} p99 ${figures[1]} max ${figures[2]} ms`,
    );
  }
} finally {
  load[Symbol.dispose]();
  await cluster.stop();
  await rm(dataDir, { recursive: true, force: true });
}
