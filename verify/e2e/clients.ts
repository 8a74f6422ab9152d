// Clients: SDK clients of an embedded cluster for end-to-end tests.

import { Parley } from "#client/sdk/parley.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { devToken, socketUrlOf } from "../wire-client/dev-token.ts";

/** `gateway`: its index. */
export function socketUrl(cluster: Cluster, gateway = 0): string {
  return socketUrlOf(cluster.info().gateways[gateway]?.url ?? "");
}

/** `gateway`: the index of the one to connect to. */
export async function connect(cluster: Cluster, user: string, gateway = 0): Promise<Parley> {
  const token = await devToken(cluster.url, user);
  const parley = new Parley({ url: socketUrl(cluster, gateway), token });
  parley.connect();
  return parley;
}
