// Profile (`make profile SERVICE=gateway SHAPE=B3`): the CPU time of a service under a shape of the
// bench, as a flame graph and as a list of the most expensive functions.
//
// Linux perf measures it (perf.ts). Without perf V8's own profiler does, which counts
// short waits for a core as work; the output says so, and prints how long the process waited.
//
// Environment: SERVICE (gateway, room, persistence), SHAPE (a row of the bench), SECONDS, BASE
// (another checkout, with perf), PROFILER (perf, v8). Writes .parley/profile/<service>-<shape>.svg,
// .txt, and .perf or .cpuprofile (for Chromium's tools).

import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { until } from "#shared/testing/wait.ts";
import type { Profile } from "../inside/node-probe.ts";
import { pinGenerator } from "../peer.ts";
import { startParley } from "../peers/parley.ts";
import { run } from "../run.ts";
import { BY_ROW } from "../shapes.ts";
import { bySelf, flameGraph, toFrames } from "./flame.ts";
import type { CpuProfile, Frame } from "./flame.ts";
import {
  byFunction,
  framesOf,
  hasPerf,
  longestCollectionMs,
  recordPerf,
  sharesOf,
} from "./perf.ts";
import type { Recording, Sample } from "./perf.ts";

const OUT = fileURLToPath(new URL("../../../.parley/profile", import.meta.url));
const TOP_FUNCTIONS = 40;
const WRITTEN_MS = 20_000;
/** SAMPLING_US of in-process.ts. */
const V8_INTERVAL_US = 500;

const service = process.env["SERVICE"] ?? "gateway";
const row = process.env["SHAPE"] ?? "B3";
const shape = BY_ROW[row];
if (shape === undefined) {
  console.error(`SHAPE=${row}: one of ${Object.keys(BY_ROW).join(", ")}`);
  // A module cannot return.
  process.exit(1);
}
const seconds = Number(process.env["SECONDS"] ?? shape.seconds);
const checkout = process.env["BASE"];
const profiler: Profile = process.env["PROFILER"] === "v8" || !hasPerf() ? "v8" : "perf";

pinGenerator();
mkdirSync(OUT, { recursive: true });
const base = `${OUT}/${service}-${row}`;
await using parley = await startParley({
  profile: profiler,
  ...(checkout !== undefined && { checkout }),
});
const pid = parley.pids.get(`${service}-1`);
if (pid === undefined) throw new Error(`SERVICE=${service}: one of gateway, room, persistence`);
let recording: Recording | undefined;
let samples: readonly Sample[] = [];
let before = readTimes(pid);
let after = before;
const leg = await run(
  parley,
  { ...shape, seconds },
  {
    begin() {
      before = readTimes(pid);
      if (profiler === "perf") recording = recordPerf(pid, `${base}.perf`);
    },
    async end() {
      after = readTimes(pid);
      samples = (await recording?.stop()) ?? [];
    },
  },
);
const [userMs, systemMs, waitedMs] = after.map((ms, i) => ms - (before[i] ?? 0));
const { root, lines } = profiler === "perf" ? ofPerf() : await ofV8(`${parley.probeDir}/${pid}`);
writeFileSync(`${base}.svg`, flameGraph(root, `${service}, ${shape.name}`));
writeFileSync(`${base}.txt`, `${lines.join("\n")}\n`);
console.log(lines.join("\n"));
console.log(
  `/proc: ${userMs} ms user, ${systemMs} ms system; runnable without a core for ${waitedMs} ms`,
);
console.log(
  `${leg.delivered} of ${leg.expected} delivered, ${leg.cpuUs.toFixed(1)} µs CPU each with the profiler on`,
);
console.log(`written: ${base}.svg, .txt, .${profiler === "perf" ? "perf" : "cpuprofile"}`);

interface Result {
  readonly root: Frame;
  readonly lines: readonly string[];
}

function ofPerf(): Result {
  const shares = Object.entries(sharesOf(samples)).map(
    ([name, share]) => `${name} ${percent(share)}`,
  );
  const rows = byFunction(samples)
    .slice(0, TOP_FUNCTIONS)
    .map(({ where, share, kernel }) => `${percent(share)}  kernel ${percent(kernel)}  ${where}`);
  const head = [
    `CPU by perf: ${shares.join(", ")}`,
    `longest collection: ${longestCollectionMs(samples).toFixed(1)} ms of CPU`,
  ];
  return { root: framesOf(samples), lines: [...head, ...rows] };
}

async function ofV8(path: string): Promise<Result> {
  const profile = `${path}.cpuprofile`;
  const isWritten = (): boolean => existsSync(profile);
  await until(isWritten, { withinMs: WRITTEN_MS, what: `the profile of ${service}` });
  copyFileSync(profile, `${base}.cpuprofile`);
  const frames = toFrames(JSON.parse(readFileSync(profile, "utf8")) as CpuProfile, V8_INTERVAL_US);
  const rows = bySelf(frames)
    .slice(0, TOP_FUNCTIONS)
    .map(({ where, share }) => `${percent(share)}  ${where}`);
  const note = "by V8's profiler: functions that wake other processes count too much; use perf";
  return { root: frames, lines: [note, ...rows] };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1).padStart(5)} %`;
}

/** User and system time of all threads, and the wait of the main thread for a core, in ms. */
function readTimes(of: number): readonly number[] {
  const stat = readFileSync(`/proc/${of}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [, waitedNs] = readFileSync(`/proc/${of}/schedstat`, "utf8").split(" ");
  return [Number(fields[11]) * 10, Number(fields[12]) * 10, Math.round(Number(waitedNs) / 1e6)];
}
