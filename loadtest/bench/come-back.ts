// Come back: a sink whose gateway was killed reconnects as the SDK does, with full jitter.

import { systemRandom } from "#shared/adapters/clock-system.ts";
import { fullJitter } from "#shared/kit/backoff.ts";
import { pause } from "./blank-leg.ts";
import type { Sink } from "./sink.ts";

const BACK = { baseMs: 250, capMs: 20_000 };

/** Tries until a sink is ready. The first try waits, too. */
export async function comeBack(open: () => Promise<Sink>): Promise<Sink> {
  for (let attempt = 0; ; attempt++) {
    await pause(fullJitter(attempt, BACK, systemRandom));
    const sink = await open();
    try {
      await sink.ready;
      return sink;
    } catch {
      sink.close(); // No gateway listens yet; the next attempt waits longer.
    }
  }
}
