// Turn: lets one process at a time build or install a program, by a file that names its process.
//
// Owns: the file. Does not own: the complete appearance of a program under its name, which must not
// depend on a turn (go-program.2).
//
//   turn.1. A process that ended without giving its turn back delays no other one.

import { readFileSync } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 250;

/** Runs `work` when no other process has a turn at `file`. Rejects as `work` does. */
export async function inTurn<T>(file: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  while (!(await take(file))) await sleep(POLL_MS);
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function take(file: string): Promise<boolean> {
  try {
    const handle = await open(file, "wx");
    await handle.writeFile(String(process.pid));
    await handle.close();
    return true;
  } catch (error: unknown) {
    if ((error as { code?: string }).code !== "EEXIST") throw error;
    if (isHeld(file)) return false;
    await rm(file, { force: true }); // turn.1
    return false;
  }
}

/** An empty file belongs to a process that has just made it. */
function isHeld(file: string): boolean {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    if (pid > 0) process.kill(pid, 0);
    return true;
  } catch (error: unknown) {
    return (error as { code?: string }).code === "EPERM";
  }
}
