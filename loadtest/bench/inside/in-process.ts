// In-process probe: measures a service from the inside. NODE_OPTIONS=--import loads it, and the
// code of the services does not contain it.
//
// SIGUSR2 ends one period and begins the next. At the end of a period the probe writes garbage
// collections, memory and the use of the event loop to PARLEY_PROBE_DIR/<pid>.json. With
// PARLEY_PROBE_PROFILE=1 every second signal also stops a CPU profile, written to <pid>.cpuprofile.

import { Session } from "node:inspector";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { constants, performance, PerformanceObserver } from "node:perf_hooks";
import type { NodeProbe } from "./node-probe.ts";

const SAMPLING_US = 500;

/** The part of "gc" entries that Node's types omit. */
type GcEntry = PerformanceEntry & { readonly detail: { readonly kind: number } };

const dir = process.env["PARLEY_PROBE_DIR"] ?? "";
const isProfiling = process.env["PARLEY_PROBE_PROFILE"] === "1";
const path = `${dir}/${process.pid}`;
const blank = { young: 0, other: 0, pauseMs: 0, longestMs: 0 };
let period = 0;
let gc = { ...blank };
let loop = performance.eventLoopUtilization();
let schedule = readSchedule();
let session: Session | undefined;

const note = (entries: readonly PerformanceEntry[]): void => {
  for (const { duration, detail } of entries as readonly GcEntry[]) {
    const { kind } = detail;
    if (kind === constants.NODE_PERFORMANCE_GC_MINOR) gc.young++;
    else gc.other++;
    gc.pauseMs += duration;
    gc.longestMs = Math.max(gc.longestMs, duration);
  }
};
const observer = new PerformanceObserver((list) => note(list.getEntries()));
observer.observe({ entryTypes: ["gc"] });

process.on("SIGUSR2", () => {
  note(observer.takeRecords());
  const now = performance.eventLoopUtilization();
  const scheduleNow = readSchedule();
  const ranNs = scheduleNow.ranNs - schedule.ranNs;
  const waitedNs = scheduleNow.waitedNs - schedule.waitedNs;
  const probe: NodeProbe = {
    period: ++period,
    gc,
    runShare: ranNs / Math.max(1, ranNs + waitedNs),
    loopUtilization: performance.eventLoopUtilization(now, loop).utilization,
    heapBytes: process.memoryUsage().heapUsed,
    externalBytes: process.memoryUsage().external,
  };
  gc = { ...blank };
  loop = now;
  schedule = scheduleNow;
  writeWhole(`${path}.json`, JSON.stringify(probe));
  if (isProfiling) toggleProfile();
});

function toggleProfile(): void {
  if (session === undefined) {
    session = new Session();
    session.connect();
    session.post("Profiler.enable");
    session.post("Profiler.setSamplingInterval", { interval: SAMPLING_US });
    session.post("Profiler.start");
    return;
  }
  session.post("Profiler.stop", (error, result) => {
    if (error === null) writeWhole(`${path}.cpuprofile`, JSON.stringify(result.profile));
  });
  session.disconnect();
  session = undefined;
}

/** How long the main thread ran, and how long it waited for a core. */
function readSchedule(): { readonly ranNs: number; readonly waitedNs: number } {
  const text = readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8");
  const [ranNs = 0, waitedNs = 0] = text.split(" ").map(Number);
  return { ranNs, waitedNs };
}

/** The reader waits until the file exists, so the file must appear completely. */
function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.part`, text);
  renameSync(`${file}.part`, file);
}
