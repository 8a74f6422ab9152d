// A split in real processes: the partitions are doubled under load, room nodes and persistence are
// killed meanwhile. verify/checker judges the records; `make drill-split` measures the times.

import { expect } from "chai";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RoomId } from "#shared/protocol/ids.ts";
import { partitionOf } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { splitPartitions } from "#client/cli/partitions.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { WriterLoad } from "../drills/writer-load.ts";

const PARTITIONS = 4;
const ROOMS = Array.from({ length: 20 }, (_, i) => `split-${i}` as RoomId);
const WITHIN_MS = 60_000;

describe("Split", function () {
  this.timeout(300_000);

  let dataDir = "";
  let cluster: Cluster;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "parley-split-"));
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

  it("P28: 4 partitions become 8 and then 16 under load and kills, and no message is lost, doubled or reordered", async () => {
    const options = { cluster, partitions: 4 * PARTITIONS, rooms: ROOMS, pendingMax: 2 };
    using load = await WriterLoad.open(options);
    await load.ackedMore(200);
    const moved = ROOMS.filter((room) => partitionOf(room, 4) !== partitionOf(room, 8));
    expect(moved.length, "rooms that move").to.be.within(1, ROOMS.length - 1);
    const said: string[] = [];
    await splitPartitions(cluster.natsAccess, {}, (line) => said.push(line));
    expect(said.at(-1)).to.equal("8 partitions are served");
    load.acks.begin(performance.now());
    await load.back();
    // Without `to` the command repeats the doubling to 8 while a partition changes its owner.
    const to = 4 * PARTITIONS;
    const splitting = splitPartitions(cluster.natsAccess, { to }, (line) => said.push(line));
    for (const name of ["room-1", "persistence-1", "room-2"]) {
      await load.ackedMore(100);
      await cluster.kill(name);
    }
    await splitting;
    expect(said.at(-1)).to.equal("16 partitions are served");
    await until(() => cluster.names.every((name) => cluster.pid(name) !== undefined), {
      withinMs: WITHIN_MS,
      what: "every process to run",
    });
    load.acks.begin(performance.now());
    await load.back();
    await load.drain();
    const { broken, counts, violations } = await load.judge();
    expect(broken, JSON.stringify(violations.slice(0, 3))).to.deep.equal([]);
    expect(load.surprises).to.deep.equal([]);
    expect(counts).to.include({ refused: 0 });
  });

  it("P31: after a restart of everything, a new process finds the splits in the archive", async () => {
    await splitPartitions(cluster.natsAccess, {}, () => undefined);
    for (const name of cluster.names.filter((one) => /^(gateway|room|persistence)/.test(one))) {
      await cluster.kill(name);
    }
    const options = { cluster, partitions: 2 * PARTITIONS, rooms: ROOMS, pendingMax: 2 };
    await until(() => cluster.names.every((name) => cluster.pid(name) !== undefined), {
      withinMs: WITHIN_MS,
      what: "every process to run",
    });
    using load = await WriterLoad.open(options);
    await load.ackedMore(200);
    await load.drain();
    const { broken } = await load.judge();
    expect(broken).to.deep.equal([]);
  });
});
