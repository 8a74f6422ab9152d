import { connectNats } from "../nats-connect.ts";
import { openNatsBus } from "../bus-nats.ts";
import { BUCKETS, provisionBuckets } from "../nats-provision.ts";
import { readAll } from "../nats-direct-reads.ts";
import { MemorySessionStore } from "../session-store-memory.ts";
import { NatsSessionStore } from "../session-store-nats.ts";
import { createLogger } from "#shared/process/logger.ts";
import { decodeSessionEvent } from "#shared/protocol/session-records.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { launchNats } from "#shared/testing/launch-nats.ts";
import {
  CONTRACT_GATEWAY_LEASE_MS,
  sessionStoreContract,
} from "#shared/testing/session-store.contract.ts";
import { until } from "#shared/testing/wait.ts";

sessionStoreContract("memory", () => {
  const clock = new FakeClock();
  const store = new MemorySessionStore(clock, CONTRACT_GATEWAY_LEASE_MS);
  return Promise.resolve({
    connect: () => store,
    expire: () => Promise.resolve(clock.advance(CONTRACT_GATEWAY_LEASE_MS)),
    events: () => Promise.resolve(store.events),
    stop: () => {
      store.isAway = true;
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});

const logger = createLogger({ name: "test", level: "silent" });

sessionStoreContract("NATS", async () => {
  const server = await launchNats();
  const options = { url: server.url, name: "test", inboxPrefix: "_INBOX_t", logger };
  const admin = await connectNats(options);
  await provisionBuckets(admin, { partitions: 1, replicas: 1 });
  const bus = await openNatsBus(options);
  const readKeys = (bucket: string) => readAll(bus, `KV_${bucket}`, `$KV.${bucket}.>`);
  return {
    connect: () => new NatsSessionStore(bus, CONTRACT_GATEWAY_LEASE_MS),
    expire: () =>
      until(
        async () => {
          const messages = (await readKeys(BUCKETS.gateways)) ?? [];
          const live = messages.filter(({ headers }) => headers?.get("KV-Operation") !== "DEL");
          return live.every(({ headers }) => headers?.get("Nats-Subject").endsWith(".state"));
        },
        { withinMs: 20 * CONTRACT_GATEWAY_LEASE_MS, what: "the leases to end", everyMs: 20 },
      ),
    async events() {
      const messages = (await readKeys(BUCKETS.sessions)) ?? [];
      return messages.flatMap((message) => {
        const key = message.headers?.get("Nats-Subject").split(".").slice(2).join(".") ?? "";
        return decodeSessionEvent(key, message.string()) ?? [];
      });
    },
    stop: () => Promise.resolve(server.kill()),
    async [Symbol.asyncDispose]() {
      await bus.close();
      await admin.close();
      await server[Symbol.asyncDispose]();
    },
  };
});
