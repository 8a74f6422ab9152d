// Faults of the archive under load: PostgreSQL dies and stands still, persistence dies and stands
// still.
//
// Chat must not notice, the log must hold what comes meanwhile, and afterwards the archive must
// have it all, once. How fast it catches up is printed; `make drill-archive` measures it with a
// long outage.

import { expect } from "chai";
import type { RoomId } from "#shared/protocol/ids.ts";
import {
  killPersistence,
  killPostgres,
  pausePersistence,
  pausePostgres,
  recover,
} from "../drills/archive-faults.ts";
import { WriterLoad } from "../drills/writer-load.ts";
import { expectWhole, openFaultCluster } from "./fault-cluster.ts";

const PARTITIONS = 4;
const ROOMS = Array.from({ length: 4 }, (_, i) => `room-${i}` as RoomId);
const ACKED = 300;
const PAUSE_MS = 4_000;

describe("Faults of the archive", function () {
  this.timeout(180_000);

  it("D10: chat goes on, and the archive gets all of it, once, when the fault is over", async () => {
    await using open = await openFaultCluster({ partitions: PARTITIONS });
    const { cluster } = open;
    const options = { cluster, partitions: PARTITIONS, rooms: ROOMS };
    using load = await WriterLoad.open({ ...options, pendingMax: 1 });
    const target = { cluster, acks: load.acks };
    const faults = [killPostgres, pausePostgres, killPersistence, pausePersistence];
    for (const fault of faults) {
      await load.ackedMore(ACKED);
      const before = load.acks.count;
      const recovery = await recover(target, () => fault(target, PAUSE_MS));
      console.log(`      ${fault.name}: ${JSON.stringify(recovery)}`);
      // Senders were answered while nothing was archived.
      expect(load.acks.count, fault.name).to.be.above(before);
      expect(recovery.arrival, fault.name).to.be.above(0);
    }
    await load.ackedMore(ACKED);
    const counts = await expectWhole(load);
    // Nobody was made to send again: the archive's trouble is not the sender's.
    expect(counts.retried).to.equal(0);
  });
});
