// Contracts: the simulated bus, log and database pass the contract suites of the real adapters,
// without injected faults.
//
// The suites run on virtual time (virtual-time.ts). Every clause runs. LIMITS names the clauses of
// which the simulation tests only a part, each with its reason.

import { expect } from "chai";
import type { Suite } from "mocha";
import { archiveContract } from "#shared/testing/archive.contract.ts";
import { archiveMessagesContract } from "#shared/testing/archive-messages.contract.ts";
import { archiveStatesContract } from "#shared/testing/archive-states.contract.ts";
import type { ArchiveUnderTest } from "#shared/testing/archive.contract.ts";
import { busContract } from "#shared/testing/bus.contract.ts";
import type { BusBench } from "#shared/testing/bus.contract.ts";
import { BENCH_PARTITIONS, logContract } from "#shared/testing/log.contract.ts";
import type { LogBench, LogBenchOptions } from "#shared/testing/log-recording.ts";
import { until, waitOn } from "#shared/testing/wait.ts";
import { printFigure } from "#tools/test-run/figure.ts";
import { SimulatedBroker } from "../broker.ts";
import { SimulatedBus } from "../bus.ts";
import { Database, SimulatedStore } from "../database.ts";
import { SimulatedLog } from "../log.ts";
import { LogServer } from "../log-server.ts";
import { VirtualTime } from "./virtual-time.ts";

/** Virtual time: longer than two failed pings and a reconnect together. */
const RECONNECTED_MS = 60_000;
/** How long a crashed log server is down. */
const DOWN_MS = 500;

/** Clauses by their titles, and the part of each that the simulation cannot test. */
const LIMITS: readonly { readonly clause: RegExp; readonly reason: string }[] = [
  {
    clause: /^ports\/bus\.2: payloads arrive unchanged/,
    reason: "no socket splits a payload into chunks; the simulated bus copies it once",
  },
  {
    clause: /^ports\/log\.1: .*kill of the store$/,
    reason: "no process is killed and no disk is read; connections and the leader are lost instead",
  },
  {
    clause: /^ports\/log\.4: a reader that gathers/,
    reason: "the simulated reader ignores gatherMs; each delivery takes at most 32 entries",
  },
  {
    clause: /^ports\/log\.4: a trim ahead of a slow reader/,
    reason: "code takes no virtual time; the process of the reader is paused instead",
  },
  {
    clause: /^D2: of two runners that write the same batch at once/,
    reason: "transactions cannot overlap in memory; the two writes run one after the other",
  },
];

describe("Simulated ports", () => {
  afterEach(() => waitOn()); // Also when a test timed out before it disposed its bench.

  for (const [fault, lose] of [
    ["a restarted broker", (bus: SimulatedBus): void => bus.disconnect()],
    ["a cut that pings detect", (bus: SimulatedBus): void => bus.cut("both")],
  ] as const) {
    busContract(`simulation, ${fault}`, () => Promise.resolve(openBusBench(lose)));
  }
  logContract("simulation", (options) => Promise.resolve(openLogBench(options)));
  archiveContract("simulation", () => Promise.resolve(openArchiveBench()));
  archiveStatesContract("simulation", () => Promise.resolve(openArchiveBench()));
  archiveMessagesContract("simulation", () => Promise.resolve(openArchiveBench()));

  it("fulfil every clause; these limits remain", function limits() {
    const titles = titlesOf(this.test?.parent);
    for (const { clause, reason } of LIMITS) {
      const found = titles.filter((title) => clause.test(title));
      expect(found, String(clause)).to.have.length.of.at.least(1);
      printFigure(`${found[0]}\n        limit: ${reason}`);
    }
  });
});

function openBusBench(lose: (bus: SimulatedBus) => void): BusBench {
  const time = new VirtualTime();
  const broker = new SimulatedBroker({ ...time.parts, onRouted: () => undefined });
  const buses: SimulatedBus[] = [];
  return {
    connect() {
      const bus = new SimulatedBus(broker, time.createProcess());
      buses.push(bus);
      return Promise.resolve(bus);
    },
    async cut() {
      for (const bus of buses) lose(bus);
      await statusOf(buses, "disconnected");
    },
    async heal() {
      for (const bus of buses) bus.restore();
      await statusOf(buses, "connected");
    },
    [Symbol.asyncDispose]: () => time.stop(),
  };
}

function openLogBench({ roomFor }: LogBenchOptions = {}): LogBench {
  const time = new VirtualTime();
  const broker = new SimulatedBroker({ ...time.parts, onRouted: () => undefined });
  const server = new LogServer({
    ...time.parts,
    partitions: BENCH_PARTITIONS,
    onTrim: () => undefined,
    ...(roomFor !== undefined && { entriesMax: roomFor }),
  });
  const [bus, rivalBus] = [0, 1].map(() => new SimulatedBus(broker, time.createProcess()));
  if (bus === undefined || rivalBus === undefined) throw new Error("a bench has two buses");
  return {
    log: new SimulatedLog({ ...time.parts, bus, server }),
    rival: new SimulatedLog({ ...time.parts, bus: rivalBus, server }),
    async crash() {
      time.parts.conditions.log.isLeaderless = true;
      for (const item of [bus, rivalBus]) item.disconnect();
      const upAt = time.scheduler.now + DOWN_MS;
      await until(() => time.scheduler.now >= upAt, { withinMs: RECONNECTED_MS, what: "the end" });
      time.parts.conditions.log.isLeaderless = false;
      for (const item of [bus, rivalBus]) item.restore();
      await statusOf([bus, rivalBus], "connected");
    },
    stall(ms) {
      bus.process.pause();
      time.scheduler.after(ms, () => bus.process.resume());
    },
    [Symbol.asyncDispose]: () => time.stop(),
  };
}

function openArchiveBench(): ArchiveUnderTest {
  const time = new VirtualTime();
  const refused = new Set<string>();
  const database = new Database({
    ...time.parts,
    onStored: () => undefined,
    refuse: ({ sender }) => (refused.has(sender) ? "planted" : undefined),
  });
  return {
    store: new SimulatedStore(database, time.createProcess()),
    other: new SimulatedStore(database, time.createProcess()),
    refuse: (sender) => Promise.resolve(void refused.add(sender)),
    quarantine: () => Promise.resolve(database.primary.quarantine),
    [Symbol.asyncDispose]: () => time.stop(),
  };
}

async function statusOf(buses: readonly SimulatedBus[], status: string): Promise<void> {
  const all = (): boolean => buses.every((bus) => bus.status === status);
  await until(all, { withinMs: RECONNECTED_MS, what: `all connections to be ${status}` });
}

function titlesOf(suite: Suite | undefined): string[] {
  if (suite === undefined) return [];
  return [...suite.tests.map(({ title }) => title), ...suite.suites.flatMap(titlesOf)];
}
