// RegionNetwork: two regions, a witness and the clients as network namespaces, joined by cables.
//
// Every namespace has one address of its own. A packet to the address of another namespace crosses
// the cable between the two, if there is one: the relay delays it, or drops it while the cable is
// cut. This machine reaches every namespace directly, without a delay, also while cables are cut:
// the drill starts and stops programs, and reads what they stored.
//
//   region-network.1. Namespaces, bridge and relay are removed when the process exits, also after
//        an error or a signal. After SIGKILL the next run removes them.
//   region-network.2. A cut drops packets and leaves connections open: the network fails, not the
//        host.
//   region-network.3. One network exists on a machine at a time: names and addresses are fixed.

import { execFileSync, fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { fileURLToPath } from "node:url";
import type { Cable } from "./relay.ts";
import type { RelayAnswer, RelayCommand } from "./relay-process.ts";

export const REGIONS = ["east", "west"] as const;
export type RegionName = (typeof REGIONS)[number];
export type PlaceName = RegionName | "witness" | "clients";

/**
 * Which packets a cut drops. `both`: all of the region. `out`: those that it sends. `in`: those to
 * it. `peers`: those to and from the other region and the witness; clients still reach the region.
 */
export const CUTS = ["both", "out", "in", "peers"] as const;
export type Cut = (typeof CUTS)[number];

export interface Place {
  readonly name: PlaceName;
  /** The address of all programs in it. */
  readonly host: string;
  /** The words that run a command in it. The command replaces them. */
  readonly runner: readonly string[];
}

export type RegionNetworkOpening =
  | { readonly kind: "ok"; readonly network: RegionNetwork }
  /** Not root, no `ip` or `iptables`, or a kernel without VXLAN. */
  | { readonly kind: "unavailable"; readonly reason: string };

/** All addresses of programs are in it. */
export const REGION_NETWORK = "10.179.0.0/16";

const PREFIX = "drill";
const LOCK = "\0parley-region-network";
const PLACES: readonly PlaceName[] = ["east", "west", "witness", "clients"];
const CABLES: readonly (readonly [PlaceName, PlaceName])[] = [
  ["east", "west"],
  ["east", "witness"],
  ["west", "witness"],
  ["clients", "east"],
  ["clients", "west"],
];
const RELAY_HOST = "10.179.0.1";
const RELAY_PORT = 4_790;
/** A packet and its VXLAN header fit into 1,500 bytes. */
const MTU = "1400";
const RELAY = fileURLToPath(new URL("relay-process.ts", import.meta.url));

interface PlacedCable extends Cable {
  readonly between: readonly [PlaceName, PlaceName];
}

export class RegionNetwork implements Disposable {
  readonly #lock: Server;
  readonly #bridge = `${PREFIX}br`;
  readonly #cables: readonly PlacedCable[];
  #cuts: RelayCommand["cuts"][number][] = [];
  readonly #answers = new Map<number, () => void>();
  readonly #onExit = (): void => this[Symbol.dispose]();
  // A signal alone would end the process without the event `exit`, which removes the network.
  readonly #onSignal = (): void => process.exit(1);
  #commands = 0;
  #relay: ChildProcess | undefined;

  /** `rttMs`: of the cables between regions and witness. Clients are near both regions. */
  static async open(rttMs: number): Promise<RegionNetworkOpening> {
    if (process.getuid?.() !== 0) return { kind: "unavailable", reason: "it needs root" };
    const lock = await takeLock();
    if (lock === undefined) {
      return { kind: "unavailable", reason: "another region drill runs on this machine" };
    }
    const network = new RegionNetwork(rttMs, lock);
    try {
      network.#make();
      await network.#startRelay();
      return { kind: "ok", network };
    } catch (error: unknown) {
      network[Symbol.dispose]();
      const [reason = ""] = String(error instanceof Error ? error.message : error).split("\n");
      return { kind: "unavailable", reason };
    }
  }

  private constructor(rttMs: number, lock: Server) {
    this.#lock = lock;
    this.#cables = CABLES.map((between, index) => ({
      id: index + 1,
      between,
      ends: [outerOf(between[0]), outerOf(between[1])],
      delayMs: between.includes("clients") ? 0 : rttMs / 2,
    }));
  }

  place(name: PlaceName): Place {
    return { name, host: hostOf(name), runner: ["ip", "netns", "exec", namespaceOf(name)] };
  }

  /** Drops the packets on all cables of a place (region-network.2). */
  cut(name: PlaceName, which: Cut): Promise<void> {
    for (const { between, id } of this.#cables) {
      if (!between.includes(name) || (which === "peers" && between.includes("clients"))) continue;
      for (const from of between) {
        if (which === "out" && from !== name) continue;
        if (which === "in" && from === name) continue;
        this.#cuts.push({ id, from: outerOf(from) });
      }
    }
    return this.#command();
  }

  heal(): Promise<void> {
    this.#cuts = [];
    return this.#command();
  }

  [Symbol.dispose](): void {
    process.off("exit", this.#onExit);
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, this.#onSignal);
    this.#relay?.kill("SIGKILL");
    this.#remove();
    this.#lock.close();
  }

  #make(): void {
    this.#remove(); // region-network.1: from a killed run.
    process.on("exit", this.#onExit);
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, this.#onSignal);
    run("ip", "link", "add", this.#bridge, "type", "bridge");
    run("ip", "addr", "add", `${RELAY_HOST}/24`, "dev", this.#bridge);
    run("ip", "link", "set", this.#bridge, "up");
    for (const name of PLACES) this.#makePlace(name);
    for (const cable of this.#cables) {
      const [one, other] = cable.between;
      makeEnd(cable.id, one, other);
      makeEnd(cable.id, other, one);
    }
  }

  #makePlace(name: PlaceName): void {
    const [space, outer, host] = [namespaceOf(name), outerOf(name), hostOf(name)];
    run("ip", "netns", "add", space);
    run("ip", "link", "add", vethOf(name), "type", "veth", "peer", "name", "eth0", "netns", space);
    run("ip", "link", "set", vethOf(name), "master", this.#bridge, "up");
    run("ip", "-n", space, "addr", "add", `${outer}/24`, "dev", "eth0");
    run("ip", "-n", space, "addr", "add", `${host}/32`, "dev", "lo");
    for (const device of ["lo", "eth0"]) run("ip", "-n", space, "link", "set", device, "up");
    run("ip", "route", "add", `${host}/32`, "via", outer);
  }

  #remove(): void {
    for (const name of PLACES) {
      attempt("ip", "link", "del", vethOf(name));
      attempt("ip", "netns", "del", namespaceOf(name));
    }
    attempt("ip", "link", "del", this.#bridge);
  }

  async #startRelay(): Promise<void> {
    const relay = fork(RELAY, [RELAY_HOST, String(RELAY_PORT), JSON.stringify(this.#cables)], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      detached: true, // Ctrl-C reaches only the drill, which ends it.
    });
    this.#relay = relay;
    const exited = once(relay, "exit").then(([code]) => {
      throw new Error(`the relay ended with code ${String(code)}`);
    });
    exited.catch(() => undefined); // After the start, its exit is the drill's own.
    const ready = new Promise<void>((resolve) => this.#answers.set(0, resolve));
    relay.on("message", ({ n }: RelayAnswer) => {
      this.#answers.get(n)?.();
      this.#answers.delete(n);
    });
    await Promise.race([ready, exited]);
  }

  #command(): Promise<void> {
    const n = ++this.#commands;
    const command: RelayCommand = { n, cuts: this.#cuts };
    return new Promise((resolve) => {
      this.#answers.set(n, resolve);
      this.#relay?.send(command);
    });
  }
}

/** A socket without a file: it is free again when the process has ended (region-network.3). */
async function takeLock(): Promise<Server | undefined> {
  const server = createServer();
  try {
    await once(server.listen(LOCK), "listening");
    return server.unref();
  } catch {
    return undefined;
  }
}

/** The end of a cable in `at`, and the route through it. */
function makeEnd(id: number, at: PlaceName, to: PlaceName): void {
  const [space, device] = [namespaceOf(at), `to-${to}`];
  const vxlan = ["type", "vxlan", "id", String(id), "remote", RELAY_HOST];
  const port = ["dstport", String(RELAY_PORT), "nolearning"];
  run("ip", "-n", space, "link", "add", device, ...vxlan, ...port);
  // Whole packets with their checksums: the relay is no network device that could complete them.
  run("ip", "-n", space, "link", "set", device, "mtu", MTU, "gso_max_segs", "1", "up");
  const fill = ["-o", device, "-j", "CHECKSUM", "--checksum-fill"];
  run("ip", "netns", "exec", space, "iptables", "-t", "mangle", "-A", "POSTROUTING", ...fill);
  const route = [`${hostOf(to)}/32`, "dev", device, "src", hostOf(at)];
  run("ip", "-n", space, "route", "add", ...route);
}

function namespaceOf(name: PlaceName): string {
  return `${PREFIX}-${name}`;
}

function vethOf(name: PlaceName): string {
  return `${PREFIX}h-${name}`;
}

/** Its address for this machine and the relay. */
function outerOf(name: PlaceName): string {
  return `10.179.0.${PLACES.indexOf(name) + 11}`;
}

function hostOf(name: PlaceName): string {
  return `10.179.1.${PLACES.indexOf(name) + 11}`;
}

function run(command: string, ...words: string[]): void {
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
