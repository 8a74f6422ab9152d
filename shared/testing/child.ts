// Child: a server process that belongs to its launcher, and exits with it.

import { spawn } from "node:child_process";
import type { ChildProcess, SpawnOptions } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";

export interface Child {
  readonly pid: number;
  /** Undefined while it runs. */
  readonly exit: { readonly code: number | null; readonly signal: string | null } | undefined;
  signal(name: NodeJS.Signals): void;
  /**
   * Sends `signal` and resolves when the process has exited. A paused process (SIGSTOP) does not
   * handle a signal, so it also gets SIGCONT.
   */
  end(signal: NodeJS.Signals): Promise<void>;
  /** Resolves when the process has exited, with the result: "code 1", "signal SIGKILL". */
  exited(): Promise<string>;
  /** The end of its output, for the text of a failure. */
  tail(): string;
}

export interface ChildOptions extends Pick<
  SpawnOptions,
  "cwd" | "uid" | "gid" | "env" | "detached"
> {
  readonly logFile: string;
}

const TAIL_CHARS = 1_500;
const running = new Set<ChildProcess>();

/** Starts `command`; rejects when it cannot be started. */
export async function startChild(
  command: string,
  args: readonly string[],
  options: ChildOptions,
): Promise<Child> {
  const { logFile, ...spawnOptions } = options;
  const log = openSync(logFile, "a");
  const process_ = spawn(command, args, { ...spawnOptions, stdio: ["ignore", log, log] });
  closeSync(log); // The child has a copy of its own.
  await new Promise<void>((resolve, reject) => {
    process_.once("spawn", resolve);
    process_.once("error", reject);
  });
  process_.on("error", () => {}); // A signal to a process that has exited; `exit` reports that.
  if (running.size === 0) process.on("exit", killAll);
  running.add(process_);
  const exited = new Promise<string>((resolve) => {
    process_.once("exit", (code, signal) => {
      running.delete(process_);
      if (running.size === 0) process.off("exit", killAll);
      resolve(signal === null ? `code ${code}` : `signal ${signal}`);
    });
  });
  return {
    pid: process_.pid ?? 0,
    get exit() {
      const { exitCode: code, signalCode: signal } = process_;
      return code === null && signal === null ? undefined : { code, signal };
    },
    signal: (name) => void process_.kill(name),
    end: async (name) => {
      process_.kill(name);
      process_.kill("SIGCONT");
      await exited;
    },
    exited: () => exited,
    tail: () => readFileSync(logFile, "utf8").slice(-TAIL_CHARS),
  };
}

/**
 * Ends all children when this process exits (except by SIGKILL), so that no server is left behind.
 */
function killAll(): void {
  for (const child of running) child.kill("SIGKILL");
}
