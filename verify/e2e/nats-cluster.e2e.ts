// NATS=3: the cluster on three replicas survives the loss of any one server, and a restart of all.

import { expect } from "chai";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import type { StreamInfo } from "@nats-io/jetstream";
import { connectNats } from "#shared/adapters/nats-connect.ts";
import { BUCKETS } from "#shared/adapters/nats-provision.ts";
import { until } from "#shared/testing/wait.ts";
import { ClusterError, startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import type { ClusterOptions } from "#infra/embedded/cluster-options.ts";
import { connect } from "./clients.ts";

const PARTITIONS = 4;
const BACK_WITHIN_MS = 60_000;

describe("Cluster on three NATS servers", function () {
  this.timeout(180_000);

  let dataDir = "";
  const options = (more: Partial<ClusterOptions> = {}): Partial<ClusterOptions> => ({
    dataDir,
    port: 0,
    nats: 3,
    partitions: PARTITIONS,
    say: () => {},
    ...more,
  });

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "parley-nats3-"));
  });
  after(() => rm(dataDir, { recursive: true, force: true }));

  it("D8: every stream has three replicas, a killed server restarts at its address, and a restart keeps all events", async () => {
    const first = await startCluster(options());
    const before = first.info().nats;
    expect(before.map(({ name }) => name)).to.deep.equal(["nats-1", "nats-2", "nats-3"]);
    expect(new Set(before.flatMap(({ pid, url }) => [pid, url])).size).to.equal(6);
    const streams = await streamsOf(first);
    expect(streams).to.have.length(PARTITIONS + Object.keys(BUCKETS).length);
    expect(new Set(streams.map(({ config }) => config.num_replicas))).to.deep.equal(new Set([3]));
    const seq = await sendOne(first, "before");
    await first.kill("nats-2");
    await until(() => first.pid("nats-2") !== undefined, {
      withinMs: BACK_WITHIN_MS,
      what: "nats-2 to be back",
    });
    expect(first.info().nats.map(({ url }) => url)).to.deep.equal(before.map(({ url }) => url));
    expect(await sendOne(first, "with the restarted server")).to.equal(seq + 1);
    await first.stop();
    await using second = await startCluster(options());
    expect(await sendOne(second, "after a restart of the cluster")).to.equal(seq + 2);
  });

  it("D8: data of three servers is refused with NATS=1", async () => {
    const error = await startCluster(options({ nats: 1 })).then(
      async (cluster) => cluster.stop(),
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(ClusterError);
    expect(error).to.have.property("message").that.includes("NATS=3").and.includes("DATA=");
  });
});

/** Sends one message through the SDK. Resolves with its sequence number. */
async function sendOne(cluster: Cluster, text: string): Promise<number> {
  const parley = await connect(cluster, "ada");
  try {
    const outcome = await parley.join("replicas", { tail: 0 }).send({ text }).done;
    if (outcome.kind === "refused") throw new Error(outcome.error);
    return outcome.seq;
  } finally {
    parley.close();
  }
}

async function streamsOf(cluster: Cluster): Promise<StreamInfo[]> {
  const connection = await connectNats({
    ...cluster.natsAccess,
    name: "test",
    inboxPrefix: "_INBOX_admin",
  });
  const streams: StreamInfo[] = [];
  for await (const info of (await jetstreamManager(connection)).streams.list()) streams.push(info);
  await connection.close();
  return streams;
}
