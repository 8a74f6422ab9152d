// Panel SVG: draws the panels of a dashboard as one picture, two in a row, without a library.
//
// Owns: scales, lines, legends. Does not own: the queries (dashboards.ts) and their execution.
//
//   panel-svg.1. The value axis begins at 0 and ends at a round number at or above the largest
//        value.
//   panel-svg.2. A series that is always 0 is drawn only when the panel has no other; the legend
//        counts it.
//   panel-svg.3. A line has a break where points are more than GAP_STEPS steps apart.

import type { Series } from "./series.ts";

export interface Mark {
  /** Unix time in seconds. */
  readonly t: number;
  readonly label: string;
}

export interface Picture {
  readonly title: string;
  readonly note: string;
  readonly from: number;
  readonly to: number;
  readonly stepSeconds: number;
  readonly marks: readonly Mark[];
  readonly panels: readonly {
    readonly title: string;
    readonly unit: string;
    readonly series: readonly Series[];
  }[];
}

const COLUMNS = 2;
const WIDTH = 560;
const HEIGHT = 210;
const TOP = 54;
const LEFT = 58;
const RIGHT = 14;
const HEAD = 30;
const FOOT = 46;
const GAP_STEPS = 3;
const LEGENDS_MAX = 8;
const COLOURS = [
  "#2f6f4e",
  "#c0563b",
  "#3b6fb0",
  "#a8842c",
  "#7a5ca8",
  "#4a9aa5",
  "#b0507e",
  "#666666",
];

export function drawPicture(picture: Picture): string {
  const rows = Math.ceil(picture.panels.length / COLUMNS);
  const [width, height] = [COLUMNS * WIDTH, TOP + rows * HEIGHT];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="10">`,
    "<style>.l{fill:none;stroke-width:1.4}.g{stroke:#e4e4e4}.m{stroke:#d97706;stroke-dasharray:3 3}",
    "text{fill:#333}.t{font-size:12px;font-weight:bold}.k{fill:#92400e;font-size:9px}</style>",
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="14" y="22" font-size="16">${escapeXml(picture.title)}</text>`,
    `<text x="14" y="40">${escapeXml(picture.note)}</text>`,
    ...picture.panels.map((_, i) => drawPanel(picture, i)),
    "</svg>\n",
  ].join("\n");
}

function drawPanel(picture: Picture, index: number): string {
  const { from, to, marks } = picture;
  const { title, unit, series: all } = picture.panels[index] ?? { title: "", unit: "", series: [] };
  const { series, zeros } = withoutZeros(all);
  const [left, top] = [(index % COLUMNS) * WIDTH, TOP + Math.floor(index / COLUMNS) * HEIGHT];
  const most = series.flatMap(({ points }) => points).reduce((a, b) => Math.max(a, b.value), 0);
  const { end, step } = axisTo(most, unit);
  const x = (t: number): number => LEFT + ((t - from) / (to - from)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number => HEIGHT - FOOT - (value / end) * (HEIGHT - HEAD - FOOT);
  const parts = [`<g transform="translate(${left},${top})">`];
  parts.push(`<text x="${LEFT}" y="18" class="t">${escapeXml(title)}</text>`);
  for (let value = 0; value <= end * 1.001; value += step) {
    const at = px(y(value));
    parts.push(
      `<line class="g" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/>` +
        `<text x="${LEFT - 5}" y="${px(y(value) + 3)}" text-anchor="end">${format(value, unit)}</text>`,
    );
  }
  for (const [i, { t, label }] of marks.entries()) {
    const at = px(x(t));
    parts.push(
      `<line class="m" x1="${at}" x2="${at}" y1="${HEAD - 4}" y2="${HEIGHT - FOOT}"/>` +
        `<text class="k" x="${px(x(t) + 3)}" y="${HEAD + 5 + (i % 2) * 10}">${escapeXml(label)}</text>`,
    );
  }
  parts.push(...ticks(from, to, x));
  for (const [i, { points }] of series.entries()) {
    const colour = COLOURS[i % COLOURS.length] ?? "#000";
    for (const run of runsOf(points, picture.stepSeconds)) {
      const line = run.map(({ t, value }) => `${px(x(t))},${px(y(value))}`).join(" ");
      parts.push(`<polyline class="l" stroke="${colour}" points="${line}"/>`);
    }
  }
  parts.push(legends(series, zeros), "</g>");
  return parts.join("\n");
}

function ticks(from: number, to: number, x: (t: number) => number): string[] {
  const step = [10, 15, 30, 60, 300].find((size) => (to - from) / size <= 9) ?? 600;
  const drawn: string[] = [];
  for (let s = 0; s <= to - from; s += step) {
    const at = `x="${px(x(from + s))}" y="${HEIGHT - FOOT + 13}"`;
    drawn.push(`<text ${at} text-anchor="middle">${s} s</text>`);
  }
  return drawn;
}

/** panel-svg.2. */
export function withoutZeros(all: readonly Series[]): { series: readonly Series[]; zeros: number } {
  const series = all.filter(({ points }) => points.some(({ value }) => value !== 0));
  if (series.length > 0) return { series, zeros: all.length - series.length };
  const [first] = all; // One line represents all equal lines.
  return { series: first === undefined ? [] : [first], zeros: Math.max(0, all.length - 1) };
}

function legends(series: readonly Series[], zeros: number): string {
  if (series.length === 0) return `<text x="${LEFT}" y="${HEIGHT / 2}">no data</text>`;
  const shown = series.slice(0, LEGENDS_MAX);
  const more = zeros > 0 ? [`and ${zeros} more at 0`] : [];
  const slot = (WIDTH - LEFT - RIGHT) / Math.max(4, shown.length + more.length);
  const room = Math.floor(slot / 5.6) - 3;
  const texts = shown.map(({ legend }, i) => {
    const at = LEFT + i * slot;
    const colour = COLOURS[i % COLOURS.length];
    const box = `<rect x="${px(at)}" y="${HEIGHT - 22}" width="8" height="8" fill="${colour}"/>`;
    const text = legend.length > room ? `${legend.slice(0, room - 1)}…` : legend;
    return `${box}<text x="${px(at + 11)}" y="${HEIGHT - 14}">${escapeXml(text)}</text>`;
  });
  const rest = more.map((text) => {
    const at = px(LEFT + shown.length * slot);
    return `<text x="${at}" y="${HEIGHT - 14}">${text}</text>`;
  });
  return [...texts, ...rest].join("");
}

/** panel-svg.3. */
export function runsOf<P extends { readonly t: number }>(
  points: readonly P[],
  stepSeconds: number,
): P[][] {
  const runs: P[][] = [];
  for (const point of points) {
    const run = runs.at(-1);
    const before = run?.at(-1);
    if (run === undefined || before === undefined) runs.push([point]);
    else if (point.t - before.t > GAP_STEPS * stepSeconds) runs.push([point]);
    else run.push(point);
  }
  return runs;
}

/** panel-svg.1: two to five steps of 1, 2 or 5 × a power of ten; for bytes × a power of 1,024. */
export function axisTo(most: number, unit = ""): { readonly end: number; readonly step: number } {
  if (most <= 0) return { end: 1, step: 1 };
  if (unit === "bytes") {
    const [size] = SCALES["bytes"]?.find(([least]) => most >= least) ?? [1];
    const { end, step } = axisTo(most / size);
    return { end: end * size, step: step * size };
  }
  const power = 10 ** Math.floor(Math.log10(most / 4));
  const step = [1, 2, 5, 10].map((n) => n * power).find((size) => most / size <= 5) ?? most;
  return { end: Math.ceil((most / step) * (1 - 1e-9)) * step, step };
}

const SCALES: Readonly<Record<string, readonly (readonly [number, string])[]>> = {
  s: [
    [1, " s"],
    [1e-3, " ms"],
    [1e-6, " µs"],
  ],
  bytes: [
    [2 ** 30, " GiB"],
    [2 ** 20, " MiB"],
    [2 ** 10, " KiB"],
  ],
  percentunit: [[0.01, " %"]],
  ops: [[1, "/s"]],
};

/** Formats a value in the unit of Grafana. */
export function format(value: number, unit: string): string {
  if (value === 0) return "0";
  const scales = SCALES[unit] ?? [[1, ""]];
  const [size, name] = scales.find(([least]) => value >= least * 0.9999) ??
    scales.at(-1) ?? [1, ""];
  return `${Number((value / size).toPrecision(3))}${name}`;
}

function px(value: number): string {
  return value.toFixed(1);
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
