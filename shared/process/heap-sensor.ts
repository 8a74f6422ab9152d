// HeapSensor: how many bytes of the heap are still in use after a major collection.
//
// `heapUsed` contains garbage, so it rises and falls with the load. What a major collection leaves
// is what the program holds.
//
// Owns: the observer of collections, and the request for one. Does not own: what the numbers mean
// (trend.ts, forecast.ts).
//
//   heap-sensor.1. It reports after each major collection the bytes in use in all spaces except the
//        young generation.
//   heap-sensor.2. A heap that grows slowly has few major collections, too few for a forecast.
//        So the sensor asks V8 for one when these bytes grew by GROWN_SHARE of the limit. Such a
//        collection stops the process for about 2 ms for each MB: the sensor asks only up to
//        ASK_BYTES_MAX, and so rarely that these stops take at most STOP_SHARE of the time.
//   heap-sensor.3. The limit is --max-old-space-size. Without it, it is V8's own limit less the
//        young generation, because `heap_size_limit` includes that.

import { Session } from "node:inspector/promises";
import { constants, PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, getHeapStatistics } from "node:v8";
import type { Clock, Timer } from "../ports/clock.ts";

const MIB = 1024 * 1024;
const CHECK_MS = 10_000;
const GROWN_SHARE = 0.01;
const STOP_MS_PER_MIB = 2;
const STOP_SHARE = 0.001;
const ASK_BYTES_MAX = 128 * MIB;
/** Node 24 on 64 bits: three semi-spaces of 64 MiB count as the young generation. */
const YOUNG_BYTES = 192 * MIB;
const FLAG = /--max[-_]old[-_]space[-_]size=(\d+)/g;

export interface HeapSensor {
  /** Bytes of the old generation at which V8 ends the process. */
  readonly limit: number;
  close(): void;
}

export function openHeapSensor(options: {
  readonly clock: Clock;
  /** Receives the live bytes after each major collection. */
  readonly onLive: (bytes: number) => void;
  /** How many times faster than normal it looks: above 1 only for runs of seconds. */
  readonly speed?: number;
}): HeapSensor {
  const { clock, onLive, speed = 1 } = options;
  const limit = heapLimit();
  let at = clock.monotonic();
  let live = oldBytes();
  const observer = new PerformanceObserver((list) => {
    if (!list.getEntries().some(isMajor)) return;
    at = clock.monotonic();
    live = oldBytes();
    onLive(live);
  });
  observer.observe({ entryTypes: ["gc"] });
  const timer: Timer = clock.every(CHECK_MS / speed, () => {
    const bytes = oldBytes();
    const quietMs = ((bytes / MIB) * STOP_MS_PER_MIB) / STOP_SHARE / speed;
    if (clock.monotonic() - at < quietMs || bytes > ASK_BYTES_MAX) return;
    if (bytes - live < GROWN_SHARE * limit) return;
    at = clock.monotonic(); // One request at a time, also when it fails.
    void askForCollection();
  });
  return {
    limit,
    close: () => {
      timer.cancel();
      observer.disconnect();
    },
  };
}

/** heap-sensor.3, in bytes. */
export function heapLimit(
  flags: readonly string[] = [process.env["NODE_OPTIONS"] ?? "", ...process.execArgv],
): number {
  const given = [...flags.join(" ").matchAll(FLAG)].at(-1)?.[1];
  if (given !== undefined) return Number(given) * MIB;
  return Math.max(MIB, getHeapStatistics().heap_size_limit - YOUNG_BYTES);
}

function isMajor(entry: object): boolean {
  const { detail } = entry as { readonly detail?: { readonly kind?: number } };
  return detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
}

/** Bytes in use outside the young generation and outside V8's own read-only space. */
function oldBytes(): number {
  return getHeapSpaceStatistics()
    .filter(({ space_name: name }) => !name.startsWith("new_") && !name.startsWith("read_only"))
    .reduce((sum, { space_used_size: bytes }) => sum + bytes, 0);
}

/** Resolves after the collection. Never rejects: without an inspector there is no request. */
async function askForCollection(): Promise<void> {
  const session = new Session();
  try {
    session.connect();
    await session.post("HeapProfiler.collectGarbage");
  } catch {
    // Node was built without an inspector: the next collection of V8 reports.
  } finally {
    session.disconnect();
  }
}
