// Postmaster: whom PostgreSQL's lock file names, and whether to believe it.

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

/** Whether a server runs on the folder; a lock that a kill left behind is none. */
export function isServed(dir: string): boolean {
  const pid = lockHolder(dir);
  return pid !== undefined && (identify(pid)?.command.includes(dir) ?? false);
}

/**
 * PostgreSQL refuses to start while the process in its lock file lives, whoever that is now: after a
 * kill and a reboot the number may be anybody's. Only a lock whose process visibly is no server on
 * this folder is removed; all others are PostgreSQL's own business.
 */
export function removeForeignLock(dir: string): void {
  const pid = lockHolder(dir);
  const holder = pid === undefined ? undefined : identify(pid);
  if (holder !== undefined && !holder.command.includes(dir)) rmSync(lockFile(dir));
}

function lockFile(dir: string): string {
  return join(dir, "postmaster.pid");
}
