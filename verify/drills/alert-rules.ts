// Alert rules: reads the times in a rules file and compresses them. Pure.
//
// A drill cannot wait for windows of six hours. It runs on a copy of the repository's own rules
// with all times divided by one factor. Everything else in a rule stays as it is.
//
//   alert-rules.1. The factor divides lengths of time: windows, `for`, intervals, the look-ahead of
//        predict_linear. It does not divide thresholds, also not those in seconds or per second.
//   alert-rules.2. Nothing else changes: with factor one, the rules mean the same.

/**
 * The shortest window is five minutes. At this factor it still contains five scrapes, one a second.
 */
export const FACTOR_MAX = 60;

export interface AlertRule {
  readonly name: string;
  readonly severity: string;
  /** How long its condition must hold before it fires. */
  readonly forMs: number;
}

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const LENGTH = String.raw`(\d+)(ms|s|m|h|d)`;
const WINDOW = new RegExp(String.raw`\[${LENGTH}\]`, "g");
const WAIT = new RegExp(String.raw`^(\s*(?:for|interval):\s*)${LENGTH}\s*$`, "gm");
/** `predict_linear(x[2h], 12 * 3600)`: the second argument, a product of numbers. */
const AHEAD = /(predict_linear\([^(),]+,\s*)([\d.]+(?:\s*\*\s*[\d.]+)*)\)/g;

export function compressRules(text: string, factor: number): string {
  if (!(factor >= 1 && factor <= FACTOR_MAX)) {
    throw new RangeError(`FACTOR is ${factor}; expected a number from 1 to ${FACTOR_MAX}`);
  }
  const shorter = (count: string, unit: string): string =>
    `${Math.max(1, Math.round(lengthMs(count, unit) / factor))}ms`;
  return text
    .replace(WINDOW, (_, count: string, unit: string) => `[${shorter(count, unit)}]`)
    .replace(WAIT, (_, key: string, count: string, unit: string) => key + shorter(count, unit))
    .replace(AHEAD, (_, head: string, seconds: string) => `${head}${seconds} / ${factor})`);
}

/** The alerts of a rules file in its order. */
export function alertsOf(text: string): AlertRule[] {
  return text
    .split(/^\s*- alert: /m)
    .slice(1)
    .map((rule) => {
      const [name = ""] = rule.split("\n");
      const [, count = "0", unit = "s"] =
        new RegExp(String.raw`^\s*for:\s*${LENGTH}\s*$`, "m").exec(rule) ?? [];
      const [, severity = ""] = /severity: (\w+)/.exec(rule) ?? [];
      return { name: name.trim(), severity, forMs: lengthMs(count, unit) };
    });
}

function lengthMs(count: string, unit: string): number {
  return Number(count) * (UNITS_MS[unit] ?? NaN);
}
