// Series: the result of one query of a panel over time, and its legend.
//
//   series.1. A NaN or infinite value (a rate without data) is missing data, not 0.

export interface Point {
  /** Unix time in seconds. */
  readonly t: number;
  readonly value: number;
}

export interface Series {
  readonly legend: string;
  readonly points: readonly Point[];
}

/** One result of `query_range`. */
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

/** Like Grafana, replaces `{{label}}` with the value of that label. */
export function legendOf(format: string, labels: Readonly<Record<string, string>>): string {
  return format.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => labels[name] ?? "");
}
