// Alert rules: what a rules file says of time, and the same file with its time compressed. Pure.
//
// A drill cannot wait for windows of six hours. It runs on a copy of the repository's own rules in
// which all time goes faster by one factor; everything else of a rule is tried as it is.
//
//   alert-rules.1. Lengths of time are divided: windows, `for`, intervals, how far predict_linear
//        looks ahead. What a rule compares with stays, also where that is measured in seconds or by
//        the second.
//   alert-rules.2. Nothing else changes: divided by one, the rules mean what they meant.

/**
 * The shortest window is five minutes; at this factor it still holds five scrapes a second apart.
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
    throw new RangeError(`rules can be compressed 1 to ${FACTOR_MAX} times, not ${factor}`);
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
