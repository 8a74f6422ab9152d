// Flame graph: a V8 CPU profile as an SVG without a script. Each box is a function. Its width is
// the share of samples with the function on the stack, and its callees are above it. Hovering shows
// the name, the place and the share.
//
//   flame.1. Time counts for a function and all of its callers; idle time does not count. V8
//        samples by the wall clock, so a sample counts at most the interval: what is longer was a
//        wait for a core. perf.ts measures CPU time and needs no such bound.
//   flame.2. Names come from code and are escaped.

import { escapeXml } from "../plot.ts";

export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
    readonly children?: readonly number[];
  }[];
  readonly samples?: readonly number[];
  /** µs between samples. */
  readonly timeDeltas?: readonly number[];
}

export interface Frame {
  readonly name: string;
  readonly place: string;
  selfUs: number;
  totalUs: number;
  readonly children: Frame[];
}

const WIDTH = 1_200;
const ROW = 17;
const TOP = 40;
/** Narrower boxes are invisible. */
const LEAST_PX = 0.4;
const LETTER_PX = 6.6;

/** The tree of frames without idle time. `intervalUs`: of the sampling. */
export function toFrames(
  { nodes, samples = [], timeDeltas = [] }: CpuProfile,
  intervalUs: number,
): Frame {
  const frames = new Map<number, Frame>();
  for (const { id, callFrame } of nodes) {
    const { functionName, url, lineNumber } = callFrame;
    const place = url === "" ? "" : `${shortUrl(url)}:${lineNumber + 1}`;
    const name = functionName === "" ? "(anonymous)" : functionName;
    frames.set(id, { name, place, selfUs: 0, totalUs: 0, children: [] });
  }
  for (const { id, children = [] } of nodes) {
    const below = children.flatMap((child) => frames.get(child) ?? []);
    frames.get(id)?.children.push(...below);
  }
  for (const [i, id] of samples.entries()) {
    const frame = frames.get(id);
    if (frame !== undefined && frame.name !== "(idle)") {
      frame.selfUs += Math.min(intervalUs, timeDeltas[i] ?? 0);
    }
  }
  const root = frames.get(nodes[0]?.id ?? 0);
  if (root === undefined) throw new Error("the profile has no root");
  sum(root);
  return root;
}

function sum(frame: Frame): number {
  frame.totalUs = frame.selfUs + frame.children.reduce((all, child) => all + sum(child), 0);
  return frame.totalUs;
}

/** Functions by their self time, the most expensive first. */
export function bySelf(root: Frame): { readonly where: string; readonly share: number }[] {
  const selfUs = new Map<string, number>();
  const visit = (frame: Frame): void => {
    const where = frame.place === "" ? frame.name : `${frame.name} ${frame.place}`;
    selfUs.set(where, (selfUs.get(where) ?? 0) + frame.selfUs);
    for (const child of frame.children) visit(child);
  };
  visit(root);
  return [...selfUs]
    .map(([where, us]) => ({ where, share: us / root.totalUs }))
    .sort((a, b) => b.share - a.share);
}

export function flameGraph(root: Frame, title: string): string {
  const scale = WIDTH / Math.max(1, root.totalUs);
  const boxes: string[] = [];
  let deepest = 0;
  const draw = (frame: Frame, x: number, depth: number): void => {
    const width = frame.totalUs * scale;
    if (width < LEAST_PX) return;
    deepest = Math.max(deepest, depth);
    boxes.push(box(frame, { x, width, depth, share: frame.totalUs / root.totalUs }));
    let at = x;
    for (const child of frame.children.toSorted((a, b) => b.totalUs - a.totalUs)) {
      draw(child, at, depth + 1);
      at += child.totalUs * scale;
    }
  };
  draw(root, 0, 0);
  const height = TOP + (deepest + 1) * ROW + 10;
  const text = `${title}: ${(root.totalUs / 1e6).toFixed(1)} s of CPU`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="11">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="8" y="16" font-size="13">${escapeXml(text)}</text>`,
    `<text x="8" y="31" fill="#777777">green: Parley · blue: packages · grey: Node · red: native and collection</text>`,
    // Depth 0 is at the bottom.
    `<g transform="translate(0,${height - 10}) scale(1,1)">`,
    ...boxes,
    "</g></svg>",
  ].join("\n");
}

function box(
  frame: Frame,
  at: {
    readonly x: number;
    readonly width: number;
    readonly depth: number;
    readonly share: number;
  },
): string {
  const y = -(at.depth + 1) * ROW;
  const room = Math.floor((at.width - 4) / LETTER_PX);
  const label = room < 3 ? "" : escapeXml(frame.name.slice(0, room));
  const hint = escapeXml(`${frame.name} ${frame.place} ${(at.share * 100).toFixed(1)} %`);
  return (
    `<g><title>${hint}</title><rect x="${at.x.toFixed(1)}" y="${y}" width="${at.width.toFixed(1)}" height="${ROW - 1}" ` +
    `fill="${colour(frame)}"/>${label === "" ? "" : `<text x="${(at.x + 2).toFixed(1)}" y="${y + 12}">${label}</text>`}</g>`
  );
}

function colour({ place }: Frame): string {
  if (place === "") return "#e08a7a";
  if (place.startsWith("node:")) return "#c9c9c9";
  return place.includes("node_modules") ? "#9db8dd" : "#9cc9a4";
}

export function shortUrl(url: string): string {
  const packages = url.lastIndexOf("/node_modules/");
  if (packages >= 0) return url.slice(packages + 1);
  return url.replace(/^.*?\/(?=(?:services|shared|client|infra|loadtest|verify|tools)\/)/, "");
}
