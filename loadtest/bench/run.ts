// Run: one shape against one peer. Opens the clients, warms up, plays the schedule, waits until
// everything has arrived, and returns figures, including missing messages.

import { until } from "#shared/testing/wait.ts";
import { cpuOf, cpuSince, rssOf, total } from "./cpu.ts";
import { BenchClients } from "./bench-clients.ts";
import type { ClientsShape } from "./bench-clients.ts";
import type { Leg, Percentiles } from "./figures.ts";
import type { Histogram } from "./histogram.ts";
import type { Peer } from "./peer.ts";
import { probeNodes } from "./inside/node-probe.ts";
import { openLoop } from "./schedule.ts";
import type { Slip } from "./schedule.ts";

export interface Shape extends ClientsShape {
  readonly name: string;
  /** Messages per second, over all rooms. */
  readonly perSecond: number;
  readonly seconds: number;
  /** The rate of the warm-up, if the full rate would fill the queues of a peer for minutes. */
  readonly warmPerSecond?: number;
  /** The time of the warm-up, if V8 needs longer than the usual one to compile what then runs. */
  readonly warmSeconds?: number;
}

const WARM_UP_S = 2;
const WARM_DRAIN_MS = 30_000;
/** A message that has not arrived this long after the last send counts as not delivered. */
const DRAIN_MS = 10_000;
/** The run includes work after a delivery (the last batch of the archive). */
const SETTLE_MS = 500;

/** Additional actions on the clients during the schedule. */
export interface During {
  readonly begin?: (clients: BenchClients) => void;
  readonly end?: (clients: BenchClients) => Promise<void>;
  readonly settleMs?: number;
}

export async function run(peer: Peer, shape: Shape, during: During = {}): Promise<Leg> {
  const clients = await BenchClients.open(peer, shape);
  try {
    await warmUp(clients, shape);
    return await measure(peer, clients, shape, during);
  } finally {
    clients.close();
  }
}

/** Plays the schedule once with clients that have joined their rooms. */
export async function measure(
  peer: Peer,
  clients: BenchClients,
  shape: Shape,
  during: During = {},
): Promise<Leg> {
  clients.forgetTimes();
  during.begin?.(clients);
  await probeNodes(peer);
  const receivedBefore = clients.received;
  const expectedBefore = clients.expected;
  const cpuBefore = cpuOf(peer.pids);
  const own = process.cpuUsage();
  const began = performance.now();
  const { perSecond, seconds } = shape;
  const slip = await openLoop({ count: perSecond * seconds, perSecond }, clients);
  const { user, system } = process.cpuUsage(own);
  const generatorCpu = (user + system) / 1_000 / (performance.now() - began);
  await during.end?.(clients);
  await arrived(clients, DRAIN_MS);
  await pause(during.settleMs ?? SETTLE_MS);
  const cpu = cpuSince(cpuBefore, cpuOf(peer.pids));
  const nodes = await probeNodes(peer);
  const delivered = clients.received - receivedBefore;
  return {
    shape: shape.name,
    peer: peer.name,
    seconds,
    expected: clients.expected - expectedBefore,
    delivered,
    cpuUs: total(cpu) / delivered,
    cpuUsBy: byName(cpu, (us) => us / delivered),
    ...times(clients),
    rssMb: byName(rssOf(peer.pids), (bytes) => bytes / 2 ** 20),
    slipMs: slipOf(slip),
    generatorCpu,
    nodes: Object.fromEntries(nodes),
    complaints: Object.fromEntries(clients.complaints()),
  };
}

export async function warmUp(clients: BenchClients, shape: Shape): Promise<void> {
  const { warmPerSecond: perSecond = shape.perSecond, warmSeconds = WARM_UP_S } = shape;
  await openLoop({ count: perSecond * warmSeconds, perSecond }, clients);
  await arrived(clients, WARM_DRAIN_MS);
}

/** Missing messages become a figure, which fails the bench; this wait does not fail. */
async function arrived(clients: BenchClients, withinMs: number): Promise<void> {
  const isThere = (): boolean => clients.received >= clients.expected;
  await until(isThere, { withinMs, what: "all messages" }).catch(() => undefined);
}

function times(clients: BenchClients): Pick<Leg, "ackMs" | "deliveryMs"> {
  const { ackMs, deliveryMs } = clients;
  return {
    ...(ackMs.count > 0 && { ackMs: percentiles(ackMs) }),
    ...(deliveryMs.count > 0 && { deliveryMs: percentiles(deliveryMs) }),
  };
}

export function percentiles(histogram: Histogram): Percentiles {
  return { p50: histogram.percentile(0.5), p99: histogram.percentile(0.99) };
}

function slipOf({ p99Ms, worstMs }: Slip): Leg["slipMs"] {
  return { p99: p99Ms, worst: worstMs };
}

export function byName(
  values: ReadonlyMap<string, number>,
  convert: (value: number) => number,
): Record<string, number> {
  return Object.fromEntries([...values].map(([name, value]) => [name, convert(value)]));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
