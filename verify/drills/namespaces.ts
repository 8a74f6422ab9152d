// Namespaces: network namespaces joined by a bridge, one for each server, for faults of the
// network.
//
// Owns: the namespaces, the bridge, the rules that drop packets between them. Does not own: the
// programs in them. This machine reaches every namespace through the bridge. Each has its own
// loopback.
//
//   namespaces.1. Namespaces and bridge are removed when the process exits, also after an error or
//        a signal. After SIGKILL the next run removes them.
//   namespaces.2. A cut drops packets in one direction and leaves connections open: the network
//        fails, not the host.

import { execFileSync } from "node:child_process";

const PREFIX = "plyns";

export interface Namespace {
  readonly name: string;
  readonly host: string;
  /** The words that run a command in the namespace. The command replaces `ip`. */
  readonly runner: readonly string[];
}

export type NamespacesOpening =
  | { readonly kind: "ok"; readonly namespaces: Namespaces }
  /** Not root, no `ip` or `iptables`, or a kernel without namespaces. */
  | { readonly kind: "unavailable"; readonly reason: string };

export class Namespaces implements Disposable {
  readonly all: readonly Namespace[];
  readonly #bridge = `${PREFIX}br`;
  readonly #onExit = (): void => this[Symbol.dispose]();
  // A signal alone would end the process without the event `exit`, which removes the namespaces.
  readonly #onSignal = (): void => process.exit(1);

  static open(count: number): NamespacesOpening {
    if (process.getuid?.() !== 0) return { kind: "unavailable", reason: "it needs root" };
    const namespaces = new Namespaces(count);
    try {
      namespaces.#make();
      return { kind: "ok", namespaces };
    } catch (error: unknown) {
      namespaces[Symbol.dispose]();
      const [reason = ""] = String(error instanceof Error ? error.message : error).split("\n");
      return { kind: "unavailable", reason };
    }
  }

  private constructor(count: number) {
    this.all = Array.from({ length: count }, (_, index) => {
      const name = `${PREFIX}${index + 1}`;
      const runner = ["ip", "netns", "exec", name];
      return { name, host: `10.177.177.${index + 11}`, runner };
    });
  }

  /** Drops the packets of one direction only (namespaces.2). */
  cut(from: Namespace, to: Namespace): void {
    run(...from.runner, "iptables", "-A", "OUTPUT", "-d", to.host, "-j", "DROP");
  }

  /** Drops all packets between the namespace and all others, this machine included. */
  isolate(one: Namespace): void {
    for (const chain of ["INPUT", "OUTPUT"]) {
      const device = chain === "INPUT" ? "-i" : "-o";
      run(...one.runner, "iptables", "-A", chain, "!", device, "lo", "-j", "DROP");
    }
  }

  heal(): void {
    for (const { runner } of this.all) run(...runner, "iptables", "-F");
  }

  [Symbol.dispose](): void {
    process.off("exit", this.#onExit);
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, this.#onSignal);
    this.#remove();
  }

  #make(): void {
    this.#remove(); // namespaces.1: from a killed run.
    process.on("exit", this.#onExit);
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, this.#onSignal);
    run("ip", "link", "add", this.#bridge, "type", "bridge");
    run("ip", "addr", "add", "10.177.177.1/24", "dev", this.#bridge);
    run("ip", "link", "set", this.#bridge, "up");
    for (const { name, host, runner } of this.all) {
      run("ip", "netns", "add", name);
      run("ip", "link", "add", `${name}h`, "type", "veth", "peer", "name", "eth0", "netns", name);
      run("ip", "link", "set", `${name}h`, "master", this.#bridge, "up");
      run(...runner, "ip", "addr", "add", `${host}/24`, "dev", "eth0");
      for (const device of ["lo", "eth0"]) run(...runner, "ip", "link", "set", device, "up");
      run(...runner, "iptables", "-F");
    }
  }

  #remove(): void {
    for (const { name } of this.all) {
      attempt("ip", "link", "del", `${name}h`);
      attempt("ip", "netns", "del", name);
    }
    attempt("ip", "link", "del", this.#bridge);
  }
}

function run(command: string, ...words: string[]): void;
function run(...words: string[]): void;
function run(...[command = "", ...words]: string[]): void {
  execFileSync(command, words, { stdio: ["ignore", "ignore", "pipe"] });
}

/** Runs a removal. The thing to remove may not exist. */
function attempt(command: string, ...words: string[]): void {
  try {
    execFileSync(command, words, { stdio: "ignore" });
  } catch {
    // It does not exist.
  }
}
