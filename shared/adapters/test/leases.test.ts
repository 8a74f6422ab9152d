import { Kvm } from "@nats-io/kv";
import { connectNats } from "../nats-connect.ts";
import { MemoryLeases } from "../leases-memory.ts";
import { NatsLeases } from "../leases-nats.ts";
import { BUCKETS, provisionBuckets } from "../nats-provision.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { CONTRACT_LEASE_MS, leasesContract } from "#shared/testing/leases.contract.ts";
import { launchNats } from "#shared/testing/launch-nats.ts";
import { until } from "#shared/testing/wait.ts";

leasesContract("memory", () => {
  const clock = new FakeClock();
  const leases = new MemoryLeases(clock, CONTRACT_LEASE_MS);
  return Promise.resolve({
    connect: () => leases,
    expire: () => Promise.resolve(clock.advance(CONTRACT_LEASE_MS)),
    stop: () => {
      leases.isAway = true;
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});

leasesContract("NATS", async () => {
  const server = await launchNats();
  const connection = await connectNats({ url: server.url, name: "test", inboxPrefix: "_INBOX_t" });
  await provisionBuckets(connection, { partitions: 1, replicas: 1, leaseMs: CONTRACT_LEASE_MS });
  const bucket = await new Kvm(connection).open(BUCKETS.leases);
  return {
    connect: () => new NatsLeases(connection),
    expire: () =>
      until(async () => (await bucket.get("room")) === null, {
        withinMs: 20 * CONTRACT_LEASE_MS,
        what: "the lease to end",
      }),
    stop: () => Promise.resolve(server.kill()),
    [Symbol.asyncDispose]: async () => {
      await connection.close();
      await server[Symbol.asyncDispose]();
    },
  };
});
