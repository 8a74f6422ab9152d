// Profile (`make profile SERVICE=gateway SHAPE=B3`): a CPU profile of a service under a shape of
// the bench, as a flame graph and as a list of the most expensive functions.
//
// Environment: SERVICE (gateway, room, persistence), SHAPE (a row of the bench), SECONDS. Writes
// .parley/profile/<service>-<shape>.svg, .cpuprofile (for Chromium's tools) and .txt.

import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { until } from "#shared/testing/wait.ts";
import { pinGenerator } from "../peer.ts";
import { startParley } from "../peers/parley.ts";
import { run } from "../run.ts";
import { BY_ROW } from "../shapes.ts";
import { bySelf, flameGraph, toFrames } from "./flame.ts";
import type { CpuProfile } from "./flame.ts";

const OUT = fileURLToPath(new URL("../../../.parley/profile", import.meta.url));
const TOP_FUNCTIONS = 40;
const WRITTEN_MS = 20_000;

const service = process.env["SERVICE"] ?? "gateway";
const row = process.env["SHAPE"] ?? "B3";
const shape = BY_ROW[row];
if (shape === undefined) {
  console.error(`SHAPE=${row}: one of ${Object.keys(BY_ROW).join(", ")}`);
  process.exit(1);
}
const seconds = Number(process.env["SECONDS"] ?? shape.seconds);

pinGenerator();
await using parley = await startParley({ profile: true });
const leg = await run(parley, { ...shape, seconds });
const pid = parley.pids.get(`${service}-1`);
const profile = `${parley.probeDir}/${pid}.cpuprofile`;
const isWritten = (): boolean => existsSync(profile);
await until(isWritten, { withinMs: WRITTEN_MS, what: `the profile of ${service}` });
mkdirSync(OUT, { recursive: true });
const base = `${OUT}/${service}-${row}`;
copyFileSync(profile, `${base}.cpuprofile`);
const root = toFrames(JSON.parse(readFileSync(profile, "utf8")) as CpuProfile);
writeFileSync(`${base}.svg`, flameGraph(root, `${service}, ${shape.name}`));
const top = bySelf(root)
  .slice(0, TOP_FUNCTIONS)
  .map(({ where, share }) => `${(share * 100).toFixed(1).padStart(5)} %  ${where}`);
writeFileSync(`${base}.txt`, `${top.join("\n")}\n`);
console.log(top.join("\n"));
console.log(
  `${leg.delivered} of ${leg.expected} delivered, ${leg.cpuUs.toFixed(1)} µs CPU each with the profiler on`,
);
console.log(`written: ${base}.svg, .cpuprofile, .txt`);
