// Road: a proxy in front of a PostgreSQL, for tests of hosts that vanish without a reset.

import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

export interface Road extends AsyncDisposable {
  /** The address of a server behind the proxy. */
  urlOf(server: string): string;
  /** Stops carrying bytes of all open connections, and closes none of them. */
  cutAll(): void;
  /** The same, and new connections get no answer either. */
  vanish(): void;
}

export async function openRoad(port: number): Promise<Road> {
  const open = new Set<readonly Socket[]>();
  let hasVanished = false;
  const road = createServer((client) => {
    client.on("error", () => client.destroy());
    if (hasVanished) {
      open.add([client]);
      return;
    }
    const far = connect(port, "127.0.0.1");
    const pair = [client, far] as const;
    open.add(pair);
    for (const [n, socket] of pair.entries()) socket.on("error", () => pair[1 - n]?.destroy());
    client.pipe(far);
    far.pipe(client);
  });
  await new Promise<void>((resolve) => road.listen(0, "127.0.0.1", resolve));
  const cutAll = (): void => {
    for (const [client, far] of open) {
      if (client === undefined || far === undefined) continue;
      client.unpipe(far);
      far.unpipe(client);
    }
  };
  return {
    urlOf(server) {
      const url = new URL(server);
      url.port = String((road.address() as AddressInfo).port);
      return url.href;
    },
    cutAll,
    vanish() {
      hasVanished = true;
      cutAll();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of [...open].flat()) socket.destroy();
      await new Promise((resolve) => road.close(resolve));
    },
  };
}
