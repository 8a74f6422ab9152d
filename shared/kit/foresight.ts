// Foresight: the resources of one process that can be exhausted, and when they will be.
//
// Owns: one trend for each resource, and how long its forecast stays valid. Does not own: the
// estimate (trend.ts), the samples, what happens with a forecast. A process and the replay of its
// log lines use the same code.
//
//   foresight.1. Growth that a bounded store explains is no growth: the bytes that the stores of
//        the process account for are subtracted from the live heap, and their bound from the limit,
//        at most STORES_SHARE of it: stores that may take more than the heap are a wrong setting.
//   foresight.2. A forecast counts from now, not from the newest sample.
//   foresight.3. A forecast ends when STALE_SHARE of its time has passed without a sample. Samples
//        of the heap come with its growth, so no sample means that it no longer grows.
//   foresight.4. A resource of SOFT that has reached its limit has no forecast: the process goes
//        on, and an alert of its own reports the present.

import { Trend } from "./trend.ts";
import type { Forecast } from "./trend.ts";
import type { Millis } from "../protocol/ids.ts";

/**
 * V8 ends a process at this share of the limit when four major collections in turn leave more than
 * it and the program runs for less than 40 % of the time (Node 24, `IsIneffectiveMarkCompact` of
 * its heap.cc). Near the limit each small collection becomes a major one, so a busy process gets
 * there; an idle one was seen to reach 0.92.
 */
export const HEAP_SHARE = 0.8;
/** A heap whose live bytes are above this share of what V8 permits is full. */
export const FULL_SHARE = 0.9;
const STALE_SHARE = 0.75;
const STORES_SHARE = 0.5;

/** Closed set: labels of a metric. */
export const RESOURCES = ["heap", "rss", "files", "log", "archive", "event-loop"] as const;
export type Resource = (typeof RESOURCES)[number];
const SOFT: ReadonlySet<Resource> = new Set(["log", "archive", "event-loop"]);

/** The bounded stores of a process: what they hold now, and the most that they will hold. */
export interface Accounted {
  readonly bytes: number;
  readonly bytesMax: number;
}

export const NOTHING_ACCOUNTED: Accounted = { bytes: 0, bytesMax: 0 };

/** What a process uses of a resource, and the value at which it fails or refuses work. */
export interface Usage {
  readonly value: number;
  readonly limit: number;
}

export class Foresight {
  readonly #trends = new Map<Resource, { readonly trend: Trend; at: Millis }>();

  add(resource: Resource, { value, limit }: Usage, at: Millis): void {
    let entry = this.#trends.get(resource);
    if (entry === undefined) {
      entry = { trend: new Trend(limit), at };
      this.#trends.set(resource, entry);
    }
    entry.trend.limit = limit;
    entry.trend.add({ at, value });
    entry.at = at;
  }

  /** The resources that will be exhausted. */
  *forecasts(now: Millis): Generator<readonly [Resource, Forecast]> {
    for (const [resource, { trend, at }] of this.#trends) {
      const { forecast } = trend;
      if (forecast === undefined) continue;
      const { earliestMs, medianMs, latestMs, perMs } = forecast;
      if (medianMs === 0 && SOFT.has(resource)) continue; // foresight.4
      const ageMs = now - at;
      if (medianMs > 0 && ageMs > STALE_SHARE * medianMs) continue; // foresight.3
      const left = (ms: Millis): Millis => Math.max(0, ms - ageMs); // foresight.2
      yield [
        resource,
        {
          earliestMs: left(earliestMs),
          medianMs: left(medianMs),
          latestMs: left(latestMs),
          perMs,
        },
      ];
    }
  }
}

/** foresight.1: live bytes that no bounded store explains, and the most that they may become. */
export function unexplained(live: number, limit: number, stores: Accounted): Usage {
  const most = HEAP_SHARE * limit;
  return {
    value: Math.max(0, live - stores.bytes),
    limit: most - Math.min(stores.bytesMax, STORES_SHARE * most),
  };
}

/** Whether a process with these live bytes should be replaced before V8 ends it. */
export function isFull(live: number, limit: number): boolean {
  return live >= FULL_SHARE * HEAP_SHARE * limit;
}
