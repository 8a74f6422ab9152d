// Short runs: runs of programs for tests, several at a time.
//
// Owns: how many run at once. Does not own: which programs exist, and where (go-program.ts).
// Tests start the runs that they need together, so that no processor waits for another one.
//
//   short-runs.1. At most SLOTS programs run at a time. Later ones wait and start in order.
//   short-runs.2. The result is a value. A program that cannot start has the status `null`, and
//        its error is in `stderr`. So a run may fail before its test waits for it.

import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";

const SLOTS = availableParallelism();
/**
 * A run of Go ends soon, and then its memory is free. Fewer collections save a third of its
 * processor time.
 */
const GO = { GOGC: "400" };

export interface RunOptions {
  readonly input?: string;
  readonly cwd?: string;
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let running = 0;
const waiting: (() => void)[] = [];

export async function runProgram(
  program: string,
  words: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  // short-runs.1: a run that ends passes its slot on, so no later call can take it.
  if (running === SLOTS) await new Promise<void>((start) => waiting.push(start));
  else running++;
  const result = await run(program, words, options);
  const next = waiting.shift();
  if (next === undefined) running--;
  else next();
  return result;
}

function run(
  program: string,
  words: readonly string[],
  { input = "", cwd, env }: RunOptions,
): Promise<RunResult> {
  const child = spawn(program, words, { cwd, env: { ...process.env, ...GO, ...env } });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on("error", () => undefined); // It ended without reading its input.
  child.stdin.end(input);
  const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString();
  return new Promise((resolve) => {
    // short-runs.2
    child.once("error", (error) => resolve({ status: null, stdout: "", stderr: String(error) }));
    child.once("close", (status) =>
      resolve({ status, stdout: text(stdout), stderr: text(stderr) }),
    );
  });
}
