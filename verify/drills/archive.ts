// `make drill-archive`: how the archive catches up after PostgreSQL or persistence was away,
// measured.
//
//   node verify/drills/archive.ts [seconds]     rows F4 and F12 of the fault table; the outage's length
//
// One writer in each of a few rooms sends one message at a time, as fast as it is answered, also
// while the archive catches up: both share this machine's cores. Not measured here: whether what
// was archived is right (verify/e2e/archive-faults.e2e.ts).

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
      `${fault.name}: ${arrival} events/s arrived, ${backlog} behind at the heal, ` +
        `all archived after ${drainMs} ms at ${drain}/s (${(drain / arrival).toFixed(1)} x arrival)`,
    );
  }
} finally {
  load[Symbol.dispose]();
  await cluster.stop();
  await rm(dataDir, { recursive: true, force: true });
}
