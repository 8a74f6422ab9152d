// ProcessLoad: reads the CPU time of this process, the state of its event loop, and the limit of
// its control group.
//
//   process-load.1. The limit is the smallest CPU quota of the control group and its parents, at
//        most one core, because the process has one event loop. Without a readable quota it is one.
//   process-load.2. The quota is read again every LIMIT_MS: an operator can change it.

import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { dirname, join } from "node:path";
import type { LoadReading } from "../core/load-window.ts";

const LIMIT_MS = 10_000;
const US_PER_MS = 1_000;

/** Returns a function that reads the totals since the start of the process. */
export function openProcessLoad(
  readLimit: () => number = () => coresOf(readText),
): () => LoadReading {
  let limit = 1;
  let readAt = -Infinity;
  return () => {
    const at = performance.now();
    if (at - readAt >= LIMIT_MS) {
      limit = readLimit(); // process-load.2
      readAt = at;
    }
    const { active: loopBusyMs } = performance.eventLoopUtilization();
    const [cpuMs, loopCpuMs] = [process.cpuUsage(), process.threadCpuUsage()].map(
      ({ user, system }) => (user + system) / US_PER_MS,
    ) as [number, number];
    return { at, cpuMs, loopCpuMs, loopBusyMs, limit };
  };
}

/** process-load.1. `read` returns undefined for a file that cannot be read. */
export function coresOf(read: (path: string) => string | undefined): number {
  const groups = read("/proc/self/cgroup")?.trim().split("\n") ?? [];
  const quotas = groups.flatMap((line) => {
    const [, controllers = "", ...path] = line.split(":");
    const folder = path.join(":");
    if (controllers === "") return quotasOf(folder, (at) => quotaV2(read, at));
    if (!controllers.split(",").includes("cpu")) return [];
    return quotasOf(folder, (at) => quotaV1(read, at));
  });
  return Math.min(1, ...quotas);
}

/** The quotas of a folder and of its parents. */
function quotasOf(folder: string, quotaAt: (folder: string) => number | undefined): number[] {
  const folders = [folder];
  for (let at = folder; dirname(at) !== at; at = dirname(at)) folders.push(dirname(at));
  return folders.map(quotaAt).filter((quota) => quota !== undefined && quota > 0) as number[];
}

function quotaV2(read: typeof readText, folder: string): number | undefined {
  const [quota, period] = (read(join("/sys/fs/cgroup", folder, "cpu.max")) ?? "").split(" ");
  return quotient(quota, period);
}

function quotaV1(read: typeof readText, folder: string): number | undefined {
  const at = join("/sys/fs/cgroup/cpu", folder);
  return quotient(read(join(at, "cpu.cfs_quota_us")), read(join(at, "cpu.cfs_period_us")));
}

/** Undefined without a quota: "max", or -1. */
function quotient(quota: string | undefined, period: string | undefined): number | undefined {
  const cores = Number(quota) / Number(period);
  return Number.isFinite(cores) && cores > 0 ? cores : undefined;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // Not Linux, or a kernel without this controller.
  }
}
