// Plot: CPU time for each delivery of every system under every shape, as an SVG without a library.
//
// Bars on a logarithmic scale, because costs differ by a factor of a hundred. One group for each
// shape, ordered by delivered messages per second (fan-out × rate).
//
//   plot.1. A system that did not deliver everything is hatched, because its cost is not
//        comparable.

import type { Leg } from "./figures.ts";
import { median } from "./figures.ts";

const WIDTH = 960;
const LEFT = 60;
const TOP = 40;
const PLOT_HEIGHT = 320;
const LABEL_HEIGHT = 150;
const DECADES = [0.1, 1, 10, 100] as const;
const COLOURS = ["#2f6f4e", "#c0563b", "#3b6fb0", "#a8842c", "#7a5ca8", "#666666"];

interface Bar {
  readonly peer: string;
  readonly us: number;
  readonly isWhole: boolean;
}

interface Group {
  readonly shape: string;
  readonly perSecond: number;
  readonly bars: readonly Bar[];
}

export function plotCost(legs: readonly Leg[]): string {
  const groups = groupsOf(legs.filter(({ delivered, cpuUs }) => delivered > 0 && cpuUs > 0));
  const peers = [...new Set(groups.flatMap(({ bars }) => bars.map(({ peer }) => peer)))];
  const colour = (peer: string): string => COLOURS[peers.indexOf(peer) % COLOURS.length] ?? "#000";
  const height = TOP + PLOT_HEIGHT + LABEL_HEIGHT;
  const slot = (WIDTH - LEFT - 10) / Math.max(1, groups.length);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="${LEFT}" y="16" font-size="14">CPU per delivered message, µs, all server processes (log scale; hatched: not all delivered)</text>`,
    `<defs><pattern id="part" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="3" height="6" fill="#ffffff" fill-opacity="0.6"/></pattern></defs>`,
    ...DECADES.map(
      (us) =>
        `<line x1="${LEFT}" x2="${WIDTH - 10}" y1="${yOf(us)}" y2="${yOf(us)}" stroke="#dddddd"/>` +
        `<text x="${LEFT - 6}" y="${yOf(us) + 4}" text-anchor="end">${us}</text>`,
    ),
    ...groups.map((group, i) => drawGroup(group, { x: LEFT + i * slot, slot, colour })),
    ...peers.map(
      (peer, i) =>
        `<rect x="${LEFT + i * 180}" y="${height - 20}" width="11" height="11" fill="${colour(peer)}"/>` +
        `<text x="${LEFT + i * 180 + 16}" y="${height - 10}">${escapeXml(peer)}</text>`,
    ),
    "</svg>",
  ];
  return `${parts.join("\n")}\n`;
}

function groupsOf(legs: readonly Leg[]): Group[] {
  const shapes = [...new Set(legs.map(({ shape }) => shape))];
  return shapes
    .map((shape) => {
      const own = legs.filter((leg) => leg.shape === shape);
      const peers = [...new Set(own.map(({ peer }) => peer))];
      const bars = peers.map((peer): Bar => {
        const some = own.filter((leg) => leg.peer === peer);
        const isWhole = some.every(({ delivered, expected }) => delivered === expected);
        return { peer, us: median(some.map(({ cpuUs }) => cpuUs)), isWhole };
      });
      const perSecond = median(own.map(({ expected, seconds }) => expected / seconds));
      return { shape, perSecond, bars };
    })
    .sort((a, b) => a.perSecond - b.perSecond);
}

function drawGroup(
  { shape, perSecond, bars }: Group,
  at: { readonly x: number; readonly slot: number; readonly colour: (peer: string) => string },
): string {
  const width = Math.min(26, (at.slot * 0.8) / Math.max(1, bars.length));
  const drawn = bars.map(({ peer, us, isWhole }, i) => {
    const x = at.x + at.slot * 0.1 + i * width;
    const y = yOf(us);
    const box = `x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${(width - 2).toFixed(1)}" height="${(TOP + PLOT_HEIGHT - y).toFixed(1)}"`;
    const label = `<text x="${(x + width / 2 - 1).toFixed(1)}" y="${(y - 4).toFixed(1)}" text-anchor="middle" font-size="9">${us.toFixed(us < 10 ? 1 : 0)}</text>`;
    const hatch = isWhole ? "" : `<rect ${box} fill="url(#part)"/>`;
    return `<rect ${box} fill="${at.colour(peer)}"/>${hatch}${label}`;
  });
  const x = at.x + at.slot / 2;
  const y = TOP + PLOT_HEIGHT + 14;
  const rate = `${Math.round(perSecond).toLocaleString("en")} deliveries/s`;
  const name = `<text transform="translate(${x.toFixed(1)},${y}) rotate(30)">${escapeXml(shape)}<tspan x="0" dy="13" fill="#777777">${rate}</tspan></text>`;
  return drawn.join("") + name;
}

function yOf(us: number): number {
  const least = Math.log10(DECADES[0]);
  const span = Math.log10(DECADES[3]) - least;
  const share = (Math.log10(Math.max(us, DECADES[0])) - least) / span;
  return TOP + PLOT_HEIGHT * (1 - share);
}

export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
