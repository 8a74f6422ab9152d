// Leftovers: ends the processes of an earlier run that was killed before it could stop them.
//
// A run writes every process that it starts into DATA/processes.json at once. The next run on the
// same DATA reads that file. Services end by themselves when their supervisor exits. NATS and
// PostgreSQL do not, and would keep ports and data in use.
//
//   leftovers.1. Only a process whose pid, start time and command line match the file is ended.
//   leftovers.2. While the supervisor in the file runs, the data are in use and this run must not
//        start.
//   leftovers.3. A leftover gets SIGTERM (PostgreSQL: SIGINT, which does not wait for its clients),
//        and SIGKILL when it does not exit in time.

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { identify, isSame } from "#shared/process/identity.ts";
import { isObject, parseObject } from "#shared/kit/json.ts";
import type { Identity } from "#shared/process/identity.ts";

export interface KnownProcess extends Identity {
  readonly name: string;
}

export interface RunRecord {
  readonly supervisor: Identity;
  readonly processes: readonly KnownProcess[];
}

const ASK_MS = 5_000;
const POLL_MS = 20;

/** Writes DATA/processes.json; every change is on disk before the next step. */
export class ProcessRecord {
  readonly #path: string;
  readonly #supervisor: Identity;
  readonly #processes = new Map<string, KnownProcess>();

  constructor(dataDir: string) {
    this.#path = recordPath(dataDir);
    this.#supervisor = identify(process.pid) ?? { pid: process.pid, began: "", command: "" };
    mkdirSync(dataDir, { recursive: true });
    this.#write();
  }

  add(name: string, pid: number): void {
    const identity = identify(pid);
    if (identity === undefined) return; // It has exited already and cannot become a leftover.
    this.#processes.set(name, { name, ...identity });
    this.#write();
  }

  /** Called after an orderly stop. */
  remove(): void {
    rmSync(this.#path, { force: true });
  }

  #write(): void {
    const record: RunRecord = {
      supervisor: this.#supervisor,
      processes: [...this.#processes.values()],
    };
    writeWhole(this.#path, record);
  }
}

/** Writes JSON so that a reader sees all of it or the previous file. */
export function writeWhole(path: string, value: unknown): void {
  const partial = `${path}.${process.pid}.partial`;
  writeFileSync(partial, `${JSON.stringify(value, undefined, 2)}\n`);
  renameSync(partial, path);
}

export type Cleared =
  | { readonly kind: "ok"; readonly ended: readonly string[] }
  /** leftovers.2. */
  | { readonly kind: "in-use"; readonly supervisor: number };

/** Ends the leftovers of an earlier run. Resolves, never rejects. */
export async function clearLeftovers(dataDir: string, askMs = ASK_MS): Promise<Cleared> {
  const record = readRecord(dataDir);
  if (record === undefined) return { kind: "ok", ended: [] };
  const { supervisor } = record;
  if (supervisor.pid !== process.pid && isSame(supervisor)) {
    return { kind: "in-use", supervisor: supervisor.pid };
  }
  const running = record.processes.filter(isSame); // leftovers.1
  await Promise.all(running.map((known) => end(known, askMs)));
  return { kind: "ok", ended: running.map(({ name, pid }) => `${name} (pid ${pid})`) };
}

async function end(known: KnownProcess, askMs: number): Promise<void> {
  signal(known, known.name === "postgres" ? "SIGINT" : "SIGTERM"); // leftovers.3
  signal(known, "SIGCONT");
  for (let waited = 0; waited < askMs; waited += POLL_MS) {
    if (!isSame(known)) return;
    await sleep(POLL_MS);
  }
  signal(known, "SIGKILL");
  while (isSame(known)) await sleep(POLL_MS);
}

function signal(known: KnownProcess, name: NodeJS.Signals): void {
  try {
    if (isSame(known)) process.kill(known.pid, name);
  } catch {
    // It exited between the check and the signal, which is the wanted result.
  }
}

function readRecord(dataDir: string): RunRecord | undefined {
  try {
    const value = parseObject(readFileSync(recordPath(dataDir), "utf8"));
    // Another format is not our file, and then no process is ended.
    return Array.isArray(value?.["processes"]) && isObject(value["supervisor"])
      ? (value as unknown as RunRecord)
      : undefined;
  } catch {
    return undefined; // No earlier run, or one that stopped in order.
  }
}

function recordPath(dataDir: string): string {
  return `${dataDir}/processes.json`;
}
