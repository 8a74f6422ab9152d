// Drill: the rounds of one mode, from an empty network of regions to the verdict.
//
// Owns: the network, the pair of regions, their folder. Does not own: one round (round.ts,
// both-round.ts), how the regions are joined (mirrored.ts, stretched.ts, both-serve.ts).

import { rmSync } from "node:fs";
import { chmod, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spreadOf } from "./figures.ts";
import { other } from "./postgres-pair.ts";
import { RegionNetwork } from "./region-network.ts";
import type { Cut, RegionName } from "./region-network.ts";
import type { PairOptions, RegionPair } from "./region-pair.ts";
import { runBothRound } from "./both-round.ts";
import type { BothRoundResult } from "./both-round.ts";
import { bothRoundLine } from "./both-results.ts";
import type { BothModeResult } from "./both-results.ts";
import { BothServe } from "./both-serve.ts";
import { roundLine } from "./results.ts";
import type { ModeResult } from "./results.ts";
import { RTO_MAX_MS, runRound } from "./round.ts";
import type { RoundResult } from "./round.ts";
import { Mirrored } from "./mirrored.ts";
import { Stretched } from "./stretched.ts";

export const MODES = ["asynchronous", "synchronous", "stretched"] as const;
export type Mode = (typeof MODES)[number];
/** Modes in which both regions serve. */
export const BOTH_MODES = ["both-asynchronous", "both-synchronous"] as const;
export type BothMode = (typeof BOTH_MODES)[number];

export interface DrillOptions {
  readonly rounds: number;
  /** Of load before each cut. */
  readonly seconds: number;
  /** The round trip between regions and witness. */
  readonly rttMs: number;
  readonly cut: Cut;
  /** Prints a result. */
  readonly print: (line: string) => void;
  /** Prints what the processes report meanwhile. */
  readonly say: (line: string) => void;
}

/** This machine has no network of regions. */
export type Unavailable = { readonly kind: "unavailable"; readonly reason: string };

export type DrillOutcome =
  | { readonly kind: "ran"; readonly result: ModeResult; readonly complaints: readonly string[] }
  | Unavailable;

export interface BothOutcome {
  readonly kind: "ran";
  readonly result: BothModeResult;
  readonly complaints: readonly string[];
}

const OPEN: Readonly<Record<Mode, (options: PairOptions) => Promise<RegionPair>>> = {
  asynchronous: (options) => Mirrored.open("asynchronous", options),
  synchronous: (options) => Mirrored.open("synchronous", options),
  stretched: (options) => Stretched.open(options),
};
/** An append does not wait for the other region. */
const MAY_LOSE: ReadonlySet<string> = new Set(["asynchronous"]);
const PARTITIONS = 4;
const FIRST: RegionName = "east";
const ALL_MAY_PASS = 0o711;
const VIOLATIONS_SHOWN = 10;

export async function runDrill(mode: Mode, options: DrillOptions): Promise<DrillOutcome> {
  const { rttMs, cut } = options;
  return inNetwork(options, async (place) => {
    const rounds = await runRounds(mode, { ...options, ...place });
    const result = { mode, rttMs, cut, rounds };
    return { kind: "ran", result, complaints: complaintsOf(result, MAY_LOSE.has(mode)) };
  });
}

/** A drill of two regions that both serve. */
export async function runBothDrill(
  mode: BothMode,
  options: DrillOptions,
): Promise<Unavailable | BothOutcome> {
  const { rttMs, cut } = options;
  return inNetwork(options, async (place) => {
    const rounds = await runBothRounds(mode, { ...options, ...place });
    const result = { mode, rttMs, cut, rounds };
    return { kind: "ran", result, complaints: bothComplaintsOf(result) };
  });
}

type Placed = Pick<PairOptions, "network" | "dir">;

/** Runs a drill in an empty network of regions, with an empty folder. */
async function inNetwork<Outcome>(
  { rttMs }: DrillOptions,
  run: (place: Placed) => Promise<Outcome>,
): Promise<Unavailable | Outcome> {
  const opening = await RegionNetwork.open(rttMs);
  if (opening.kind === "unavailable") return opening;
  using network = opening.network;
  const dir = await mkdtemp(join(tmpdir(), "parley-region-"));
  const removeDir = (): void => rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  process.on("exit", removeDir); // Also after Ctrl-C.
  try {
    await chmod(dir, ALL_MAY_PASS); // PostgreSQL runs as a user of its own.
    return await run({ network, dir });
  } finally {
    process.off("exit", removeDir);
    removeDir();
  }
}

async function runBothRounds(
  mode: BothMode,
  options: DrillOptions & Placed,
): Promise<BothRoundResult[]> {
  const { network, dir, rounds, seconds, cut, print, say } = options;
  const done: BothRoundResult[] = [];
  const regionMode = mode === "both-synchronous" ? "synchronous" : "asynchronous";
  await using both = await BothServe.open(regionMode, {
    network,
    dir,
    partitions: PARTITIONS,
    say,
  });
  for (let n = 1, lost = FIRST; n <= rounds; n++, lost = other(lost)) {
    const round = await runBothRound({ n, network, both, lost, seconds, cut, dir });
    done.push(round);
    print(bothRoundLine(`${mode} round ${n}, ${lost} is lost`, round));
    for (const violation of round.violations.slice(0, VIOLATIONS_SHOWN)) {
      print(JSON.stringify(violation));
    }
    for (const surprise of round.surprises) print(`surprise: ${surprise}`);
  }
  return done;
}

async function runRounds(mode: Mode, options: DrillOptions & Placed): Promise<RoundResult[]> {
  const { network, dir, rounds, seconds, cut, print, say } = options;
  const done: RoundResult[] = [];
  await using pair = await OPEN[mode]({ network, dir, first: FIRST, partitions: PARTITIONS, say });
  for (let n = 1, lost = FIRST; n <= rounds; n++, lost = other(lost)) {
    const round = await runRound({ n, network, pair, lost, seconds, cut, dir });
    done.push(round);
    print(roundLine(`${mode} round ${n}, ${lost} is lost`, round));
    for (const refusal of round.refusals) print(`promoted by hand: ${refusal}`);
    for (const violation of round.violations.slice(0, VIOLATIONS_SHOWN)) {
      print(JSON.stringify(violation));
    }
    for (const surprise of round.surprises) print(`surprise: ${surprise}`);
  }
  return done;
}

/** Empty when the mode keeps its promises. */
function complaintsOf({ rounds }: ModeResult, mayLose: boolean): string[] {
  const violations = rounds.reduce((sum, round) => sum + round.violations.length, 0);
  const lost = rounds.reduce((sum, { rpo }) => sum + rpo, 0);
  const { p99 } = spreadOf(rounds.flatMap(({ rtoMs }) => rtoMs));
  return [
    violations > 0 && `${violations} violations`,
    lost > 0 && !mayLose && `${lost} acknowledged messages are lost`,
    p99 > RTO_MAX_MS && `the RTO is above ${RTO_MAX_MS} ms`,
  ].filter((text) => text !== false);
}

/** Empty when the loss of a region is noticed in its own home alone. */
function bothComplaintsOf({ mode, rounds }: BothModeResult): string[] {
  const sum = (valueOf: (round: BothRoundResult) => number): number =>
    rounds.reduce((all, round) => all + valueOf(round), 0);
  const [violations, lost] = [sum((round) => round.violations.length), sum(({ rpo }) => rpo)];
  const otherLost = sum(({ otherRpo }) => otherRpo);
  const { p99 } = spreadOf(rounds.flatMap((round) => [...round.movedRtoMs, ...round.gatewayRtoMs]));
  return [
    violations > 0 && `${violations} violations`,
    lost > 0 && mode === "both-synchronous" && `${lost} acknowledged messages are lost`,
    otherLost > 0 && `${otherLost} acknowledged messages of the other home are lost`,
    p99 > RTO_MAX_MS && `the RTO is above ${RTO_MAX_MS} ms`,
  ].filter((text) => text !== false);
}
