// Versions: this checkout, and the one that BASE names, each as a peer, and the comparison of their
// figures. `make bench ONLY=B6 BASE=../before` measures the effect of a change.
//
//   versions.1. The two play in turn, and each second round begins with the base.

import { leg as playLeg } from "./alternate.ts";
import type { PlayLeg } from "./alternate.ts";
import { sayMore } from "./blank-leg.ts";
import type { Leg } from "./figures.ts";
import { ratio } from "./figures.ts";
import type { ItemOptions, Verdict } from "./item.ts";
import { PARLEY, PARLEY_BASE, startParley } from "./peers/parley.ts";
import type { ParleyOptions, ParleyPeer } from "./peers/parley.ts";

/** The goal of a change: no row costs more than 3 % more than before. */
const MOST = 1.03;

/** Starts of the versions of a round, in their order (versions.1). */
export function versions(
  { peers }: Pick<ItemOptions, "peers">,
  round: number,
  options: ParleyOptions = {},
): readonly (() => Promise<ParleyPeer>)[] {
  const own = (): Promise<ParleyPeer> => startParley(options);
  if (!peers.has("base")) return [own];
  const checkout = process.env["BASE"] ?? ".";
  const base = (): Promise<ParleyPeer> => startParley({ ...options, checkout });
  return round % 2 === 0 ? [own, base] : [base, own];
}

/** A leg of each version in each round. */
export async function playVersions(
  options: ItemOptions,
  play: PlayLeg<ParleyPeer>,
  parley: ParleyOptions = {},
): Promise<readonly Leg[]> {
  const legs: Leg[] = [];
  for (let round = 0; round < options.rounds; round++) {
    for (const start of versions(options, round, parley)) {
      legs.push(await playLeg(start, play, sayMore(options)));
    }
  }
  return legs;
}

export function isOwn({ peer }: Leg): boolean {
  return peer === PARLEY;
}

/** A verdict for each figure, by its name in `more`; none when no base played. */
export function toBase(legs: readonly Leg[], names: readonly string[]): readonly Verdict[] {
  return names.flatMap((name) => {
    const of = (peer: string): readonly number[] =>
      legs.filter((leg) => leg.peer === peer).map(({ more }) => more?.[name] ?? NaN);
    return versus(name, of(PARLEY), of(PARLEY_BASE));
  });
}

/** The median of the ratios of all rounds (figures.1). */
export function versus(
  what: string,
  ours: readonly number[],
  theirs: readonly number[],
): readonly Verdict[] {
  if (theirs.length === 0) return [];
  const { median, least, most } = ratio(ours, theirs);
  const measured = `${median.toFixed(2)} × (${least.toFixed(2)} … ${most.toFixed(2)})`;
  return [{ what: `${what}, to the base`, target: `≤ ${MOST} ×`, measured, ok: median <= MOST }];
}
