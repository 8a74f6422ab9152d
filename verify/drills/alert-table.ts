// Alert table: the results of the alerts drill as rows and as the Markdown table of
// docs/operating/alerts.md. Pure.
//
//   alert-table.1. Times run from the fault; `resolved` runs from its heal.
//   alert-table.2. At real length an alert waits for its own `for` after its condition. The time
//        until the condition is the measured one, times the factor when the condition waits for a
//        window to fill. This value is computed, not measured.

import type { AlertRule } from "./alert-rules.ts";

export interface AlertRow {
  readonly rule: AlertRule;
  readonly what: string;
  readonly fillsWindow: boolean;
  /** How long the alert was quiet under load before its fault. */
  readonly quietMs: number;
  /** Undefined: no user noticed before the heal. */
  readonly noticedMs: number | undefined;
  /** Undefined: it did not fire. */
  readonly fired: { readonly conditionMs: number; readonly firedMs: number } | undefined;
  /**
   * Undefined: it still fired at the end of the drill. Negative: it was resolved before the heal.
   */
  readonly resolvedMs: number | undefined;
  /** The other alerts that fired during this fault. */
  readonly others: readonly string[];
}

const HEAD = [
  "alert",
  "fault",
  "quiet before",
  "users noticed after",
  "condition after",
  "fired after",
  "at real length",
  "resolved after the heal",
  "also fired",
];

export function alertTable(rows: readonly AlertRow[], factor: number): string {
  const lines = [HEAD, HEAD.map(() => "---"), ...rows.map((row) => cellsOf(row, factor))];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** alert-table.2. Undefined when it did not fire. */
export function realLengthMs(
  { rule, fillsWindow, fired }: AlertRow,
  factor: number,
): number | undefined {
  if (fired === undefined) return undefined;
  if (factor === 1) return fired.firedMs;
  return fired.conditionMs * (fillsWindow ? factor : 1) + rule.forMs;
}

function cellsOf(row: AlertRow, factor: number): string[] {
  const { rule, what, quietMs, noticedMs, fired, resolvedMs, others } = row;
  const real = realLengthMs(row, factor);
  return [
    rule.name.replace("Parley", ""),
    what,
    shown(quietMs),
    noticedMs === undefined ? "no user noticed" : shown(noticedMs),
    fired === undefined ? "never" : shown(fired.conditionMs),
    fired === undefined ? "never" : shown(fired.firedMs),
    real === undefined ? "never" : shown(real),
    fired === undefined ? "–" : resolvedText(resolvedMs),
    others.map((name) => name.replace("Parley", "")).join(", "),
  ];
}

function resolvedText(resolvedMs: number | undefined): string {
  if (resolvedMs === undefined) return "not yet";
  return resolvedMs < 0 ? "before the heal" : shown(resolvedMs);
}

/** 0.4 s, 12 s, 3 min 5 s, 2 h 10 min */
function shown(ms: number): string {
  const seconds = Math.max(0, ms) / 1_000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 120) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
