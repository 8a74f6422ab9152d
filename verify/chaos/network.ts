// Network: the routes between services and servers, as the run commands them.
//
// Services get the addresses of the proxies instead of those of the servers. Without a fault that
// needs them, there are no proxies and no delay.

import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ProxyAnswer, ProxyCommand } from "./proxies.ts";
import type { Shape } from "./proxy.ts";

const PROXIES = fileURLToPath(new URL("proxies.ts", import.meta.url));

export class Network {
  readonly #child: ChildProcess | undefined;
  readonly #answers = new Map<number, (port: number) => void>();
  #routes = 0;

  constructor(options: { readonly isNeeded: boolean; readonly seed: number }) {
    if (!options.isNeeded) return;
    this.#child = fork(PROXIES, [String(options.seed)], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#child.on("message", ({ id, port }: ProxyAnswer) => {
      this.#answers.get(id)?.(port);
      this.#answers.delete(id);
    });
  }

  /** Returns the URLs, separated by commas, by which `service` reaches the servers at `urls`. */
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
    this.#command({ kind: "shape", route, shape });
  }

  async close(): Promise<void> {
    if (this.#child === undefined || !this.#child.connected) return;
    const exited = once(this.#child, "exit");
    this.#child.disconnect();
    await exited;
  }

  #route(route: string, port: number): Promise<number> {
    const id = ++this.#routes;
    return new Promise((resolve) => {
      this.#answers.set(id, resolve);
      this.#command({ kind: "route", id, route, port });
    });
  }

  #command(command: ProxyCommand): void {
    this.#child?.send(command);
  }
}
