// The embedded cluster: it starts, restarts crashed processes, refuses unsafe starts, and leaves no
// process behind.

import { expect } from "chai";
import { createServer } from "node:net";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identify, isSame } from "#shared/process/identity.ts";
import type { Identity } from "#shared/process/identity.ts";
import { freePort } from "#shared/testing/ports.ts";
import { until } from "#shared/testing/wait.ts";
import { ClusterError, startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster, ClusterInfo } from "#infra/embedded/cluster.ts";
import type { ClusterOptions } from "#infra/embedded/cluster-options.ts";

describe("Embedded cluster", function () {
  this.timeout(120_000);

  let dataDir = "";
  const output: string[] = [];
  const options = (more: Partial<ClusterOptions> = {}): Partial<ClusterOptions> => ({
    dataDir,
    port: 0,
    partitions: 4,
    say: (line) => output.push(line),
    ...more,
  });
  const fileOf = (name: string): string => join(dataDir, name);
  const readInfo = (): ClusterInfo =>
    JSON.parse(readFileSync(fileOf("cluster.json"), "utf8")) as ClusterInfo;

  function processesOf({ gateways, rooms, persistence, nats, postgres }: ClusterInfo): Identity[] {
    return [...gateways, ...rooms, ...persistence, ...nats, postgres].map(({ pid }) =>
      identify(pid ?? 0)!,
    );
  }

  async function complaint(promise: Promise<Cluster>): Promise<string> {
    try {
      await (await promise).stop();
      return "no error";
    } catch (error: unknown) {
      expect(error).to.be.instanceOf(ClusterError);
      return (error as ClusterError).message;
    }
  }

  beforeEach(async () => {
    output.length = 0;
    dataDir = await mkdtemp(join(tmpdir(), "parley-cluster-"));
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  it("embedded/cluster.1: every gateway serves when the cluster is ready, and a stop leaves no process", async () => {
    await using cluster = await startCluster(options({ gateways: 2 }));
    const info = cluster.info();
    for (const { url } of info.gateways) {
      for (const path of ["/healthz", "/readyz"]) {
        expect((await fetch(new URL(path, url))).status, path).to.equal(200);
      }
    }
    expect(readInfo()).to.deep.equal(info);
    const processes = processesOf(info);
    expect(processes.every(isSame)).to.equal(true);
    await cluster.stop();
    expect(processes.filter(isSame)).to.deep.equal([]);
    expect(existsSync(fileOf("cluster.json"))).to.equal(false);
  });

  it("embedded/cluster.4: each killed process restarts with the same name and address", async () => {
    await using cluster = await startCluster(options());
    const { url } = cluster;
    for (const name of cluster.names) {
      const before = cluster.pid(name);
      await cluster.kill(name);
      await until(() => cluster.pid(name) !== undefined && cluster.pid(name) !== before, {
        withinMs: 40_000,
        what: `${name} to be back`,
      });
      expect(output.some((line) => line.startsWith(`${name} ended (signal SIGKILL)`))).to.equal(
        true,
      );
    }
    expect(cluster.url).to.equal(url);
    await until(async () => (await fetch(`${url}/readyz`)).status === 200, {
      withinMs: 20_000,
      what: "the gateway to be ready again",
    });
    expect(readInfo()).to.deep.equal(cluster.info());
  });

  it("embedded/cluster.3: a second cluster on the same data is refused, and the first one keeps running", async () => {
    await using cluster = await startCluster(options());
    // In one process both have the same supervisor, so the record gets another one that runs.
    const record = JSON.parse(readFileSync(fileOf("processes.json"), "utf8")) as object;
    const { writeWhole } = await import("#infra/embedded/leftovers.ts");
    writeWhole(fileOf("processes.json"), { ...record, supervisor: identify(process.ppid) });
    const text = await complaint(startCluster(options()));
    expect(text).to.contain("already").and.to.contain("DATA=");
    expect((await fetch(`${cluster.url}/readyz`)).status).to.equal(200);
    expect(existsSync(fileOf("cluster.json"))).to.equal(true);
  });

  it("embedded/cluster.1: a taken port gives one clear line before any process starts", async () => {
    const port = await freePort();
    const other = createServer();
    await once(other.listen(port, "127.0.0.1"), "listening");
    expect(await complaint(startCluster(options({ port })))).to.contain(`port ${port} is taken`);
    expect(existsSync(fileOf("processes.json"))).to.equal(false);
    other.close();
  });

  it("N3: the same data with another number of partitions is refused, and every process is stopped", async () => {
    const first = await startCluster(options());
    await first.stop();
    expect(await complaint(startCluster(options({ partitions: 8 })))).to.contain("4 partitions");
    expect(existsSync(fileOf("processes.json"))).to.equal(false);
  });

  it("embedded/cluster.6: new data get 4 partitions, and data keep their number when none is named", async () => {
    const { partitions: _, ...unnamed } = options();
    for (const [shape, count] of [
      [unnamed, 4],
      [{ ...unnamed, partitions: 16, dataDir: fileOf("of-16") }, 16],
      [{ ...unnamed, dataDir: fileOf("of-16") }, 16],
    ] as const) {
      await using cluster = await startCluster(shape);
      const [room] = cluster.info().rooms;
      const text = await (await fetch(room?.metrics ?? "")).text();
      expect(/^parley_partitions (\d+)$/m.exec(text)?.[1]).to.equal(`${count}`);
    }
  });

  it("embedded/cluster.6: more partitions than the NATS users have rights on must be named", async () => {
    const { partitions: _, ...unnamed } = options();
    const first = await startCluster({ ...unnamed, partitions: 65 });
    await first.stop();
    expect(await complaint(startCluster(unnamed))).to.contain("PARTITIONS=65 make start");
  });

  it("embedded/cluster.1: an unreachable NATS gives one clear line", async () => {
    const natsUrl = `nats://127.0.0.1:${await freePort()}`;
    const text = await complaint(startCluster(options({ natsUrl, databaseUrl: "postgres://x" })));
    expect(text).to.contain(`NATS does not answer at ${natsUrl}`).and.not.contain("\n");
  });
});
