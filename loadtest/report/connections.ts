// Connections scenario: 4,800 sockets connect at a steady rate; each authenticates and joins a
// room.

import { PARLEY, startParley } from "../bench/peers/parley.ts";
import { openLoop } from "../bench/schedule.ts";
import { Sink } from "../bench/sink.ts";
import { Histogram } from "../bench/histogram.ts";
import { rssOf } from "../bench/cpu.ts";
import { until } from "#shared/testing/wait.ts";
import type { Scenario } from "./scenario.ts";

const COUNT = 4_800;
const PER_SECOND = 300;
const ROOMS = 480;
const ALL_IN_MS = 30_000;

export const CONNECTIONS: Scenario = {
  id: "connections",
  title: "4,800 connections (S6)",
  method:
    `From the planned time of a connect until the member has caught up: TCP, upgrade, JWT, join. ` +
    `${PER_SECOND} connect each second, and all stay connected.`,
  async play() {
    await using parley = await startParley();
    const sinks: Sink[] = [];
    const readyMs = new Histogram();
    let sumMs = 0;
    let failed = 0;
    const add = async (i: number, plannedAt: number): Promise<void> => {
      const room = `pool-${i % ROOMS}`;
      const sink = new Sink(parley, { room, steps: await parley.enter(room) });
      await sink.ready.catch(() => failed++);
      sinks.push(sink);
      sumMs += performance.now() - plannedAt;
      readyMs.add(performance.now() - plannedAt);
    };
    const sender = { send: (i: number, plannedAt: number) => void add(i, plannedAt) };
    await openLoop({ count: COUNT, perSecond: PER_SECOND }, sender);
    await until(() => sinks.length === COUNT, {
      withinMs: ALL_IN_MS,
      what: "all clients to be connected",
    });
    const mb = (rssOf(parley.pids).get("gateway-1") ?? 0) / 2 ** 20;
    for (const sink of sinks) sink.close();
    return [
      {
        what: `${PARLEY}: connect to caught up, mean`,
        source: "23 ms",
        ours: `${(sumMs / COUNT).toFixed(1)} ms`,
      },
      {
        what: "p50 / p99",
        source: "–",
        ours: `${readyMs.percentile(0.5).toFixed(1)} / ${readyMs.percentile(0.99).toFixed(1)} ms`,
      },
      { what: "connections that failed", source: "–", ours: String(failed) },
      { what: "memory of the gateway with all of them", source: "–", ours: `${mb.toFixed(0)} MiB` },
    ];
  },
};
