// Advance: virtual time for a whole gateway. After each step it lets promises and the memory bus
// run.

import type { FakeClock } from "#shared/testing/fake-clock.ts";

export async function advance(clock: FakeClock, ms: number, stepMs: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    clock.advance(stepMs);
    await new Promise(setImmediate);
  }
}
