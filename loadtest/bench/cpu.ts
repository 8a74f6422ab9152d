// CPU: user and system time of processes and all their children, from /proc, in microseconds, and
// their memory.
//
// A kernel tick is 10 ms on Linux, so a figure over a few seconds is accurate to one percent.

import { readdirSync, readFileSync } from "node:fs";

const TICK_US = 10_000;

interface Stat {
  readonly parent: number;
  readonly cpuUs: number;
}

export type CpuByName = ReadonlyMap<string, number>;

/**
 * CPU time that each named process and its descendants have used. An exited process counts as 0.
 */
export function cpuOf(pids: ReadonlyMap<string, number>): CpuByName {
  const stats = readStats();
  const children = new Map<number, number[]>();
  for (const [pid, { parent }] of stats) {
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [pid]);
    else siblings.push(pid);
  }
  const treeUs = (pid: number): number => {
    const below = children.get(pid) ?? [];
    return (stats.get(pid)?.cpuUs ?? 0) + below.reduce((sum, child) => sum + treeUs(child), 0);
  };
  return new Map([...pids].map(([name, pid]) => [name, treeUs(pid)]));
}

export function cpuSince(before: CpuByName, after: CpuByName): CpuByName {
  return new Map([...after].map(([name, us]) => [name, us - (before.get(name) ?? 0)]));
}

export function total(cpu: CpuByName): number {
  return [...cpu.values()].reduce((sum, us) => sum + us, 0);
}

/** Resident memory in bytes; 0 for an exited process. */
export function rssOf(pids: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([...pids].map(([name, pid]) => [name, residentBytes(pid)]));
}

function residentBytes(pid: number): number {
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(kib ?? 0) * 1_024;
  } catch {
    return 0;
  }
}

function readStats(): Map<number, Stat> {
  const stats = new Map<number, Stat>();
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    try {
      // The command may hold spaces and brackets; the numbers follow the last ")".
      const text = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = text
        .slice(text.lastIndexOf(")") + 2)
        .split(" ")
        .map(Number);
      // utime and stime, and the same of reaped children (connections of a database start and end
      // during a run).
      const ticks = fields.slice(11, 15).reduce((sum, field) => sum + field, 0);
      stats.set(pid, { parent: fields[1] ?? 0, cpuUs: ticks * TICK_US });
    } catch {
      // The process exited between the listing and the read.
    }
  }
  return stats;
}
