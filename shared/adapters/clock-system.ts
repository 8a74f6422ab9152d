// System clock: Node's clocks and timers, and the system's random bits, behind their ports.
//
// Node guarantees neither half of clock.2: setTimeout may fire up to a millisecond early (its own
// loop time is rounded), and a delay above 2^31 - 1 ms fires at once. This file repairs both.
// `soon` is setImmediate: it runs after all sockets that were readable in this round (clock.3).
// `every` lets all periodic work of the machine share its wake-ups (periodic-work.ts); the lateness
// of its timer shows how long the event loop was busy.
// Timers keep the process running, so that a timer that is not cancelled becomes visible as a bug.

import { randomFillSync } from "node:crypto";
import { createHistogram } from "node:perf_hooks";
import type { RecordableHistogram } from "node:perf_hooks";
import type { Clock, Random, Timer } from "../ports/clock.ts";
import type { Millis } from "../protocol/ids.ts";
import { PeriodicWork } from "./periodic-work.ts";

const DELAY_MS_MAX = 2 ** 31 - 1;
/** One system call per 1,024 numbers: 4 KiB. */
const BATCH = 1_024;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: armTimer,
  every: (periodMs, run) => periodicWork.add(periodMs, run),
  soon: (run) => void setImmediate(run),
};

/** All processes of a machine read the same hrtime: the time since its start. */
const machineAheadMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** The clock at whose multiples periodic work runs. */
export function machineNow(): Millis {
  return performance.now() + machineAheadMs;
}

/** How late the turns of the periodic work were, in nanoseconds; a reader may reset it. */
export const turnLateness: RecordableHistogram = createHistogram();

const periodicWork = new PeriodicWork(
  { monotonic: () => performance.now(), after: armTimer },
  {
    machineAheadMs,
    onTurn: (lateMs) => turnLateness.record(Math.max(1, Math.round(lateMs * 1e6))),
  },
);

function armTimer(delayMs: number, run: () => void): Timer {
  const due = performance.now() + delayMs;
  const fire = (): void => {
    const left = due - performance.now();
    if (left <= 0) run();
    else timer = setTimeout(fire, nodeDelay(left));
  };
  let timer = setTimeout(fire, nodeDelay(delayMs));
  return { cancel: () => clearTimeout(timer) };
}

function nodeDelay(ms: number): number {
  return Math.max(0, Math.min(Math.ceil(ms), DELAY_MS_MAX));
}

const batch = new Uint32Array(BATCH);
let used = BATCH;

export const systemRandom: Random = {
  next32(): number {
    if (used === BATCH) {
      randomFillSync(batch);
      used = 0;
    }
    return batch[used++] ?? 0;
  },
};
