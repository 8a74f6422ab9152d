// Timeline: one picture of a run, with the acknowledgements per second, the faults, and the gaps of
// every room.
//
// A row is a room. It shows only the times without an acknowledgement that are longer than GAP_MS:
// a good run is nearly empty, and a bad run shows which fault stopped which rooms for how long.

import { join } from "node:path";
import type { Report } from "../checker/check.ts";
import { FILES, linesOf } from "../checker/folder.ts";
import { decodeRecord } from "../checker/record.ts";

const GAP_MS = 750;
const WIDTH = 1_600;
const LEFT = 90;
const ROW = 4;
const TOP = 150;
const CHART = 90;
const RIGHT = 20;

interface Acks {
  perSecond: number[];
  readonly gaps: Map<string, { from: number; to: number }[]>;
  endedAt: number;
}

export function drawTimeline(folder: string, report: Report): string {
  const acks = readAcks(folder);
  const seconds = Math.max(1, acks.endedAt / 1_000);
  const x = (ms: number): number => LEFT + (ms / 1_000 / seconds) * (WIDTH - LEFT - RIGHT);
  const rooms = [...acks.gaps.keys()].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const height = TOP + rooms.length * ROW + 30;
  const bands = report.faults.map(({ at, healedAt, fault }, i) => {
    const [from, to] = [x(at), x(healedAt ?? acks.endedAt)];
    const label = `<text x="${px(from)}" y="${12 + (i % 4) * 11}" class="f">${fault}</text>`;
    const size = `width="${px(Math.max(1, to - from))}" height="${height - 50}"`;
    return `<rect x="${px(from)}" y="48" ${size} class="b"/>${label}`;
  });
  const lines = rooms.flatMap((room, row) =>
    (acks.gaps.get(room) ?? []).map(({ from, to }) => {
      const size = `width="${px(Math.max(1, x(to) - x(from)))}" height="${ROW - 1}"`;
      const title = `<title>${room}: ${Math.round(to - from)} ms</title>`;
      return `<rect x="${px(x(from))}" y="${TOP + row * ROW}" ${size} class="g">${title}</rect>`;
    }),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif">`,
    "<style>.b{fill:#d97706;opacity:.18}.g{fill:#b91c1c}.a{fill:none;stroke:#1d4ed8}",
    "text{font-size:10px;fill:#333}.f{font-size:10px;fill:#92400e}</style>",
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    ...bands,
    chart(acks.perSecond, x),
    `<text x="4" y="${TOP + 8}">${rooms.length} rooms:</text>`,
    `<text x="4" y="${TOP + 20}">gaps &gt; ${GAP_MS} ms</text>`,
    ...lines,
    ...axis(seconds, x, height),
    "</svg>\n",
  ].join("\n");
}

function chart(perSecond: readonly number[], x: (ms: number) => number): string {
  const most = perSecond.reduce((a, b) => Math.max(a, b), 1);
  const y = (count: number): number => TOP - 10 - (count / most) * CHART;
  const points = perSecond.map((count, s) => `${px(x((s + 0.5) * 1_000))},${px(y(count))}`);
  return (
    `<polyline class="a" points="${points.join(" ")}"/>` +
    `<text x="4" y="${TOP - CHART}">${most} acks/s</text><text x="4" y="${TOP - 10}">0</text>`
  );
}

function axis(seconds: number, x: (ms: number) => number, height: number): string[] {
  const step = [1, 5, 10, 30, 60, 300, 3_600].find((size) => seconds / size <= 20) ?? 3_600;
  const ticks: string[] = [];
  for (let s = 0; s <= seconds; s += step) {
    ticks.push(`<text x="${px(x(s * 1_000))}" y="${height - 8}">${s} s</text>`);
  }
  return ticks;
}

function readAcks(folder: string): Acks {
  const acks: Acks = { perSecond: [], gaps: new Map(), endedAt: 0 };
  const lasts = new Map<string, number>();
  let beganAt: number | undefined;
  for (const line of linesOf(join(folder, FILES.records))) {
    const record = decodeRecord(line);
    if (record === undefined) continue;
    beganAt ??= record.t;
    const t = Math.max(0, record.t - beganAt);
    if (record.op === "mark" && record.what === "end") break;
    if (record.op !== "send" || record.phase !== "ok") continue;
    const second = Math.floor(t / 1_000);
    acks.perSecond[second] = (acks.perSecond[second] ?? 0) + 1;
    acks.endedAt = Math.max(acks.endedAt, t);
    const gaps = acks.gaps.get(record.room) ?? [];
    acks.gaps.set(record.room, gaps);
    const last = lasts.get(record.room) ?? t;
    if (t - last > GAP_MS) gaps.push({ from: last, to: t });
    lasts.set(record.room, t);
  }
  acks.perSecond = Array.from(acks.perSecond, (count) => count ?? 0);
  return acks;
}

function px(value: number): string {
  return value.toFixed(1);
}
