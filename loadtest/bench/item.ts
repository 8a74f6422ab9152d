// Item: one row of the bench (B1 … B13): its shapes and its targets.

import type { Leg } from "./figures.ts";
import { isSound, isVoid, ratio } from "./figures.ts";

export interface ItemOptions {
  /** Duration of each leg; default: the value of the item. */
  readonly seconds?: number | undefined;
  readonly rounds: number;
  /** The part of the members and rooms of B5, B11 to B13 and MANY: 1 is all. */
  readonly scale: number;
  readonly peers: ReadonlySet<PeerName>;
  readonly say: (line: string) => void;
  readonly sayLeg: (leg: Leg) => void;
}

export const PEER_NAMES = ["base", "raw", "each", "socket.io"] as const;
export type PeerName = (typeof PEER_NAMES)[number];

/** `ok` is undefined when a compared peer was omitted. */
export interface Verdict {
  readonly what: string;
  readonly target: string;
  readonly measured: string;
  readonly ok: boolean | undefined;
}

export interface ItemResult {
  readonly legs: readonly Leg[];
  readonly verdicts: readonly Verdict[];
}

export interface Item {
  readonly id: string;
  readonly title: string;
  play(options: ItemOptions): Promise<ItemResult>;
}

/** Whether every leg of the peer delivered everything once and in order. */
export function allDelivered(legs: readonly Leg[], peer: string): Verdict {
  const ours = legs.filter((leg) => leg.peer === peer);
  const wrong = ours.filter((leg) => !isSound(leg) || leg.delivered !== leg.expected);
  const count = ours.reduce((sum, { delivered }) => sum + delivered, 0);
  const complaints = wrong.map((leg) => JSON.stringify(leg.complaints)).join(" ");
  return {
    what: `${peer}: delivered exactly once and in order`,
    target: "all",
    measured: wrong.length === 0 ? `all of ${count.toLocaleString("en")}` : complaints,
    ok: wrong.length === 0,
  };
}

export function costRatio(
  legs: readonly Leg[],
  { ours, theirs, most }: { readonly ours: string; readonly theirs: string; readonly most: number },
): Verdict {
  const cost = (peer: string): number[] =>
    legs.filter((leg) => leg.peer === peer).map(({ cpuUs }) => cpuUs);
  const what = `CPU per delivery, ${ours} to ${theirs}`;
  const target = `≤ ${most} ×`;
  if (cost(theirs).length === 0) return { what, target, measured: "left out", ok: undefined };
  const { median, least, most: worst } = ratio(cost(ours), cost(theirs));
  const measured = `${median.toFixed(2)} × (${least.toFixed(2)} … ${worst.toFixed(2)})`;
  return { what, target, measured, ok: median <= most };
}

export function atMost(what: string, value: number, most: number, unit: string): Verdict {
  const digits = value < 10 ? 2 : 1;
  return {
    what,
    target: `≤ ${most} ${unit}`,
    measured: `${value.toFixed(digits)} ${unit}`,
    ok: value <= most,
  };
}

/** A run with a late generator proves nothing, regardless of its result. */
export function punctual(legs: readonly Leg[]): Verdict {
  const late = legs.filter(isVoid);
  const worst = Math.max(...legs.map(({ slipMs }) => slipMs.p99));
  return {
    what: "generator on time (p99 of the slip)",
    target: "≤ 20 ms",
    measured: late.length === 0 ? `${worst.toFixed(1)} ms` : `void: ${worst.toFixed(1)} ms`,
    ok: late.length === 0,
  };
}
