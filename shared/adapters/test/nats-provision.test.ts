// Provisioning on a real nats-server: what it creates, keeps and refuses.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { jetstreamManager } from "@nats-io/jetstream";
import type { JetStreamManager, StreamInfo } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { expect } from "chai";
import { openNatsBench } from "../../testing/nats-bench.ts";
import { openNatsLog } from "../log-nats.ts";
import { checkServer, checkSync, provision, ProvisionError } from "../nats-provision.ts";

const OPTIONS = { partitions: 3, replicas: 1, logBytesMax: 8 * 1_024 * 1_024 };

describe("Provision", () => {
  it("D7: creates streams that refuse when full, on disk, and forbid deleting one entry", async () => {
    await using bench = await openNatsBench();
    const { connection } = await bench.connect();
    await provision(connection, OPTIONS);
    const manager = await jetstreamManager(connection);
    const configs = (await logs(manager)).map(({ config }) => config);
    expect(configs.map(({ name, subjects }) => [name, subjects])).to.deep.equal([
      ["LOG_0", ["log.0"]],
      ["LOG_1", ["log.1"]],
      ["LOG_2", ["log.2"]],
    ]);
    for (const config of configs) {
      expect(config).to.include({
        storage: "file",
        retention: "limits",
        discard: "new",
        max_bytes: OPTIONS.logBytesMax,
        max_age: 0,
        max_msgs: -1,
        max_msg_size: 1_024 * 1_024,
        allow_direct: true,
        deny_delete: true,
        num_replicas: 1,
      });
    }
  });

  it("N3: runs again, and in parallel, without changing anything", async () => {
    await using bench = await openNatsBench();
    const buses = [await bench.connect(), await bench.connect(), await bench.connect()];
    await Promise.all(buses.map((bus) => provision(bus.connection, OPTIONS)));
    const log = openNatsLog(buses[0]!);
    expect(await log.append(2, "kept", 0)).to.deep.equal({ kind: "ok", seq: 1 });
    await provision(buses[1]!.connection, OPTIONS);
    expect(await log.last(2)).to.include({ kind: "ok", last: 1 });
  });

  it("N3: refuses another partition count, and changes nothing then", async () => {
    await using bench = await openNatsBench();
    const { connection } = await bench.connect();
    await provision(connection, OPTIONS);
    const error = await refusal(provision(connection, { ...OPTIONS, partitions: 4 }));
    expect(error).to.be.instanceOf(ProvisionError);
    expect(error).to.have.property("code", "partitions_differ");
    expect(error).to.have.property("message").that.includes("3 partitions").and.includes("not 4");
    expect(await logs(await jetstreamManager(connection))).to.have.length(3);
  });

  it("P9: applies a new bound of the log to existing streams", async () => {
    await using bench = await openNatsBench();
    const { connection } = await bench.connect();
    await provision(connection, OPTIONS);
    await provision(connection, { ...OPTIONS, logBytesMax: 2 * OPTIONS.logBytesMax });
    const infos = await logs(await jetstreamManager(connection));
    expect(new Set(infos.map(({ config }) => config.max_bytes))).to.deep.equal(
      new Set([2 * OPTIONS.logBytesMax]),
    );
  });

  it("N3: creates the buckets, and stores the partition count in one of them", async () => {
    await using bench = await openNatsBench();
    const { connection } = await bench.connect();
    await provision(connection, OPTIONS);
    const buckets = new Kvm(connection);
    const names: string[] = [];
    for await (const status of buckets.list()) names.push(status.bucket);
    const expected = ["cluster", "config", "gateways", "leases", "sessions"];
    expect(names.sort()).to.deep.equal(expected);
    const cluster = await buckets.open("cluster");
    expect((await cluster.get("partitions"))?.string()).to.equal("3");
    expect((await (await buckets.open("sessions")).status()).ttl).to.be.greaterThan(0);
  });
});

describe("Server checks", () => {
  it("D7: accepts the launched server: new enough and with sync on every write", async () => {
    await using bench = await openNatsBench();
    const { connection } = await bench.connect();
    expect(checkServer(connection)).to.deep.equal({ kind: "ok" });
    expect(await checkSync(bench.server.monitorUrl)).to.deep.equal({ kind: "ok" });
  });

  it("D7: refuses a server older than 2.14.4, or one that hides its version, with a readable reason", () => {
    const check = (version: string | undefined, jetstream = true): string => {
      const info = version === undefined ? undefined : { version, jetstream };
      const verdict = checkServer({ info } as unknown as NatsConnection);
      return verdict.kind === "ok" ? "ok" : verdict.reason;
    };
    for (const version of ["2.14.4", "2.14.5", "2.15.0", "2.15.2-RC.1", "3.0.0", "v2.100.0"]) {
      expect(check(version), version).to.equal("ok");
    }
    for (const version of ["2.14.3", "2.9.10", "2.14", "1.99.99", "0", "", undefined]) {
      expect(check(version), version).to.include("2.14.4 or newer is needed");
    }
    expect(check("2.15.2", false)).to.equal("nats-server runs without JetStream");
  });

  it("D7: refuses a server that syncs only periodically, or whose monitoring does not answer", async () => {
    const lax = createServer((_, response) => {
      response.end('{"jetstream":{"config":{"sync_interval":120000000000}}}');
    });
    await new Promise<void>((resolve) => {
      lax.listen(0, "127.0.0.1", resolve);
    });
    const url = `http://127.0.0.1:${(lax.address() as AddressInfo).port}`;
    const verdict = await checkSync(url);
    expect(verdict).to.have.property("kind", "refused");
    expect(verdict).to.have.property("reason").that.includes("sync_interval: always");
    await new Promise((resolve) => {
      lax.closeAllConnections();
      lax.close(resolve);
    });
    expect(await checkSync(url)).to.have.property("kind", "refused");
    expect(await checkSync("not a url")).to.have.property("kind", "refused");
  });
});

async function logs(manager: JetStreamManager): Promise<StreamInfo[]> {
  const found: StreamInfo[] = [];
  for await (const info of manager.streams.list()) {
    if (info.config.name.startsWith("LOG_")) found.push(info);
  }
  return found.sort((a, b) => (a.config.name < b.config.name ? -1 : 1));
}

function refusal(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
