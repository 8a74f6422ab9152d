// Faults: how a chaos run injects each row of its plan into a running cluster, and ends it.
//
//   chaos/faults.1. A fault names its target before it strikes, so that the run records it first.
//   chaos/faults.2. A heal resolves when the cluster is whole again: a killed process runs again.

import { setTimeout as sleep } from "node:timers/promises";
import { childrenOf, signalIfThere } from "#shared/testing/process-tree.ts";
import { until } from "#shared/testing/wait.ts";
import { ACTIVE_MS } from "../checker/faults.ts";
import type { FaultScope } from "../checker/record.ts";
import { SplitError } from "#client/cli/partitions.ts";
import type { Step } from "./plan.ts";
import type { ChaosCluster } from "./chaos-cluster.ts";

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
const READ_WITHIN_MS = 60_000;
const DEMOTED_WITHIN_MS = 30_000;

type Aim = (chaos: ChaosCluster, pick: number) => Promise<Fault> | Fault;

/** By the name of the row. `pick` chooses among the possible targets. */
const AIMS: Readonly<Record<string, Aim>> = {
  F1: (chaos, pick) => {
    const gateway = one(chaos.names("gateway"), pick);
    return killing(chaos, gateway, { kind: "via", gateway });
  },
  F2: (chaos, pick) => {
    const node = owner(chaos, pick);
    return killing(chaos, node, chaos.roomsOf(node));
  },
  F3: (chaos, pick) => {
    const node = owner(chaos, pick);
    return pausing(chaos, node, chaos.roomsOf(node));
  },
  "F4-kill": (chaos, pick) => killing(chaos, one(chaos.names("persistence"), pick), ALL),
  "F4-stop": (chaos, pick) => pausing(chaos, one(chaos.names("persistence"), pick), ALL),
  F5: async (chaos) => killing(chaos, await chaos.leader(), ALL),
  F6: async (chaos) => pausing(chaos, await chaos.leader(), ALL),
  F7: (chaos) => killingAll(chaos, chaos.names("nats")),
  F9: (chaos, pick) => {
    const node = owner(chaos, pick);
    return shaping(chaos, node, chaos.roomsOf(node), [[`${node}>nats`, { kind: "cut" }]]);
  },
  F10: filling,
  "F12-kill": (chaos) => killing(chaos, "postgres", ALL),
  "F12-stop": stoppingPostgres,
  "F12-slow": (chaos) => {
    const slow = { kind: "slow", delayMs: 500, jitterMs: 0, lossPercent: 0 } as const;
    const routes = chaos.names("persistence").map((name) => [`${name}>postgres`, slow] as const);
    return shaping(chaos, "postgres", ALL, routes);
  },
  "F15-5": (chaos) => losing(chaos, 5),
  "F15-20": (chaos) => losing(chaos, 20),
  F16: (chaos, pick) => {
    const hours = pick % 2 === 0 ? THREE_HOURS : -THREE_HOURS;
    return fakingTime(chaos, one(chaos.names("room"), pick), hours);
  },
  F18: pausingReaders,
  F22: restartingInTurn,
  F26: splitting,
  F27: (chaos, pick) => killing(chaos, one(chaos.names("webhooks"), pick), ALL),
  F28: closingReceiver,
  "F25-still": stallingLogs,
  "F25-gone": losingLogs,
};

export async function aim(chaos: ChaosCluster, { row, pick }: Step): Promise<Fault> {
  const found = AIMS[row.name];
  if (found === undefined) throw new Error(`no code for the fault ${row.name}; add it to AIMS`);
  return found(chaos, pick);
}

function one(names: readonly string[], pick: number): string {
  return names[pick % names.length] ?? "";
}

/**
 * A node that serves rooms: a node that just restarted may own none, and its loss has no effect.
 */
function owner(chaos: ChaosCluster, pick: number): string {
  const nodes = chaos.names("room");
  const serving = nodes.filter((node) => chaos.roomsOf(node).rooms.length > 0);
  return one(serving.length > 0 ? serving : nodes, pick);
}

function losing(chaos: ChaosCluster, lossPercent: number): Fault {
  const lossy = { kind: "slow", delayMs: 100, jitterMs: 50, lossPercent } as const;
  const services = [...chaos.names("room"), ...chaos.names("gateway")];
  const routes = services.map((name) => [`${name}>nats`, lossy] as const);
  return shaping(chaos, "nats", ALL, routes);
}

function pausingReaders(chaos: ChaosCluster): Fault {
  const { load, sleepers: count } = chaos;
  const demoted = chaos.gatewayCounters.slowDemoted;
  return {
    target: `${count} readers`,
    scope: ALL,
    strike: () => load.pauseReaders(count),
    heal: async () => {
      // The kernel buffers megabytes for a paused socket. Until the buffers are full, no reader is
      // slow. After DEMOTED_WITHIN_MS the run continues and reports that no reader was slow.
      const isSlow = (): boolean => chaos.gatewayCounters.slowDemoted > demoted;
      await until(isSlow, { withinMs: DEMOTED_WITHIN_MS, what: "a slow reader" }).catch(() => {});
      load.resumeReaders();
      await until(() => load.state.behind === 0, {
        withinMs: READ_WITHIN_MS,
        what: "the paused readers to have read everything",
      });
      // The flooded room gets no more sends: the next fault must not wait for it (I13).
      await sleep(ACTIVE_MS);
    },
  };
}

function killing({ cluster }: ChaosCluster, target: string, scope: FaultScope): Fault {
  return {
    target,
    scope,
    strike: () => cluster.kill(target),
    heal: () => runsAgain(() => cluster.pid(target) !== undefined, target),
  };
}

function pausing({ cluster }: ChaosCluster, target: string, scope: FaultScope): Fault {
  return {
    target,
    scope,
    strike: () => Promise.resolve(cluster.pause(target)),
    heal: () => Promise.resolve(cluster.resume(target)),
  };
}

/** Stops the postmaster and its backends, which are processes of their own. */
function stoppingPostgres({ cluster }: ChaosCluster): Fault {
  let stopped: readonly number[] = [];
  return {
    target: "postgres",
    scope: ALL,
    strike: () => {
      cluster.pause("postgres"); // First, so that no new backend starts.
      stopped = childrenOf(cluster.pid("postgres") ?? 0);
      for (const pid of stopped) signalIfThere(pid, "SIGSTOP");
      return Promise.resolve();
    },
    heal: () => {
      for (const pid of stopped) signalIfThere(pid, "SIGCONT");
      return Promise.resolve(cluster.resume("postgres"));
    },
  };
}

function killingAll({ cluster }: ChaosCluster, names: readonly string[]): Fault {
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
  chaos: ChaosCluster,
  target: string,
  scope: FaultScope,
  routes: readonly (readonly [
    route: string,
    shape: Parameters<ChaosCluster["network"]["shape"]>[1],
  ])[],
): Fault {
  return {
    target,
    scope,
    strike: () => {
      for (const [route, shape] of routes) chaos.network.shape(route, shape);
      return Promise.resolve();
    },
    heal: () => {
      for (const [route] of routes) chaos.network.shape(route, { kind: "open" });
      return Promise.resolve();
    },
  };
}

/** Sets the bound of every partition log to its current size. */
function filling(chaos: ChaosCluster): Fault {
  return {
    target: "the log",
    scope: ALL,
    strike: () => chaos.boundLogs((held) => held + FULL_SPARE_BYTES),
    heal: () => chaos.boundLogs(() => chaos.logBytesMax),
  };
}

/** Restarts the node with a wrong clock, and at the heal again with the right one. */
function fakingTime(chaos: ChaosCluster, target: string, hours: number): Fault {
  const { cluster } = chaos;
  return {
    target: `${target} ${hours > 0 ? "+" : ""}${hours} h`,
    scope: ALL,
    strike: async () => {
      cluster.setEnv(target, chaos.fakeClock(hours));
      await restart(chaos, target);
    },
    heal: async () => {
      cluster.setEnv(target, {});
      await restart(chaos, target);
    },
  };
}

function restartingInTurn(chaos: ChaosCluster): Fault {
  const names = servicesOf(chaos);
  return {
    target: "all services",
    scope: ALL,
    strike: async () => {
      for (const name of names) await restart(chaos, name);
    },
    heal: () => Promise.resolve(),
  };
}

/** In a run with too many partitions, or with an older version, the command refuses: no fault. */
function splitting(chaos: ChaosCluster): Fault {
  return {
    target: "all partitions",
    scope: ALL,
    strike: async () => {
      try {
        await chaos.split();
      } catch (error: unknown) {
        if (!(error instanceof SplitError)) throw error;
      }
    },
    heal: () => Promise.resolve(),
  };
}

function closingReceiver(chaos: ChaosCluster): Fault {
  const { hooks } = chaos;
  return {
    target: "the receiver",
    scope: ALL,
    strike: () => hooks?.close() ?? Promise.resolve(),
    heal: () => hooks?.open() ?? Promise.resolve(),
  };
}

function stallingLogs(chaos: ChaosCluster): Fault {
  const { cluster } = chaos;
  const services = servicesOf(chaos);
  return {
    target: "log readers",
    scope: ALL,
    strike: async () => {
      for (const name of services) cluster.logsOf(name)?.pause();
      await chaos.makeNoise();
    },
    heal: () => {
      for (const name of services) cluster.logsOf(name)?.resume();
      return Promise.resolve();
    },
  };
}

/**
 * The heal stops each service by SIGTERM: it must exit although no process reads its last lines.
 */
function losingLogs(chaos: ChaosCluster): Fault {
  const { cluster } = chaos;
  const services = servicesOf(chaos);
  return {
    target: "log readers",
    scope: ALL,
    strike: async () => {
      for (const name of services) cluster.logsOf(name)?.end();
      await chaos.makeNoise();
    },
    heal: async () => {
      for (const name of services) await restart(chaos, name);
    },
  };
}

function servicesOf(chaos: ChaosCluster): string[] {
  return ["persistence", "room", "gateway"].flatMap((role) => chaos.names(role));
}

async function restart({ cluster }: ChaosCluster, name: string): Promise<void> {
  await cluster.terminate(name);
  await runsAgain(() => cluster.pid(name) !== undefined, name);
}

function runsAgain(runs: () => boolean, what: string): Promise<void> {
  return until(runs, { withinMs: RUNS_AGAIN_MS, what: `${what} to run again` });
}
