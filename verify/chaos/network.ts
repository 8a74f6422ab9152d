// Network: the routes between services and servers, seen from the run that spoils them.
//
// Services are given the proxies' addresses in place of the servers'. Without a fault that needs it,
// there is no proxy at all and nothing to slow the run down.

import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ProxyAnswer, ProxyOrder } from "./proxies.ts";
import type { Shape } from "./proxy.ts";

const PROXIES = fileURLToPath(new URL("proxies.ts", import.meta.url));

export class Network {
  readonly #child: ChildProcess | undefined;
  readonly #answers = new Map<number, (port: number) => void>();
  #asked = 0;

  constructor(options: { readonly isNeeded: boolean; readonly seed: number }) {
    if (!options.isNeeded) return;
    this.#child = fork(PROXIES, [String(options.seed)], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#child.on("message", ({ ask, port }: ProxyAnswer) => {
      this.#answers.get(ask)?.(port);
      this.#answers.delete(ask);
    });
  }

  /** The URLs (separated by commas) by which `service` reaches what stands at `urls`. */
  async through(service: string, server: "nats" | "postgres", urls: string): Promise<string> {
    if (this.#child === undefined) return urls;
    const through: string[] = [];
    for (const text of urls.split(",")) {
      const url = new URL(text);
      url.port = String(await this.#route(`${service}>${server}`, Number(url.port)));
      through.push(url.href.replace(/\/$/, ""));
    }
    return through.join(",");
  }

  shape(route: string, shape: Shape): void {
    this.#order({ kind: "shape", route, shape });
  }

  async close(): Promise<void> {
    if (this.#child === undefined || !this.#child.connected) return;
    const gone = once(this.#child, "exit");
    this.#child.disconnect();
    await gone;
  }

  #route(route: string, port: number): Promise<number> {
    const ask = ++this.#asked;
    return new Promise((resolve) => {
      this.#answers.set(ask, resolve);
      this.#order({ kind: "route", ask, route, port });
    });
  }

  #order(order: ProxyOrder): void {
    this.#child?.send(order);
  }
}
