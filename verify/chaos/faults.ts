// Faults: how each row of the plan is done to a running cluster, and undone.
//
//   chaos/faults.1. What is hit is named before it is hit, so that the record stands in front of the act.
//   chaos/faults.2. A heal resolves when nothing holds the cluster back any more: a killed process runs again.

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "#shared/testing/wait.ts";
import { TALKING_MS } from "../checker/faults.ts";
import type { FaultScope } from "../checker/record.ts";
import type { Step } from "./plan.ts";
import type { World } from "./chaos-cluster.ts";

export interface Fault {
  readonly target: string;
  readonly scope: FaultScope;
  strike(): Promise<void>;
  heal(): Promise<void>;
}

const ALL: FaultScope = { kind: "all" };
const RUNS_AGAIN_MS = 60_000;
const THREE_HOURS = 3;
const FULL_SPARE_BYTES = 4_096;
const SLEEPERS_WITHIN_MS = 60_000;
const DEMOTED_WITHIN_MS = 30_000;

type Aim = (world: World, pick: number) => Promise<Fault> | Fault;

/** By the name of the row; `pick` chooses among targets. */
const AIMS: Readonly<Record<string, Aim>> = {
  F1: (world, pick) => {
    const gateway = one(world.names("gateway"), pick);
    return killing(world, gateway, { kind: "via", gateway });
  },
  F2: (world, pick) => {
    const node = owner(world, pick);
    return killing(world, node, world.roomsOf(node));
  },
  F3: (world, pick) => {
    const node = owner(world, pick);
    return pausing(world, node, world.roomsOf(node));
  },
  "F4-kill": (world, pick) => killing(world, one(world.names("persistence"), pick), ALL),
  "F4-stop": (world, pick) => pausing(world, one(world.names("persistence"), pick), ALL),
  F5: async (world) => killing(world, await world.leader(), ALL),
  F6: async (world) => pausing(world, await world.leader(), ALL),
  F7: (world) => killingAll(world, world.names("nats")),
  F9: (world, pick) => {
    const node = owner(world, pick);
    return shaping(world, node, world.roomsOf(node), [[`${node}>nats`, { kind: "cut" }]]);
  },
  F10: filling,
  "F12-kill": (world) => killing(world, "postgres", ALL),
  "F12-stop": stoppingPostgres,
  "F12-slow": (world) => {
    const slow = { kind: "slow", delayMs: 500, jitterMs: 0, lossPercent: 0 } as const;
    const routes = world.names("persistence").map((name) => [`${name}>postgres`, slow] as const);
    return shaping(world, "postgres", ALL, routes);
  },
  "F15-5": (world) => losing(world, 5),
  "F15-20": (world) => losing(world, 20),
  F16: (world, pick) => {
    const hours = pick % 2 === 0 ? THREE_HOURS : -THREE_HOURS;
    return fakingTime(world, one(world.names("room"), pick), hours);
  },
  F18: sleeping,
  F22: rolling,
  "F25-still": stallingLogs,
  "F25-gone": losingLogs,
};

export async function aim(world: World, { row, pick }: Step): Promise<Fault> {
  const found = AIMS[row.name];
  if (found === undefined) throw new Error(`nobody knows how to do ${row.name}`);
  return found(world, pick);
}

function one(names: readonly string[], pick: number): string {
  return names[pick % names.length] ?? "";
}

/** A node that serves rooms: one that has just come back may have none, and nobody would miss it. */
function owner(world: World, pick: number): string {
  const nodes = world.names("room");
  const serving = nodes.filter((node) => world.roomsOf(node).rooms.length > 0);
  return one(serving.length > 0 ? serving : nodes, pick);
}

function losing(world: World, lossPercent: number): Fault {
  const bad = { kind: "slow", delayMs: 100, jitterMs: 50, lossPercent } as const;
  const services = [...world.names("room"), ...world.names("gateway")];
  const routes = services.map((name) => [`${name}>nats`, bad] as const);
  return shaping(world, "nats", ALL, routes);
}

function sleeping(world: World): Fault {
  const { load, sleepers } = world;
  const demoted = world.gatewayCounters.slowDemoted;
  return {
    target: `${sleepers} readers`,
    scope: ALL,
    strike: () => load.sleep(sleepers),
    heal: async () => {
      // The kernel takes megabytes for a socket that nobody reads; until they are full nobody is slow.
      // If it takes too long, the run goes on, and says that it never happened.
      const isSlow = (): boolean => world.gatewayCounters.slowDemoted > demoted;
      await until(isSlow, { withinMs: DEMOTED_WITHIN_MS, what: "a slow reader" }).catch(() => {});
      load.wake();
      await until(() => load.state.asleep === 0, {
        withinMs: SLEEPERS_WITHIN_MS,
        what: "the sleepers to have read everything",
      });
      // The room of the flood is not talked in any more: the next fault must not wait for it (I13).
      await sleep(TALKING_MS);
    },
  };
}

function killing({ cluster }: World, target: string, scope: FaultScope): Fault {
  return {
    target,
    scope,
    strike: () => cluster.kill(target),
    heal: () => runsAgain(() => cluster.pid(target) !== undefined, target),
  };
}

function pausing({ cluster }: World, target: string, scope: FaultScope): Fault {
  return {
    target,
    scope,
    strike: () => Promise.resolve(cluster.pause(target)),
    heal: () => Promise.resolve(cluster.resume(target)),
  };
}

/** The postmaster's pid alone would stop nothing: its backends are processes of their own. */
function stoppingPostgres({ cluster }: World): Fault {
  let stopped: readonly number[] = [];
  return {
    target: "postgres",
    scope: ALL,
    strike: () => {
      cluster.pause("postgres"); // First, so that no further backend begins.
      stopped = childrenOf(cluster.pid("postgres"));
      for (const pid of stopped) signalIfThere(pid, "SIGSTOP");
      return Promise.resolve();
    },
    heal: () => {
      for (const pid of stopped) signalIfThere(pid, "SIGCONT");
      return Promise.resolve(cluster.resume("postgres"));
    },
  };
}

function childrenOf(pid: number | undefined): number[] {
  if (pid === undefined) return [];
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text
    .split(" ")
    .filter((word) => word !== "")
    .map(Number);
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // A backend that ended by itself meanwhile.
  }
}

function killingAll({ cluster }: World, names: readonly string[]): Fault {
  return {
    target: names.join(" "),
    scope: ALL,
    strike: async () => {
      await Promise.all(names.map((name) => cluster.kill(name)));
    },
    heal: () => runsAgain(() => names.every((name) => cluster.pid(name) !== undefined), "NATS"),
  };
}

function shaping(
  world: World,
  target: string,
  scope: FaultScope,
  routes: readonly (readonly [route: string, shape: Parameters<World["network"]["shape"]>[1]])[],
): Fault {
  return {
    target,
    scope,
    strike: () => {
      for (const [route, shape] of routes) world.network.shape(route, shape);
      return Promise.resolve();
    },
    heal: () => {
      for (const [route] of routes) world.network.shape(route, { kind: "open" });
      return Promise.resolve();
    },
  };
}

/** The bound of every partition's log is moved to what it holds. */
function filling(world: World): Fault {
  return {
    target: "the log",
    scope: ALL,
    strike: () => world.boundLogs((held) => held + FULL_SPARE_BYTES),
    heal: () => world.boundLogs(() => world.logBytesMax),
  };
}

/** The node is restarted in good order with another clock, and at the heal once more with ours. */
function fakingTime(world: World, target: string, hours: number): Fault {
  const { cluster } = world;
  return {
    target: `${target} ${hours > 0 ? "+" : ""}${hours} h`,
    scope: ALL,
    strike: async () => {
      cluster.dress(target, world.fakeClock(hours));
      await restart(world, target);
    },
    heal: async () => {
      cluster.dress(target, {});
      await restart(world, target);
    },
  };
}

function rolling(world: World): Fault {
  const names = servicesOf(world);
  return {
    target: "all services",
    scope: ALL,
    strike: async () => {
      for (const name of names) await restart(world, name);
    },
    heal: () => Promise.resolve(),
  };
}

function stallingLogs(world: World): Fault {
  const { cluster } = world;
  const services = servicesOf(world);
  return {
    target: "log readers",
    scope: ALL,
    strike: async () => {
      for (const name of services) cluster.logsOf(name)?.pause();
      await world.makeNoise();
    },
    heal: () => {
      for (const name of services) cluster.logsOf(name)?.resume();
      return Promise.resolve();
    },
  };
}

/** The heal restarts them in good order: that they end although nothing reads their last lines is the test. */
function losingLogs(world: World): Fault {
  const { cluster } = world;
  const services = servicesOf(world);
  return {
    target: "log readers",
    scope: ALL,
    strike: async () => {
      for (const name of services) cluster.logsOf(name)?.end();
      await world.makeNoise();
    },
    heal: async () => {
      for (const name of services) await restart(world, name);
    },
  };
}

function servicesOf(world: World): string[] {
  return ["persistence", "room", "gateway"].flatMap((role) => world.names(role));
}

async function restart({ cluster }: World, name: string): Promise<void> {
  await cluster.terminate(name);
  await runsAgain(() => cluster.pid(name) !== undefined, name);
}

function runsAgain(runs: () => boolean, what: string): Promise<void> {
  return until(runs, { withinMs: RUNS_AGAIN_MS, what: `${what} to run again` });
}
