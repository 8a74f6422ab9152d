// NATS bench: one real nats-server for one test, with the connections that the test opens.

import { openNatsBus } from "../adapters/bus-nats.ts";
import type { NatsBus } from "../adapters/bus-nats.ts";
import { createLogger } from "../process/logger.ts";
import type { BusBench } from "./bus.contract.ts";
import { launchNats } from "./launch-nats.ts";
import type { NatsServer } from "./launch-nats.ts";
import { until } from "./wait.ts";

export interface NatsBench extends BusBench {
  readonly server: NatsServer;
  connect(): Promise<NatsBus>;
}

/** Longer than a server takes to recover and a client to reconnect. */
const RECOVERY_MS = 15_000;
const silent = createLogger({ name: "test", level: "silent" });

export async function openNatsBench(): Promise<NatsBench> {
  const server = await launchNats();
  const buses: NatsBus[] = [];
  return {
    server,
    async connect() {
      const bus = await openNatsBus({
        url: server.url,
        name: `test-${buses.length}`,
        inboxPrefix: "_INBOX.test",
        logger: silent,
      });
      buses.push(bus);
      return bus;
    },
    async cut() {
      server.kill();
      await until(() => buses.every((bus) => bus.status === "disconnected"), {
        withinMs: RECOVERY_MS,
        what: "all connections to be seen lost",
      });
    },
    async heal() {
      await server.restart();
      await until(() => buses.every((bus) => bus.status === "connected"), {
        withinMs: RECOVERY_MS,
        what: "all connections to come back",
      });
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(buses.map((bus) => bus.close()));
      await server.stop();
    },
  };
}
