// Proxies: the routes of a chaos run in a process of its own, so that no other work delays them.

import { seededRandom } from "#shared/kit/random.ts";
import { Proxy } from "./proxy.ts";
import type { Shape } from "./proxy.ts";

export type ProxyCommand =
  /** Adds a proxy to `port` to the route. A route has one for each server of a cluster. */
  | { readonly kind: "route"; readonly id: number; readonly route: string; readonly port: number }
  | { readonly kind: "shape"; readonly route: string; readonly shape: Shape };

export interface ProxyAnswer {
  readonly id: number;
  readonly port: number;
}

const random = seededRandom(Number(process.argv[2] ?? 1));
const routes = new Map<string, Proxy[]>();

async function execute(command: ProxyCommand): Promise<void> {
  if (command.kind === "shape") {
    for (const proxy of routes.get(command.route) ?? []) proxy.shape = command.shape;
    return;
  }
  const { route, port, id } = command;
  const share = (): number => random.next32() / 0x1_0000_0000;
  const proxy = new Proxy({ host: "127.0.0.1", port }, share);
  routes.set(route, [...(routes.get(route) ?? []), proxy]);
  const answer: ProxyAnswer = { id, port: await proxy.listen() };
  process.send?.(answer);
}

process.on("message", (command: ProxyCommand) => {
  execute(command).catch((error: unknown) => {
    console.error("the proxies failed", error);
    // The parent sees the exit, and the run fails instead of waiting for an answer.
    process.exit(1);
  });
});
// A process without its parent has no task, and its proxies would keep it running.
process.on("disconnect", () => process.exit(0));
