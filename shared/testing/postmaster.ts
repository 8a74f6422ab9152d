// Postmaster: which process PostgreSQL's lock file names, and whether it serves the folder.

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { identify } from "../process/identity.ts";

/** The pid in the folder's lock file; undefined when there is none. */
export function lockHolder(dir: string): number | undefined {
  try {
    const pid = Number(readFileSync(lockFile(dir), "utf8").split("\n")[0]);
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined; // No server has run here, or it stopped in good order.
  }
}

/** Whether a server runs on the folder. A lock that remained after a kill does not count. */
export function isServed(dir: string): boolean {
  const pid = lockHolder(dir);
  return pid !== undefined && (identify(pid)?.command.includes(dir) ?? false);
}

/**
 * PostgreSQL refuses to start while a process with the pid in its lock file runs. After a kill and
 * a reboot, that pid may belong to any process. This removes a lock only if its process is visibly
 * not a server on this folder; PostgreSQL handles all other locks.
 */
export function removeForeignLock(dir: string): void {
  const pid = lockHolder(dir);
  const holder = pid === undefined ? undefined : identify(pid);
  if (holder !== undefined && !holder.command.includes(dir)) rmSync(lockFile(dir));
}

function lockFile(dir: string): string {
  return join(dir, "postmaster.pid");
}
