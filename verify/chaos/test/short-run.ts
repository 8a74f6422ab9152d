// ShortRun: the chaos run of the end-to-end tests: one NATS server, few rooms, long deadlines.
//
// The deadlines of the fault table are multiplied, because a machine that runs a whole test suite
// at the same time must not decide about them. `make chaos` measures them; a short run shows that
// nothing is lost and that every client is served again.

import { expect } from "chai";
import type { ChaosOptions } from "../options.ts";
import { runChaos } from "../run.ts";

export type ShortRun = Awaited<ReturnType<typeof runChaos>> & { readonly output: string };

export async function runShort(
  options: Pick<ChaosOptions, "seconds" | "rows" | "dir"> & Partial<ChaosOptions>,
): Promise<ShortRun> {
  const output: string[] = [];
  const result = await runChaos({
    seed: 1,
    rooms: 40,
    rate: 200,
    nats: 1,
    sleepers: 20,
    fakeTimeLibrary: undefined,
    patience: 20,
    quietMs: 7_000,
    mustAllHappen: false,
    endsWithPlan: true,
    say: (line) => output.push(line),
    ...options,
  });
  return { ...result, output: output.join("\n") };
}

/** Every invariant holds, and every message was acknowledged or decided against. */
export function expectClean({ report, complaints, output }: ShortRun): void {
  const { counts, violations } = report;
  expect(violations, output).to.deep.equal([]);
  expect(complaints).to.deep.equal([]);
  expect(counts.acked + counts.refused).to.equal(counts.sent);
  expect(counts.acked).to.be.above(1_000);
}
