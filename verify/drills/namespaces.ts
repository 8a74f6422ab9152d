// Namespaces: network namespaces joined by a bridge, one for each of some servers, for faults of a
// network.
//
// Owns: the namespaces, the bridge, the packets that are dropped between them. Does not own: what
// runs in them. This machine reaches every namespace through the bridge; the loopback of each is
// its own.
//
//   namespaces.1. All of it is gone when the process ends, also by an error or a signal (SIGKILL
//        apart; a later run removes what that left).
//   namespaces.2. A cut drops packets in one direction, and leaves connections open: as a network
//        fails, not a host.

import { execFileSync } from "node:child_process";

const PREFIX = "plyns";

export interface Namespace {
  readonly name: string;
  readonly host: string;
  /** What runs a command within it; the command takes the place of `ip`. */
  readonly runner: readonly string[];
}

export type NamespacesOpening =
  | { readonly kind: "ok"; readonly namespaces: Namespaces }
  /** Not root, no `ip` or `iptables`, or a kernel that has none. */
  | { readonly kind: "unavailable"; readonly reason: string };

export class Namespaces implements Disposable {
  readonly all: readonly Namespace[];
  readonly #bridge = `${PREFIX}br`;
  readonly #onExit = (): void => this[Symbol.dispose]();
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

  /**
   * Packets from one to the other are dropped, those of the other direction are not (namespaces.2).
   */
  cut(from: Namespace, to: Namespace): void {
    run(...from.runner, "iptables", "-A", "OUTPUT", "-d", to.host, "-j", "DROP");
  }

  /** All packets between one and everything else, this machine included. */
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
    this.#remove(); // namespaces.1: what a killed run left.
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

/** For what may not be there. */
function attempt(command: string, ...words: string[]): void {
  try {
    execFileSync(command, words, { stdio: "ignore" });
  } catch {
    // It was not there, which is what was wanted.
  }
}
