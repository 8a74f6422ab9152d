// TwoRegions: the NATS servers of two regions with a JetStream domain each, and the leaf connection
// between them with the rights of the user `link`. East accepts the connection, west makes it.

import type { NatsConnection } from "@nats-io/transport-node";
import { linkPermissions } from "#infra/nats/link.ts";
import { connectNats } from "#shared/adapters/nats-connect.ts";
import { launchNats } from "#shared/testing/launch-nats.ts";
import type { NatsServer } from "#shared/testing/launch-nats.ts";
import { freePort } from "#shared/testing/ports.ts";

export class TwoRegions implements AsyncDisposable {
  readonly east: NatsServer;
  readonly west: NatsServer;
  readonly #connections: NatsConnection[] = [];

  private constructor(east: NatsServer, west: NatsServer) {
    this.east = east;
    this.west = west;
  }

  /** `both`: the rights of the link where both regions serve. */
  static async launch({ both = false } = {}): Promise<TwoRegions> {
    const port = await freePort();
    const { publish, subscribe } = linkPermissions("east", "west", { both });
    const rights = JSON.stringify({ publish, subscribe });
    const east = await launchNats({
      domain: "east",
      authorization: `leafnodes { listen: "127.0.0.1:${port}" }
authorization { users: [
  { user: "all", password: "all" }
  { user: "link", password: "link", permissions: ${rights} }
] }
no_auth_user: "all"
`,
    });
    const west = await launchNats({
      domain: "west",
      authorization: `leafnodes {
  reconnect: 1
  remotes: [{ url: "nats-leaf://link:link@127.0.0.1:${port}" }]
}
`,
    });
    return new TwoRegions(east, west);
  }

  async connect(region: "east" | "west"): Promise<NatsConnection> {
    const connection = await connectNats({
      url: this[region].url,
      name: `test-${region}`,
      inboxPrefix: `_INBOX_region.${region}`,
    });
    this.#connections.push(connection);
    return connection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()));
    await Promise.all([this.east.stop(), this.west.stop()]);
  }
}
