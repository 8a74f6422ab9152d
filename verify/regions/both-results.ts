// BothResults: the rounds of a mode in which both regions serve, as lines for the terminal, and as
// a row of the table in docs/operating/regions.md. Pure.

import type { BothRoundResult } from "./both-round.ts";
import { spreadOf } from "./figures.ts";
import { msText as ms, secondsText as s, withRows } from "./results.ts";
import type { Table } from "./results.ts";

export interface BothModeResult {
  readonly mode: string;
  readonly rttMs: number;
  readonly cut: string;
  readonly rounds: readonly BothRoundResult[];
}

const TABLE: Table = {
  begin: "<!-- begin: make drill-region MODE=both -->",
  end: "<!-- end: make drill-region MODE=both -->",
  head: [
    "mode",
    "round trip",
    "cut",
    "rounds",
    "send to ack, near p50 / p99",
    "the same, far p50 / p99",
    "RPO of the lost home",
    "RPO of the other home",
    "RTO of moved rooms p50 / p99 / max",
    "RTO of clients of the lost gateway p50 / p99 / max",
    "taken over after p50 / max",
    "longest wait in rooms of the other home, before the cut / after it",
    "follows again after p50 / max",
  ],
};

export function bothRoundLine(what: string, round: BothRoundResult): string {
  const [near, far] = [spreadOf(round.nearMs), spreadOf(round.farMs)];
  const [moved, gateway] = [spreadOf(round.movedRtoMs), spreadOf(round.gatewayRtoMs)];
  return [
    `${what}: near ${ms(near.p50)} / ${ms(near.p99)}, far ${ms(far.p50)} / ${ms(far.p99)}`,
    `RPO ${round.rpo} and ${round.otherRpo} of ${round.acked} messages`,
    `moved rooms RTO max ${s(moved.max)}`,
    `clients of the lost gateway RTO max ${s(gateway.max)}`,
    `taken over after ${s(round.promotedMs)}`,
    `the other home waits ${ms(round.otherBeforeMs)} before, ${ms(round.otherAfterMs)} after`,
    `follows again ${s(round.rejoinedMs)} after the heal`,
    `${round.violations.length} violations`,
  ].join("; ");
}

/** The page with the rows of `results`. */
export function publishBoth(page: string, results: readonly BothModeResult[]): string {
  return withRows(page, TABLE, results.map(rowOf));
}

function rowOf({ mode, rttMs, cut, rounds }: BothModeResult): string {
  const of = (valuesOf: (round: BothRoundResult) => readonly number[]) =>
    spreadOf(rounds.flatMap((round) => valuesOf(round)));
  const [near, far] = [of((r) => r.nearMs), of((r) => r.farMs)];
  const [moved, gateway] = [of((r) => r.movedRtoMs), of((r) => r.gatewayRtoMs)];
  const promoted = of((r) => [r.promotedMs]);
  const rejoined = of((r) => [r.rejoinedMs]);
  const sum = (valueOf: (round: BothRoundResult) => number): number =>
    rounds.reduce((all, round) => all + valueOf(round), 0);
  const max = (valueOf: (round: BothRoundResult) => number): number =>
    Math.max(...rounds.map(valueOf));
  const acked = sum((r) => r.acked).toLocaleString("en");
  const cells = [
    mode,
    ms(rttMs, 0),
    cut,
    rounds.length,
    `${ms(near.p50)} / ${ms(near.p99)}`,
    `${ms(far.p50)} / ${ms(far.p99)}`,
    `${sum((r) => r.rpo)} of ${acked}; a round at most ${max((r) => r.rpo)}`,
    String(sum((r) => r.otherRpo)),
    `${s(moved.p50)} / ${s(moved.p99)} / ${s(moved.max)}`,
    `${s(gateway.p50)} / ${s(gateway.p99)} / ${s(gateway.max)}`,
    `${s(promoted.p50)} / ${s(promoted.max)}`,
    `${ms(
      max((r) => r.otherBeforeMs),
      0,
    )} / ${ms(
      max((r) => r.otherAfterMs),
      0,
    )}`,
    `${s(rejoined.p50)} / ${s(rejoined.max)}`,
  ];
  return `| ${cells.join(" | ")} |`;
}
