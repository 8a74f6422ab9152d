// Service process: runs a program of a service as a child that reports when it is ready.

import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { isReadyMessage } from "#shared/process/health.ts";
import type { ReadyMessage } from "#shared/process/health.ts";
import { LogFile } from "./log-lines.ts";
import type { LogReading, Running } from "./supervised.ts";

export const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Where Node caches compiled code and stripped TypeScript between starts. With the cache a service
 * needs 30 MB less, because the type stripper is not loaded, and half the CPU to start.
 */
export const COMPILED = fileURLToPath(new URL("../../.tools/compiled", import.meta.url));

/** From start to ready, on a cold disk and a busy machine. */
const READY_TIMEOUT_MS = 60_000;

/**
 * The young generation has three semi-spaces. Without a limit V8 lets each grow to 64 MiB, so a
 * burst of connects leaves a gateway with 70 MiB that it does not need (decision 060). The compose
 * file, the chart and the playbooks have the same number.
 */
const SEMI_SPACE_MIB = 16;

/**
 * The arenas of malloc in a service. By default glibc gives each thread of V8 an arena of its own,
 * and they keep what the start left there (decision 060). The image and the release for hosts have
 * the same number.
 */
export const MALLOC_ARENA_MAX = "1";

export interface ServiceOptions {
  readonly name: string;
  /** The checkout that it runs. */
  readonly folder: string;
  /** Relative to the checkout. */
  readonly entry: string;
  /** Words before the command. */
  readonly runner: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** The limit of its old generation in MiB. */
  readonly heapMib: number;
  readonly logPath: string;
  readonly say: (line: string) => void;
  /** Called as soon as the process exists, long before it is ready. */
  readonly onSpawn: (pid: number) => void;
}

/**
 * Children are killed when this process exits. After a SIGKILL of this process they stop by
 * themselves (shutdown.4).
 */
const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

/** Rejects with one line when the child exits, or does not report in time, before it is ready. */
export async function launchService(options: ServiceOptions, abort: AbortSignal): Promise<Running> {
  const log = new LogFile({ path: options.logPath, name: options.name, say: options.say });
  const [program, ...words] = options.runner;
  const flags = [
    `--max-old-space-size=${options.heapMib}`,
    `--max-semi-space-size=${SEMI_SPACE_MIB}`,
  ];
  const child = fork(options.entry, [], {
    ...(program === undefined
      ? { execArgv: [...process.execArgv, ...flags] }
      : { execPath: program, execArgv: [...words, process.execPath, ...flags] }),
    cwd: options.folder,
    env: { NODE_COMPILE_CACHE: COMPILED, MALLOC_ARENA_MAX, ...options.env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    detached: true, // Ctrl-C reaches only the supervisor, which stops all children in order.
  });
  if (child.stdout !== null) log.follow(child.stdout);
  if (child.stderr !== null) log.follow(child.stderr);
  children.add(child);
  const ended = exitResult(child).finally(() => {
    children.delete(child);
    log.close();
  });
  if (child.pid === undefined) throw new Error(await ended);
  options.onSpawn(child.pid);
  abort.addEventListener("abort", () => child.kill("SIGKILL"), { once: true });
  const ready = await Promise.race([readiness(child), ended, timeout()]);
  if (typeof ready === "string") {
    child.kill("SIGKILL");
    throw new Error(`${ready}${log.lastComplaint === "" ? "" : `: ${log.lastComplaint}`}`);
  }
  return {
    pid: child.pid,
    ...(ready.name !== undefined && { id: ready.name }),
    ...(ready.url !== undefined && { url: ready.url }),
    ...(ready.metrics !== undefined && { metrics: ready.metrics }),
    ended,
    signal: (signal) => void child.kill(signal),
    logs: logReading(child),
  };
}

function logReading({ stdout, stderr }: ChildProcess): LogReading {
  const each = (act: (stream: Readable) => void): void =>
    [stdout, stderr].forEach((stream) => stream !== null && act(stream));
  return {
    pause: () => each((stream) => stream.pause()),
    resume: () => each((stream) => stream.resume()),
    end: () => each((stream) => stream.destroy()),
  };
}

async function readiness(child: ChildProcess): Promise<ReadyMessage> {
  for (;;) {
    const [message] = (await once(child, "message")) as [unknown];
    if (isReadyMessage(message)) return message;
  }
}

/** "exit" may come before the last lines were read; waiting for the streams keeps them whole. */
async function exitResult(child: ChildProcess): Promise<string> {
  try {
    const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
    logReading(child).resume(); // A paused stream would not end.
    await Promise.all([drained(child.stdout), drained(child.stderr)]);
    return signal === null ? `code ${code}` : `signal ${signal}`;
  } catch (error: unknown) {
    return error instanceof Error ? error.message : String(error); // It could not be spawned.
  }
}

async function drained(stream: NodeJS.ReadableStream | null): Promise<void> {
  if (stream === null || !stream.readable) return;
  await once(stream, "end");
}

async function timeout(): Promise<string> {
  return new Promise((resolve) => {
    const line = `was not ready within ${READY_TIMEOUT_MS / 1_000} s`;
    setTimeout(() => resolve(line), READY_TIMEOUT_MS).unref();
  });
}
