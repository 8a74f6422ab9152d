// Results: the rounds of one mode as lines for the terminal, and as a row of the table in
// docs/operating/regions.md. Pure.
//
//   regions/results.1. A run replaces the rows of its own mode and round trip, and keeps the
//        others.

import { spreadOf } from "./figures.ts";
import type { RoundResult } from "./round.ts";

export interface ModeResult {
  readonly mode: string;
  readonly rttMs: number;
  /** What the cut drops: see `Cut`. */
  readonly cut: string;
  readonly rounds: readonly RoundResult[];
}

/** A table of a page, between two lines. */
export interface Table {
  readonly begin: string;
  readonly end: string;
  readonly head: readonly string[];
}

const HEAD = [
  "mode",
  "round trip",
  "cut",
  "rounds",
  "send to ack p50 / p99",
  "RPO: lost of acknowledged messages",
  "RTO p50 / p99 / max",
  "of it with the SDK",
  "promoted after p50 / max",
  "last ack of the lost region, at most",
  "first ack of the other region, at least",
  "follows again after p50 / max",
] as const;
const TABLE: Table = {
  begin: "<!-- begin: make drill-region -->",
  end: "<!-- end: make drill-region -->",
  head: HEAD,
};

/** One line for a round. */
export function roundLine(what: string, round: RoundResult): string {
  const [rto, sdk] = [spreadOf(round.rtoMs), spreadOf(round.sdkRtoMs)];
  return [
    `${what}: RTO p50 ${secondsText(rto.p50)} max ${secondsText(rto.max)}, with the SDK max ${secondsText(sdk.max)}`,
    `RPO ${round.rpo} of ${round.acked} messages`,
    `promoted after ${secondsText(round.promotedMs)}`,
    `the lost region: last ack ${after(round.lastOldMs)}`,
    `the other region: first ack ${after(round.firstNewMs)}`,
    `follows again ${secondsText(round.rejoinedMs)} after the heal`,
    `${round.violations.length} violations`,
  ].join("; ");
}

export function modeLine({ mode, rttMs, cut, rounds }: ModeResult): string {
  const [rto, ack] = [spreadOf(rounds.flatMap((r) => r.rtoMs)), ackOf(rounds)];
  const sdk = spreadOf(rounds.flatMap((r) => r.sdkRtoMs));
  return (
    `${mode}, round trip ${rttMs} ms, cut ${cut}, ${rounds.length} rounds: ` +
    `RTO p50 ${secondsText(rto.p50)} p99 ${secondsText(rto.p99)} max ${secondsText(rto.max)}; ` +
    `with the SDK p50 ${secondsText(sdk.p50)} p99 ${secondsText(sdk.p99)} max ${secondsText(sdk.max)}; RPO ${rpoOf(rounds)}; ` +
    `send to ack p50 ${msText(ack.p50)} p99 ${msText(ack.p99)}`
  );
}

/** regions/results.1. The page with the rows of `results`. */
export function publish(page: string, results: readonly ModeResult[]): string {
  return withRows(page, TABLE, results.map(rowOf));
}

/** The page, where `added` replaces the rows of the table with the same keys. */
export function withRows(page: string, table: Table, added: readonly string[]): string {
  const { begin, end, head } = table;
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the page needs the lines ${begin} and ${end}`);
  const rows = new Map<string, string>();
  const isRow = (line: string): boolean =>
    line.startsWith("| ") && !line.startsWith("| ---") && !line.startsWith(`| ${head[0]} |`);
  for (const line of page.slice(from, to).split("\n").filter(isRow)) rows.set(keyOf(line), line);
  for (const line of added) rows.set(keyOf(line), line);
  const lines = [head.join(" | "), head.map(() => "---").join(" | ")].map((text) => `| ${text} |`);
  const text = [begin, "", ...lines, ...[...rows.values()].sort(), "", ""].join("\n");
  return page.slice(0, from) + text + page.slice(to);
}

function rowOf({ mode, rttMs, cut, rounds }: ModeResult): string {
  const [rto, ack] = [spreadOf(rounds.flatMap((r) => r.rtoMs)), ackOf(rounds)];
  const sdk = spreadOf(rounds.flatMap((r) => r.sdkRtoMs));
  const promoted = spreadOf(rounds.map(({ promotedMs }) => promotedMs));
  const rejoined = spreadOf(rounds.map(({ rejoinedMs }) => rejoinedMs));
  const lastOld = Math.max(...rounds.map(({ lastOldMs }) => lastOldMs ?? -Infinity));
  const firstNew = Math.min(...rounds.map(({ firstNewMs }) => firstNewMs ?? Infinity));
  const cells = [
    mode,
    msText(rttMs, 0),
    cut,
    rounds.length,
    `${msText(ack.p50)} / ${msText(ack.p99)}`,
    rpoOf(rounds),
    `${secondsText(rto.p50)} / ${secondsText(rto.p99)} / ${secondsText(rto.max)}`,
    `${secondsText(sdk.p50)} / ${secondsText(sdk.p99)} / ${secondsText(sdk.max)}`,
    `${secondsText(promoted.p50)} / ${secondsText(promoted.max)}`,
    after(Number.isFinite(lastOld) ? lastOld : undefined),
    after(Number.isFinite(firstNew) ? firstNew : undefined),
    `${secondsText(rejoined.p50)} / ${secondsText(rejoined.max)}`,
  ];
  return `| ${cells.join(" | ")} |`;
}

/** Mode, round trip and cut. */
function keyOf(row: string): string {
  const cells = row.split("|").map((cell) => cell.trim());
  return cells.slice(1, 4).join(" ");
}

function ackOf(rounds: readonly RoundResult[]): { p50: number; p99: number } {
  return spreadOf(rounds.flatMap(({ ackMs }) => ackMs));
}

function rpoOf(rounds: readonly RoundResult[]): string {
  const lost = rounds.map(({ rpo }) => rpo);
  const [sum, max] = [lost.reduce((a, b) => a + b, 0), Math.max(...lost)];
  const acked = rounds.reduce((all, { acked: some }) => all + some, 0).toLocaleString("en");
  return sum === 0 ? `0 of ${acked}` : `${sum} of ${acked}; a round at most ${max}`;
}

function after(value: number | undefined): string {
  if (value === undefined) return "none";
  const size = Math.abs(value);
  const text = size < 1_000 ? msText(size, 0) : secondsText(size);
  return value < 0 ? `${text} before the cut` : `${text} after the cut`;
}

export function secondsText(value: number): string {
  return `${(value / 1_000).toFixed(1)} s`;
}

export function msText(value: number, digits = 1): string {
  return `${value.toFixed(digits)} ms`;
}
