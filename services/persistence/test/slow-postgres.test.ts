// PostgreSQL behind a slow network: every chunk of bytes is delayed, both ways.

import { expect } from "chai";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import type { RoomId } from "#shared/protocol/ids.ts";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import type { PostgresServer } from "#shared/testing/launch-postgres.ts";
import { PostgresArchive } from "../adapters/archive-postgres.ts";
import { migrate } from "../adapters/migrate.ts";

const AWAY_MS = 1_700;

describe("a slow PostgreSQL", () => {
  let server: PostgresServer;
  let road: Server;

  before(async function () {
    this.timeout(60_000);
    server = await launchPostgres();
    await migrate({ url: server.url });
    road = await slowRoadTo(Number(new URL(server.url).port));
  });

  after(async () => {
    road.close();
    await server.stop();
  });

  it("D11: answers the first read, for which a connection must be opened", async function () {
    this.timeout(30_000);
    const url = new URL(server.url);
    url.port = String((road.address() as AddressInfo).port);
    const store = new PostgresArchive({ url: url.href });
    try {
      const read = await store.snapshot(0, "general" as RoomId, 0);
      expect(read.kind).to.equal("ok");
    } finally {
      await store.close();
    }
  });
});

function slowRoadTo(port: number): Promise<Server> {
  const road = createServer((client) => {
    const far = connect(port, "127.0.0.1");
    carry(client, far);
    carry(far, client);
  });
  return new Promise((resolve) => {
    road.listen(0, "127.0.0.1", () => {
      resolve(road);
    });
  });
}

/** Timers of one length fire in the order in which they began, so the bytes stay in order. */
function carry(from: Socket, to: Socket): void {
  from.on("data", (chunk) => setTimeout(() => to.write(chunk), AWAY_MS));
  from.on("close", () => setTimeout(() => to.destroy(), AWAY_MS));
  from.on("error", () => {
    // "close" ends the other socket.
  });
}
