// Tracing item: the cost of traces in three states: no exporter (OpenTelemetry is not loaded), an
// exporter and no sampled message, an exporter and one sampled message in a hundred.
//
// Two starts of one program differ by more than half a percent. Therefore two clusters run side by
// side with their clients, and windows of a few seconds alternate: without exporter, 0 %, 1 %, then
// in reverse order. 0 % and 1 % use the same processes, switched by `trace.ratio`. The other
// cluster idles, and no window counts it. New clusters start every ROUNDS_PER_START rounds.
//
// Not measured: the cost of a collector (a sink discards the spans, inside/otlp-sink.ts).

import { setSetting } from "#client/cli/settings.ts";
import { started, stopRunning } from "../alternate.ts";
import { BenchClients } from "../bench-clients.ts";
import type { Leg } from "../figures.ts";
import { isVoid, median, medianRange, ratios } from "../figures.ts";
import { startOtlpSink } from "../inside/otlp-sink.ts";
import type { OtlpSink } from "../inside/otlp-sink.ts";
import { allDelivered, punctual } from "../item.ts";
import type { Item, ItemOptions, ItemResult, Verdict } from "../item.ts";
import { startParley } from "../peers/parley.ts";
import type { ParleyPeer } from "../peers/parley.ts";
import { measure, warmUp } from "../run.ts";
import type { Shape } from "../run.ts";

const SHAPE: Shape = {
  name: "200 rooms × 10, 2,000/s",
  rooms: 200,
  members: 10,
  perSecond: 2_000,
  seconds: 15,
};

interface State {
  readonly name: string;
  /** Value of `trace.ratio`; undefined: the cluster without an exporter. */
  readonly ratio: number | undefined;
}

const OFF: State = { name: "Parley, no exporter", ratio: undefined };
const NONE: State = { name: "Parley, traced 0 %", ratio: 0 };
const SOME: State = { name: "Parley, traced 1 %", ratio: 0.01 };
const STATES = [OFF, NONE, SOME] as const;
const LIMITS = [
  { state: NONE, most: 1.005 },
  { state: SOME, most: 1.02 },
] as const;

const ROUNDS_PER_START = 4;
/** A void window is played once more. */
const TRIES_MAX = 2;
/** After the last delivery: the last export (every 5 s by default) belongs to the window. */
const SETTLE_MS = 5_500;

interface Side {
  readonly peer: ParleyPeer;
  readonly clients: BenchClients;
}

export const TRACE: Item = {
  id: "TRACE",
  title: "cost of traces",
  async play(options): Promise<ItemResult> {
    const legs: Leg[] = [];
    for (let round = 0; round < options.rounds; round += ROUNDS_PER_START) {
      const rounds = Math.min(ROUNDS_PER_START, options.rounds - round);
      legs.push(...(await playOnce(rounds, options)));
    }
    const verdicts = [
      ...LIMITS.map(({ state, most }) => costOf(legs, state, most)),
      ...LIMITS.map(({ state }) => byProcess(legs, state)),
      exported(legs),
      ...STATES.map(({ name }) => allDelivered(legs, name)),
      punctual(legs),
    ];
    return { legs, verdicts };
  },
};

/** Plays `rounds` rounds on two new clusters. */
async function playOnce(rounds: number, options: ItemOptions): Promise<Leg[]> {
  const shape = { ...SHAPE, seconds: options.seconds ?? SHAPE.seconds };
  await using sink = await startOtlpSink();
  const legs: Leg[] = [];
  const opened: BenchClients[] = [];
  const open = async (env: NodeJS.ProcessEnv): Promise<Side> => {
    const peer = await started(() => startParley({ env }));
    const clients = await BenchClients.open(peer, shape);
    opened.push(clients);
    await warmUp(clients, shape);
    return { peer, clients };
  };
  try {
    const plain = await open({});
    const traced = await open(sink.env);
    for (let round = 0; round < rounds; round++) {
      for (const state of round % 2 === 0 ? STATES : STATES.toReversed()) {
        const side = state === OFF ? plain : traced;
        const leg = await playWindow(side, state, shape, sink);
        options.sayLeg(leg);
        legs.push(leg);
      }
    }
  } finally {
    for (const clients of opened) clients.close();
    await stopRunning();
  }
  return legs;
}

async function playWindow(
  { peer, clients }: Side,
  { name, ratio }: State,
  shape: Shape,
  sink: OtlpSink,
): Promise<Leg> {
  if (ratio !== undefined) {
    const value = String(ratio);
    // Takes effect within milliseconds (E4); the next window begins later.
    await setSetting(peer.cluster.natsAccess, { name: "trace.ratio", value });
  }
  for (let attempt = 1; ; attempt++) {
    await sink.take();
    const leg = await measure(peer, clients, shape, { settleMs: SETTLE_MS });
    const { requests, bytes } = await sink.take();
    if (isVoid(leg) && attempt < TRIES_MAX) continue;
    return { ...leg, peer: name, more: { exports: requests, "exported KiB": bytes / 1_024 } };
  }
}

function costOf(legs: readonly Leg[], { name }: State, most: number): Verdict {
  const all = compare(legs, name, ({ cpuUs }) => cpuUs);
  const row = { what: `CPU per delivery, ${name} to ${OFF.name}`, target: `≤ ${most} ×` };
  if (all.length === 0) return { ...row, measured: "every pair is void", ok: undefined };
  const { low, high } = medianRange(all);
  const middle = median(all);
  const range = `${low.toFixed(4)} … ${high.toFixed(4)}, ${all.length} pairs`;
  return { ...row, measured: `${middle.toFixed(4)} × (${range})`, ok: middle <= most };
}

/** CPU time of the processes that create spans. */
function byProcess(legs: readonly Leg[], { name }: State): Verdict {
  const parts = Object.keys(legs[0]?.nodes ?? {}).map((process) => {
    const all = compare(legs, name, ({ cpuUsBy }) => cpuUsBy[process] ?? Number.NaN);
    return `${process} ${median(all).toFixed(3)} ×`;
  });
  const what = `by process, ${name} to ${OFF.name}`;
  return { what, target: "for information", measured: parts.join(", "), ok: undefined };
}

/** Ratios within each round; a pair with a void window does not count (figures.2). */
function compare(legs: readonly Leg[], name: string, pick: (leg: Leg) => number): number[] {
  const of = (peer: string): Leg[] => legs.filter((leg) => leg.peer === peer);
  const [ours, theirs] = [of(name), of(OFF.name)];
  const isSoundPair = (i: number): boolean =>
    [ours[i], theirs[i]].every((leg) => leg !== undefined && !isVoid(leg));
  return ratios(ours.map(pick), theirs.map(pick)).filter((_, i) => isSoundPair(i));
}

/** Proves that the three states differ. */
function exported(legs: readonly Leg[]): Verdict {
  const of = ({ name }: State): number[] =>
    legs.filter(({ peer }) => peer === name).map(({ more }) => more?.["exports"] ?? 0);
  const isRight = of(SOME).every((count) => count > 0) && of(NONE).every((count) => count === 0);
  const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0);
  return {
    what: "exports arrived in every window at 1 % and in none at 0 %",
    target: "all",
    measured: `${sum(of(SOME))} at 1 %, ${sum(of(NONE))} at 0 %`,
    ok: isRight,
  };
}
