// Faults of a NATS cluster under load: a leader is killed, a leader is paused, all servers are
// killed.
//
// Writers send during the faults. verify/checker compares their records with log, archive and
// history. The test prints how long rooms wait; `make drill-nats` measures it many times.

import type { RoomId } from "#shared/protocol/ids.ts";
import { printFigure } from "#tools/test-run/figure.ts";
import { WriterLoad } from "../drills/writer-load.ts";
import { killAllServers, killLeader, pauseLeader } from "../drills/nats-faults.ts";
import { expectWhole, openFaultCluster } from "./fault-cluster.ts";

const PARTITIONS = 4;
const ROOMS = Array.from({ length: 8 }, (_, i) => `room-${i}` as RoomId);
/** Acknowledgements before, between and after the faults. */
const ACKED = 400;

describe("Faults of a NATS cluster", function () {
  this.timeout(180_000);

  it("D9: no message is lost, duplicated or reordered, and every room recovers without help", async () => {
    await using fixture = await openFaultCluster({ partitions: PARTITIONS, nats: 3 });
    const { cluster } = fixture;
    const options = { cluster, partitions: PARTITIONS, rooms: ROOMS };
    using load = await WriterLoad.open({ ...options, pendingMax: 4 });
    const waited: { [fault: string]: number } = {};
    for (const fault of [killLeader, pauseLeader, killAllServers]) {
      await load.ackedMore(ACKED);
      const rooms = await fault({ ...options, acks: load.acks });
      waited[fault.name] = Math.round(Math.max(...(await load.back(rooms))));
    }
    await load.ackedMore(ACKED);
    printFigure(`${JSON.stringify(waited)} ms`);
    await expectWhole(load);
  });
});
