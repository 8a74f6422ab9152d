// Summary: a run in a few lines of JSON. collect.ts adds several up.

import type { Counts, Report } from "../checker/check.ts";
import type { InvariantId } from "../checker/violation.ts";
import type { ChaosResult } from "./run.ts";

export interface Summary {
  readonly command: string;
  readonly seed: number;
  readonly seconds: number;
  readonly counts: Readonly<Counts>;
  readonly broken: readonly InvariantId[];
  readonly complaints: readonly string[];
  readonly ackMs: Report["ackMs"];
  readonly calmMs: Report["calmMs"];
  readonly sometimes: Readonly<Record<string, number>>;
  readonly mibPeaks: Readonly<Record<string, number>>;
  readonly faults: readonly {
    readonly fault: string;
    readonly target: string;
    readonly backMs: number;
    readonly since: string;
    readonly tookMs: readonly number[];
    readonly never: number;
    readonly drainMs?: number | undefined;
    readonly backlog?: number | undefined;
    readonly ackMs: Report["ackMs"];
    readonly tenures: number | undefined;
    readonly refusalMs: number | undefined;
  }[];
}

export function summaryOf(
  { report, services, complaints }: ChaosResult,
  about: { readonly command: string; readonly seed: number },
): Summary {
  const { counts, broken, ackMs, calmMs, mibPeaks, seconds } = report;
  return {
    ...about,
    seconds: Math.round(seconds),
    counts,
    broken,
    complaints,
    ackMs,
    calmMs,
    sometimes: { ...report.sometimes, ...services },
    mibPeaks,
    faults: report.faults.map(({ tookMs, never, ...fault }) => ({
      ...fault,
      tookMs: tookMs.map(Math.round),
      never: never.length,
    })),
  };
}
