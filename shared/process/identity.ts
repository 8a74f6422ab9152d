// Identity: detects whether a pid still names the process that we started.
//
// A pid alone is no proof: the kernel reuses pids, in containers within seconds. Three values
// identify a process: its pid, its start time in the kernel, and its command line.
//
//   identity.1. `isSame` is true only when all three are equal. A process that cannot be examined
//        is not ours.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

export interface Identity {
  readonly pid: number;
  /** The start time. Opaque; constant for one process. */
  readonly began: string;
  readonly command: string;
}

const HAS_PROC = existsSync("/proc/self/stat");

/** Undefined when there is no such process, or when it has exited and was not reaped yet. */
export function identify(pid: number): Identity | undefined {
  try {
    return HAS_PROC ? fromProc(pid) : fromPs(pid);
  } catch {
    return undefined; // It exited between two reads, or never existed.
  }
}

export function isSame(known: Identity): boolean {
  const now = identify(known.pid);
  return now !== undefined && now.began === known.began && now.command === known.command;
}

function fromProc(pid: number): Identity | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The second field is the program's name in parentheses; it may contain any character, also
  // spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, began] = [fields[0], fields[19]];
  if (state === "Z" || began === undefined) return undefined;
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  return { pid, began: `${boot}/${began}`, command };
}

function fromPs(pid: number): Identity | undefined {
  const column = (name: string): string =>
    execFileSync("ps", ["-o", `${name}=`, "-p", String(pid)], { encoding: "utf8" }).trim();
  if (column("state").startsWith("Z")) return undefined;
  return { pid, began: column("lstart"), command: column("args") };
}
