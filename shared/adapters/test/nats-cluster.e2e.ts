// The log on three servers: its whole contract with replicas, and the loss of a stream's leader,
// which needs a cluster.
//
// One cluster serves all tests; each test begins with new streams.

import { jetstreamManager } from "@nats-io/jetstream";
import { expect } from "chai";
import { createLogger } from "../../process/logger.ts";
import { launchNatsCluster } from "../../testing/launch-nats-cluster.ts";
import type { NatsCluster } from "../../testing/launch-nats-cluster.ts";
import { BENCH_PARTITIONS, logContract } from "../../testing/log.contract.ts";
import { until } from "../../testing/wait.ts";
import type { LogBench, LogBenchOptions } from "../../testing/log-recording.ts";
import { contents } from "../../testing/log-recording.ts";
import type { AppendOutcome } from "../../ports/log.ts";
import type { LogSeq } from "../../protocol/ids.ts";
import { openNatsBus } from "../bus-nats.ts";
import type { NatsBus } from "../bus-nats.ts";
import { openNatsLog } from "../log-nats.ts";
import { provision } from "../nats-provision.ts";

const REPLICAS = 3;
const LARGE = 64 * 1_024 * 1_024;

let cluster: NatsCluster;

/**
 * The client's timeout is 5 s, and a busy machine takes longer to elect leaders for all streams.
 */
const ASK_WITHIN_MS = 60_000;

describe("NATS cluster", function () {
  this.timeout(120_000);

  before(async () => {
    cluster = await launchNatsCluster();
  });
  after(() => cluster.stop());

  logContract("NATS, three replicas", openBench);

  it("D8: streams created with one replica get three, and keep them", async () => {
    const bus = await connect("provisioner");
    await using _closing = { [Symbol.asyncDispose]: () => bus.close() };
    const manager = await jetstreamManager(bus.connection, { timeout: ASK_WITHIN_MS });
    await removeStreams(bus);
    const replicas = async (): Promise<number[]> => {
      const found = new Set<number>();
      for await (const { config } of manager.streams.list()) found.add(config.num_replicas);
      return [...found];
    };
    const options = { partitions: 2, logBytesMax: LARGE };
    await provision(bus.connection, { ...options, replicas: 1 });
    expect(await replicas()).to.deep.equal([1]);
    const log = openNatsLog(bus);
    // A stream has no leader for a moment after its creation, and after a change of its replicas.
    // Then the server of this client has to learn of it, which only an append shows: the leader may
    // answer `last` before. An append that was stored after all would be refused the next time.
    const append = async (text: string, after: LogSeq): Promise<AppendOutcome> => {
      let outcome: AppendOutcome = { kind: "unknown", reason: "not tried" };
      const isKnown = async (): Promise<boolean> => {
        outcome = await log.append(1, text, after);
        return outcome.kind !== "unknown";
      };
      await until(isKnown, { withinMs: 60_000, what: "a leader" });
      return outcome;
    };
    expect(await append("before", 0)).to.deep.equal({ kind: "ok", seq: 1 });
    await provision(bus.connection, { ...options, replicas: REPLICAS });
    expect(await replicas()).to.deep.equal([3]);
    await provision(bus.connection, { ...options, replicas: 1 });
    expect(await replicas()).to.deep.equal([3]);
    expect(await append("after", 1)).to.deep.equal({ kind: "ok", seq: 2 });
    expect(await contents(log, 1, 2)).to.deep.equal(["before", "after"]);
  });
});

async function openBench({ roomFor }: LogBenchOptions = {}): Promise<LogBench> {
  const [bus, rivalBus] = [await connect("ours"), await connect("rival")];
  await removeStreams(bus);
  await provisionAll(bus, roomFor === undefined ? LARGE : roomFor * 1_200);
  return {
    log: openNatsLog(bus),
    rival: openNatsLog(rivalBus),
    async crash() {
      await Promise.all([...cluster.servers.values()].map((server) => killed(server)));
      await Promise.all([...cluster.servers.values()].map((server) => server.restart()));
      // Provisioning waits for all leaders, and changes nothing.
      await provisionAll(bus, LARGE);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([bus.close(), rivalBus.close()]);
    },
  };
}

async function connect(name: string): Promise<NatsBus> {
  const logger = createLogger({ name: "test", level: "silent" });
  return openNatsBus({ url: cluster.url, name, inboxPrefix: "_INBOX_admin", logger });
}

async function provisionAll(bus: NatsBus, logBytesMax: number): Promise<void> {
  const options = { partitions: BENCH_PARTITIONS, replicas: REPLICAS, logBytesMax };
  await provision(bus.connection, options);
}

async function removeStreams(bus: NatsBus): Promise<void> {
  const manager = await jetstreamManager(bus.connection, { timeout: ASK_WITHIN_MS });
  const names: string[] = [];
  for await (const name of manager.streams.names()) names.push(name);
  for (const name of names) await manager.streams.delete(name);
}

async function killed(server: { kill(): void; exited(): Promise<string> }): Promise<void> {
  server.kill();
  await server.exited();
}
