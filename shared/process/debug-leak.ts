// DebugLeak: makes a process leak memory, for drills. The configuration permits it only with
// NODE_ENV=development (process/config.4).

import type { Clock } from "../ports/clock.ts";
import type { Logger } from "./logger.ts";
import type { Shutdown } from "./shutdown.ts";

const STEP_MS = 100;
/** Each object takes about this much of the heap. */
const OBJECT_BYTES = 1_024;

export function leak(options: {
  readonly kibPerSecond: number;
  readonly maxMib: number;
  readonly clock: Pick<Clock, "every">;
  readonly logger: Pick<Logger, "warn">;
  readonly shutdown: Pick<Shutdown, "add">;
}): void {
  const { kibPerSecond, maxMib, clock, logger, shutdown } = options;
  logger.warn({ kibPerSecond, maxMib }, "this process leaks, for a drill");
  const kept: number[][] = [];
  const timer = clock.every(STEP_MS, () => {
    const count = Math.round((kibPerSecond * STEP_MS) / 1_000);
    for (let i = 0; i < count && kept.length < maxMib * 1_024; i++) {
      kept.push(Array.from({ length: OBJECT_BYTES / 8 }, (_, n) => n + 0.5));
    }
  });
  shutdown.add("leak", () => Promise.resolve(timer.cancel()));
}
