// `make drill-archive`: how fast the archive catches up after an outage of PostgreSQL or
// persistence.
//
//   node verify/drills/archive.ts [seconds of the outage]
//
// Rows F4 and F12 of the fault table. One writer in each of a few rooms keeps one send pending,
// also while the archive catches up: both share the cores of this machine. Not measured: whether
// the archive is right (verify/e2e/archive-faults.e2e.ts).

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RoomId } from "#shared/protocol/ids.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import {
  killPersistence,
  killPostgres,
  pausePersistence,
  pausePostgres,
  recover,
} from "./archive-faults.ts";
import { WriterLoad } from "./writer-load.ts";

const PARTITIONS = 4;
const ROOMS = Array.from({ length: 2 }, (_, i) => `drill-${i}` as RoomId);
const WARM_ACKS = 500;

const outageMs = Number(process.argv[2] ?? 60) * 1_000;
const dataDir = await mkdtemp(join(tmpdir(), "parley-drill-"));
const cluster = await startCluster({
  dataDir,
  port: 0,
  partitions: PARTITIONS,
  limits: "off",
  say: (line) => console.error(`  ${line}`),
});
const options = { cluster, partitions: PARTITIONS, rooms: ROOMS };
const load = await WriterLoad.open({ ...options, pendingMax: 1, keepsRecords: false });
try {
  const target = { cluster, acks: load.acks };
  for (const fault of [pausePostgres, killPostgres, pausePersistence, killPersistence]) {
    await load.ackedMore(WARM_ACKS);
    const { arrival, backlog, drainMs, drain } = await recover(target, () =>
      fault(target, outageMs),
    );
    console.log(
      `${fault.name}: ${arrival} events/s arrived, backlog ${backlog} at the heal, ` +
        `all archived after ${drainMs} ms at ${drain}/s (${(drain / arrival).toFixed(1)} x arrival)`,
    );
  }
} finally {
  load[Symbol.dispose]();
  await cluster.stop();
  await rm(dataDir, { recursive: true, force: true });
}
