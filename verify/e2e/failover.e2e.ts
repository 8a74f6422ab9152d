// Failover in real processes: room nodes are killed under load, and every service is restarted in
// turn. verify/checker judges what was acknowledged; `make drill-failover` measures the times.

import { expect } from "chai";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RoomId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { Crowd } from "../drills/writer-load.ts";
import { SteadyCrowd } from "../drills/steady-load.ts";

const PARTITIONS = 8;
const ROOMS = Array.from({ length: 20 }, (_, i) => `failover-${i}` as RoomId);
/** Ten times what was seen on two busy cores: 414 ms. */
const BACK_WITHIN_MS = 4_000;
const WITHIN_MS = 30_000;

describe("Failover", function () {
  this.timeout(120_000);

  let dataDir = "";
  let cluster: Cluster;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "parley-failover-"));
    cluster = await startCluster({
      dataDir,
      port: 0,
      gateways: 2,
      rooms: 2,
      persistence: 2,
      partitions: PARTITIONS,
      limits: "off",
      env: { LOG_KEEP_ENTRIES: "1000000" },
      say: () => undefined,
    });
  });
  afterEach(async () => {
    await cluster.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  async function allRun(): Promise<void> {
    await until(() => cluster.names.every((name) => cluster.pid(name) !== undefined), {
      withinMs: WITHIN_MS,
      what: "every process to run",
    });
  }

  it("P16: three kills of a room node under load cost a moment and no message", async () => {
    const options = { cluster, partitions: PARTITIONS, rooms: ROOMS, inFlightMax: 2 };
    using crowd = await Crowd.open(options);
    for (const name of ["room-1", "room-2", "room-1"]) {
      await crowd.ackedMore(500);
      crowd.acks.begin(performance.now());
      await cluster.kill(name);
      for (const ms of await crowd.back()) expect(ms).to.be.below(BACK_WITHIN_MS);
      await allRun();
    }
    await crowd.drain();
    const { broken, counts } = await crowd.judge();
    expect(broken).to.deep.equal([]);
    expect(crowd.surprises).to.deep.equal([]);
    expect(counts).to.include({ refused: 0 });
  });

  it("S8: a restart of every service in turn shows nobody an error", async () => {
    const { gateways } = cluster.info();
    using crowd = await SteadyCrowd.open({ gateways, rooms: ROOMS, rate: 100 });
    const services = cluster.names.filter((name) => !/^(nats|postgres)/.test(name));
    expect(services).to.have.length(6);
    for (const name of services) {
      const goal = crowd.acked + 50;
      const pid = cluster.pid(name);
      await cluster.terminate(name);
      await until(() => ![undefined, pid].includes(cluster.pid(name)), {
        withinMs: WITHIN_MS,
        what: `${name} to be back`,
      });
      await until(() => crowd.acked >= goal, { withinMs: WITHIN_MS, what: "chat to go on" });
    }
    await crowd.drain(WITHIN_MS);
    expect(crowd.errors).to.deep.equal([]);
    expect(crowd.reconnects).to.be.at.least(ROOMS.length); // Both gateways went, so everybody moved.
  });
});
