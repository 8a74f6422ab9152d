// Compare: the counts of a simulated cluster beside those of the model.

import { KINDS } from "./kinds.ts";
import type { Flow, Flows, Kind } from "./kinds.ts";
import { idleFlows, loadFlows, NO_FLOWS, plus, takeOverFlows, times } from "./model.ts";
import { TAKE_OVER_MS } from "./scale-run.ts";
import type { ScaleResult } from "./scale-run.ts";

export type Phase =
  | "idle, a second"
  /** The kinds that chat does not change. */
  | "the same beside chat"
  | "a chat message"
  | "loss of a room node";

export interface Row {
  readonly phase: Phase;
  readonly kind: Kind;
  readonly direction: keyof Flow;
  readonly counted: number;
  readonly computed: number;
}

/** The greatest difference of a kind, as a share of what the model computes. */
export const TOLERANCE = 0.1;
/** Less than this for each message, or a second, is nothing. */
const NOTHING = 0.01;

/** Every kind that was counted or computed, without those that are newer than the run. */
export function rowsOf(result: ScaleResult): Row[] {
  const { size, lost, messagesPerSecond } = result;
  const [idle, loaded, takeOver] = [result.idle, result.loaded, result.takeOver].map(
    (flows): Flows => ({ ...NO_FLOWS, ...flows }),
  ) as [Flows, Flows, Flows];
  const load = { ...size, messagesPerSecond };
  const others = { ...size, roomNodes: size.roomNodes - 1 };
  const meanwhile = times(idleFlows(others), TAKE_OVER_MS / 1_000);
  const perMessage = times(plus(loaded, times(idle, -1)), 1 / messagesPerSecond);
  const ofChat = times(loadFlows(size, load), 1 / messagesPerSecond);
  const isSteady = ({ kind }: Row): boolean => idle[kind].out > 0 && ofChat[kind].out === 0;
  const all = [
    ...rows("idle, a second", idle, idleFlows(size)),
    ...rows("the same beside chat", loaded, idleFlows(size)).filter(isSteady),
    ...rows("a chat message", perMessage, ofChat).filter((row) => !isSteady(row)),
    ...rows("loss of a room node", takeOver, plus(meanwhile, takeOverFlows(size, load, lost))),
  ];
  return all.filter(({ kind }) => kind in result.idle);
}

export function isWithin({ counted, computed }: Row): boolean {
  if (computed < NOTHING) return Math.abs(counted) < NOTHING;
  return Math.abs(counted / computed - 1) <= TOLERANCE;
}

export function describeRow(row: Row): string {
  const { phase, kind, direction, counted, computed } = row;
  const difference = computed < NOTHING ? "" : ` ${percent(counted / computed - 1)}`;
  const mark = isWithin(row) ? " " : "✗";
  const number = (value: number): string => value.toFixed(2).padStart(12);
  return (
    `${mark} ${phase.padEnd(20)} ${kind.padEnd(16)} ${direction.padEnd(3)}` +
    `${number(counted)} ${number(computed)}${difference}`
  );
}

export function percent(share: number): string {
  return `${share < 0 ? "−" : "+"}${Math.abs(share * 100).toFixed(1)} %`;
}

function rows(phase: Phase, counted: Flows, computed: Flows): Row[] {
  return KINDS.flatMap((kind) =>
    (["in", "out"] as const).map((direction) => ({
      phase,
      kind,
      direction,
      counted: counted[kind][direction],
      computed: computed[kind][direction],
    })),
  ).filter((row) => row.counted !== 0 || row.computed !== 0);
}
