// Series: what one query of a panel gave over time, and what a legend makes of its labels.
//
//   series.1. A number that Prometheus calls NaN or infinite (a rate over nothing) is a hole, not a zero.

export interface Point {
  /** Unix time in seconds. */
  readonly t: number;
  readonly value: number;
}

export interface Series {
  readonly legend: string;
  readonly points: readonly Point[];
}

/** One of the results of `query_range`. */
export interface Matrix {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, string])[];
}

export function toSeries(format: string, { metric, values }: Matrix): Series {
  const points = values
    .map(([t, text]) => ({ t, value: Number(text) }))
    .filter(({ value }) => Number.isFinite(value)); // series.1
  return { legend: legendOf(format, metric), points };
}

/** As Grafana does: `{{label}}` is the value of that label. */
export function legendOf(format: string, labels: Readonly<Record<string, string>>): string {
  return format.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => labels[name] ?? "");
}
