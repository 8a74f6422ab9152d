// Leftovers: processes of a run of this cluster that was killed before it could stop them.
//
// A run writes every process that it starts into DATA/processes.json at once. The next run on the
// same DATA reads it. Services end by themselves when their supervisor vanishes; NATS and PostgreSQL
// do not, and would hold ports and data.
//
//   leftovers.1. Only a process whose number, start time and command line are those in the file is touched.
//   leftovers.2. While the supervisor in the file lives, the data are in use and this run must not start.
//   leftovers.3. What is left is asked (SIGTERM; PostgreSQL: SIGINT, which does not wait for its clients),
//        and killed when it does not listen.

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

/** Keeps DATA/processes.json; every change is written before the next thing happens. */
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
    if (identity === undefined) return; // It ended already; there is nothing to leave behind.
    this.#processes.set(name, { name, ...identity });
    this.#write();
  }

  /** After a stop in good order. */
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

/** JSON that a reader sees whole or not at all. */
export function writeWhole(path: string, value: unknown): void {
  const partial = `${path}.${process.pid}.partial`;
  writeFileSync(partial, `${JSON.stringify(value, undefined, 2)}\n`);
  renameSync(partial, path);
}

export type Cleared =
  | { readonly kind: "ok"; readonly ended: readonly string[] }
  /** leftovers.2. */
  | { readonly kind: "in-use"; readonly supervisor: number };

/** Ends what a former run left behind. Resolves, never rejects. */
export async function clearLeftovers(dataDir: string, askMs = ASK_MS): Promise<Cleared> {
  const record = readRecord(dataDir);
  if (record === undefined) return { kind: "ok", ended: [] };
  const { supervisor } = record;
  if (supervisor.pid !== process.pid && isSame(supervisor)) {
    return { kind: "in-use", supervisor: supervisor.pid };
  }
  const alive = record.processes.filter(isSame); // leftovers.1
  await Promise.all(alive.map((known) => end(known, askMs)));
  return { kind: "ok", ended: alive.map(({ name, pid }) => `${name} (pid ${pid})`) };
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
    // It ended between the look and the signal, which is what we wanted.
  }
}

function readRecord(dataDir: string): RunRecord | undefined {
  try {
    const value = parseObject(readFileSync(recordPath(dataDir), "utf8"));
    // Anything else is not our file, and then nothing is touched.
    return Array.isArray(value?.["processes"]) && isObject(value["supervisor"])
      ? (value as unknown as RunRecord)
      : undefined;
  } catch {
    return undefined; // No former run, or one that stopped in order.
  }
}

function recordPath(dataDir: string): string {
  return `${dataDir}/processes.json`;
}
