// Identity: is the process with this number still the one that we started?
//
// A pid alone proves nothing: numbers are reused, in containers within seconds. A process is known
// by its number, the moment it began as the kernel tells it, and its command line.
//
//   identity.1. `isSame` is true only when all three agree; a process that cannot be examined is not ours.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

export interface Identity {
  readonly pid: number;
  /** Opaque; equal for the life of one process. */
  readonly began: string;
  readonly command: string;
}

const HAS_PROC = existsSync("/proc/self/stat");

/** Undefined when there is no such process, or it has ended and was not reaped yet. */
export function identify(pid: number): Identity | undefined {
  try {
    return HAS_PROC ? fromProc(pid) : fromPs(pid);
  } catch {
    return undefined; // Gone between two reads, or never there.
  }
}

export function isSame(known: Identity): boolean {
  const now = identify(known.pid);
  return now !== undefined && now.began === known.began && now.command === known.command;
}

function fromProc(pid: number): Identity | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The second field is the program's name in parentheses and may hold anything, also spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, began] = [fields[0], fields[19]];
  if (state === "Z" || began === undefined) return undefined;
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  return { pid, began: `${boot}/${began}`, command };
}

function fromPs(pid: number): Identity | undefined {
  const ask = (column: string): string =>
    execFileSync("ps", ["-o", `${column}=`, "-p", String(pid)], { encoding: "utf8" }).trim();
  if (ask("state").startsWith("Z")) return undefined;
  return { pid, began: ask("lstart"), command: ask("args") };
}
