// Fuzz: runs one decoder over many broken messages and reports what came of them.

import { seededRandom, below } from "#shared/kit/random.ts";
import { mutate } from "./mutate.ts";
import type { Target } from "./targets.ts";

export interface FuzzResult {
  readonly runs: number;
  readonly refused: number;
  readonly taken: number;
  readonly seconds: number;
  readonly heapBefore: number;
  readonly heapAfter: number;
  /** The first messages that made the decoder, or the first use of what it took, throw. */
  readonly findings: readonly { readonly text: string; readonly error: string }[];
}

const FINDINGS_MAX = 5;

/** Stops after FINDINGS_MAX findings. Heaps are in bytes, collected before when Node may. */
export function fuzz({ seeds, take }: Target, runs: number, seed: number): FuzzResult {
  const random = seededRandom(seed);
  const findings: { text: string; error: string }[] = [];
  const heapBefore = heap();
  const began = performance.now();
  let [done, taken] = [0, 0];
  for (; done < runs && findings.length < FINDINGS_MAX; done++) {
    const text = mutate(seeds[below(random, seeds.length)] ?? "", random);
    try {
      if (take(text)) taken++;
    } catch (error: unknown) {
      findings.push({ text: text.slice(0, 500), error: String(error) });
    }
  }
  const seconds = (performance.now() - began) / 1_000;
  const refused = done - taken - findings.length;
  return { runs: done, refused, taken, seconds, heapBefore, heapAfter: heap(), findings };
}

function heap(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
