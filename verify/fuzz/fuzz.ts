// Fuzz: runs one decoder on many broken messages and reports the results.

import { seededRandom, below } from "#shared/kit/random.ts";
import { mutate } from "./mutate.ts";
import type { Target } from "./target.ts";

export interface FuzzResult {
  readonly runs: number;
  readonly refused: number;
  readonly accepted: number;
  readonly seconds: number;
  readonly heapBefore: number;
  readonly heapAfter: number;
  /** The first messages at which the decoder, or the first use of its result, threw. */
  readonly findings: readonly { readonly text: string; readonly error: string }[];
}

const FINDINGS_MAX = 5;

/**
 * Stops after FINDINGS_MAX findings. Heap sizes are in bytes, after a collection with --expose-gc.
 */
export function fuzz({ seeds, take }: Target, runs: number, seed: number): FuzzResult {
  const random = seededRandom(seed);
  const findings: { text: string; error: string }[] = [];
  const heapBefore = heap();
  const began = performance.now();
  let [done, accepted] = [0, 0];
  for (; done < runs && findings.length < FINDINGS_MAX; done++) {
    const text = mutate(seeds[below(random, seeds.length)] ?? "", random);
    try {
      if (take(text)) accepted++;
    } catch (error: unknown) {
      findings.push({ text: text.slice(0, 500), error: String(error) });
    }
  }
  const seconds = (performance.now() - began) / 1_000;
  const refused = done - accepted - findings.length;
  return { runs: done, refused, accepted, seconds, heapBefore, heapAfter: heap(), findings };
}

function heap(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
