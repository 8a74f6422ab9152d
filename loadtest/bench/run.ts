// Run: one shape against one peer. Opens the crowd, warms up, plays the schedule, waits for
// everything to arrive, and gives figures; or says what was missing.

import { until } from "#shared/testing/wait.ts";
import { cpuOf, cpuSince, rssOf, total } from "./cpu.ts";
import { Crowd } from "./crowd.ts";
import type { CrowdShape } from "./crowd.ts";
import type { Leg, Percentiles } from "./figures.ts";
import type { Histogram } from "./histogram.ts";
import type { Peer } from "./peer.ts";
import { probeNodes } from "./inside/node-probe.ts";
import { openLoop } from "./schedule.ts";
import type { Slip } from "./schedule.ts";

export interface Shape extends CrowdShape {
  readonly name: string;
  /** Messages per second, over all rooms. */
  readonly perSecond: number;
  readonly seconds: number;
  /** The rate of the warm-up, where the full one would fill the queues of a peer for minutes. */
  readonly warmPerSecond?: number;
}

const WARM_UP_S = 2;
const WARM_DRAIN_MS = 30_000;
/** What has not arrived this long after the last send counts as not delivered. */
const DRAIN_MS = 10_000;
/** Work that a delivery leaves behind (the archive's last batch) belongs to the run as well. */
const SETTLE_MS = 500;

/** Extra things to do with the crowd while the schedule plays. */
export interface During {
  readonly begin?: (crowd: Crowd) => void;
  readonly end?: (crowd: Crowd) => Promise<void>;
  readonly settleMs?: number;
}

export async function run(peer: Peer, shape: Shape, during: During = {}): Promise<Leg> {
  const crowd = await Crowd.open(peer, shape);
  try {
    await warmUp(crowd, shape);
    return await measure(peer, crowd, shape, during);
  } finally {
    crowd.close();
  }
}

/** The schedule once, by a crowd that is in its rooms already. */
export async function measure(
  peer: Peer,
  crowd: Crowd,
  shape: Shape,
  during: During = {},
): Promise<Leg> {
  crowd.forgetTimes();
  during.begin?.(crowd);
  await probeNodes(peer);
  const receivedBefore = crowd.received;
  const expectedBefore = crowd.expected;
  const cpuBefore = cpuOf(peer.pids);
  const own = process.cpuUsage();
  const began = performance.now();
  const { perSecond, seconds } = shape;
  const slip = await openLoop({ count: perSecond * seconds, perSecond }, crowd);
  const { user, system } = process.cpuUsage(own);
  const generatorCpu = (user + system) / 1_000 / (performance.now() - began);
  await during.end?.(crowd);
  await arrived(crowd, DRAIN_MS);
  await pause(during.settleMs ?? SETTLE_MS);
  const cpu = cpuSince(cpuBefore, cpuOf(peer.pids));
  const nodes = await probeNodes(peer);
  const delivered = crowd.received - receivedBefore;
  return {
    shape: shape.name,
    peer: peer.name,
    seconds,
    expected: crowd.expected - expectedBefore,
    delivered,
    cpuUs: total(cpu) / delivered,
    cpuUsBy: byName(cpu, (us) => us / delivered),
    ...times(crowd),
    rssMb: byName(rssOf(peer.pids), (bytes) => bytes / 2 ** 20),
    slipMs: slipOf(slip),
    generatorCpu,
    nodes: Object.fromEntries(nodes),
    complaints: Object.fromEntries(crowd.complaints()),
  };
}

export async function warmUp(crowd: Crowd, shape: Shape): Promise<void> {
  const perSecond = shape.warmPerSecond ?? shape.perSecond;
  await openLoop({ count: perSecond * WARM_UP_S, perSecond }, crowd);
  await arrived(crowd, WARM_DRAIN_MS);
}

/** What is missing afterwards is reported as a figure; the bench fails on it, not this wait. */
async function arrived(crowd: Crowd, withinMs: number): Promise<void> {
  const isThere = (): boolean => crowd.received >= crowd.expected;
  await until(isThere, { withinMs, what: "all messages" }).catch(() => undefined);
}

function times(crowd: Crowd): Pick<Leg, "ackMs" | "deliveryMs"> {
  const { ackMs, deliveryMs } = crowd;
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
