// People: clients of an embedded cluster for end-to-end tests, on the real SDK.

import { Parley } from "#client/sdk/parley.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";

export async function devToken(cluster: Cluster, user: string): Promise<string> {
  const response = await fetch(`${cluster.url}/v1/dev/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user }),
  });
  if (!response.ok) throw new Error(`no token: ${response.status}`);
  return ((await response.json()) as { token: string }).token;
}

export function socketUrl(cluster: Cluster, gateway = 0): string {
  const url = cluster.info().gateways[gateway]?.url ?? "";
  return `${url.replace("http", "ws").replace(/\/$/, "")}/v1/ws`;
}

/** `gateway`: the index of the one to connect to. */
export async function connect(cluster: Cluster, user: string, gateway = 0): Promise<Parley> {
  const token = await devToken(cluster, user);
  const parley = new Parley({ url: socketUrl(cluster, gateway), token });
  parley.connect();
  return parley;
}
