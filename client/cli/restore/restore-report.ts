// RestoreReport: the lines that `parley restore logs` prints. Pure.

import type { RestoreReport } from "../../../services/persistence/runtime/restore-logs.ts";

/**
 * One line for each partition that is not whole, then the next step. `isApplied`: not only planned.
 */
export function reportLines({ plans, recreated }: RestoreReport, isApplied: boolean): string[] {
  const lines: string[] = [];
  for (const plan of plans) {
    const name = `partition ${plan.p}`;
    if (plan.kind === "refused") lines.push(`REFUSED ${name}: ${plan.why}`);
    if (plan.kind !== "restore") continue;
    const { firstSeq, lostRange, why } = plan;
    const changed = isApplied
      ? `recreated rooms: ${recreated.get(plan.p) ?? 0}`
      : "rooms are to be recreated";
    const births = lostRange === undefined ? "rooms keep their births" : changed;
    lines.push(`${name}: the log continues at ${firstSeq}, ${births} (${why})`);
  }
  const count = (kind: string): number => plans.filter((plan) => plan.kind === kind).length;
  return [...lines, nextStep(count("refused"), count("restore"), isApplied)];
}

function nextStep(refused: number, restored: number, isApplied: boolean): string {
  if (refused > 0) {
    return "nothing was changed: inspect with parley log <partition>, or discard with --discard";
  }
  if (restored === 0) return "all logs reach the archive: nothing to restore";
  if (isApplied) return `created ${restored} logs; check with parley status`;
  return "nothing was changed; --yes applies the plan";
}
