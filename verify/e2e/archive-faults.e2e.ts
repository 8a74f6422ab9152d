// Faults of the archive under load: PostgreSQL and persistence are killed and paused.
//
// Senders must not notice, the log must hold the new events meanwhile, and afterwards the archive
// must have every event once. The test prints how fast the archive catches up; `make drill-archive`
// measures it with a long outage.

import { expect } from "chai";
import type { RoomId } from "#shared/protocol/ids.ts";
import { printFigure } from "#tools/test-run/figure.ts";
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

  it("D10: clients get acknowledgements during the fault, and the archive stores every event once after it", async () => {
    await using fixture = await openFaultCluster({ partitions: PARTITIONS });
    const { cluster } = fixture;
    const options = { cluster, partitions: PARTITIONS, rooms: ROOMS };
    using load = await WriterLoad.open({ ...options, pendingMax: 1 });
    const target = { cluster, acks: load.acks };
    const faults = [killPostgres, pausePostgres, killPersistence, pausePersistence];
    for (const fault of faults) {
      await load.ackedMore(ACKED);
      const before = load.acks.count;
      const recovery = await recover(target, () => fault(target, PAUSE_MS));
      printFigure(`${fault.name}: ${JSON.stringify(recovery)}`);
      // Senders got acknowledgements while the archive stored nothing.
      expect(load.acks.count, fault.name).to.be.above(before);
      expect(recovery.arrival, fault.name).to.be.above(0);
    }
    await load.ackedMore(ACKED);
    const counts = await expectWhole(load);
    // No client had to send a message again.
    expect(counts.retried).to.equal(0);
  });
});
