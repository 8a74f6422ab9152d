// Proxies: the routes of a chaos run as a process of its own, so that its pace is nobody else's.

import { seededRandom } from "#shared/kit/random.ts";
import { Proxy } from "./proxy.ts";
import type { Shape } from "./proxy.ts";

export type ProxyOrder =
  /** A route to `port`; it may have several ports, one for each server of a cluster. */
  | { readonly kind: "route"; readonly ask: number; readonly route: string; readonly port: number }
  | { readonly kind: "shape"; readonly route: string; readonly shape: Shape };

export interface ProxyAnswer {
  readonly ask: number;
  readonly port: number;
}

const random = seededRandom(Number(process.argv[2] ?? 1));
const routes = new Map<string, Proxy[]>();

async function obey(order: ProxyOrder): Promise<void> {
  if (order.kind === "shape") {
    for (const proxy of routes.get(order.route) ?? []) proxy.shape = order.shape;
    return;
  }
  const { route, port, ask } = order;
  const share = (): number => random.next32() / 0x1_0000_0000;
  const proxy = new Proxy({ host: "127.0.0.1", port }, share);
  routes.set(route, [...(routes.get(route) ?? []), proxy]);
  const answer: ProxyAnswer = { ask, port: await proxy.listen() };
  process.send?.(answer);
}

process.on("message", (order: ProxyOrder) => {
  obey(order).catch((error: unknown) => {
    console.error("the proxies failed", error);
    process.exit(1);
  });
});
process.on("disconnect", () => process.exit(0));
