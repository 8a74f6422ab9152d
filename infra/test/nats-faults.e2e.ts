// Faults of a NATS cluster under load: a stream's leader dies, stands still, and then all servers die.
//
// Writers go on through all of it; what they recorded is judged against log, archive and history.
// How long each fault keeps rooms waiting is printed; `make drill-nats` measures it many times.

import { expect } from "chai";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RoomId } from "#shared/protocol/ids.ts";
import { startCluster } from "../cluster.ts";
import type { Cluster } from "../cluster.ts";
import { Crowd } from "../drill/crowd.ts";
import { killAllServers, killLeader, pauseLeader } from "../drill/nats-faults.ts";

const PARTITIONS = 4;
const ROOMS = Array.from({ length: 8 }, (_, i) => `room-${i}` as RoomId);
/** Acknowledged before, between and after the faults. */
const ACKED = 400;

describe("Faults of a NATS cluster", function () {
  this.timeout(180_000);

  let dataDir = "";
  let cluster: Cluster;

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "parley-faults-"));
    cluster = await startCluster({
      dataDir,
      port: 0,
      nats: 3,
      partitions: PARTITIONS,
      limits: "off",
      env: { LOG_KEEP_ENTRIES: "1000000" }, // The whole log stays, so that all of it can be compared.
      say: () => {},
    });
  });
  after(async () => {
    await cluster.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  it("D9: nothing is lost, doubled or reordered, and every room comes back by itself", async () => {
    const options = { cluster, partitions: PARTITIONS, rooms: ROOMS };
    using crowd = await Crowd.open({ ...options, inFlightMax: 4 });
    const waited: { [fault: string]: number } = {};
    for (const fault of [killLeader, pauseLeader, killAllServers]) {
      await crowd.ackedMore(ACKED);
      const rooms = await fault({ ...options, acks: crowd.acks });
      waited[fault.name] = Math.round(Math.max(...(await crowd.back(rooms))));
    }
    await crowd.ackedMore(ACKED);
    await crowd.drain();
    const { counts, violations } = await crowd.judge();
    console.log(`      ${JSON.stringify(waited)} ms; ${JSON.stringify(counts)}`);
    expect(violations).to.deep.equal([]);
    expect(crowd.surprises).to.deep.equal([]);
    expect(counts.sent).to.equal(counts.acked);
    expect(counts.stored).to.equal(counts.sent);
  });
});
