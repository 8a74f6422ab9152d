// Go program: one tool that is built from a go.mod of its own, once, into the ignored folder .tools.
//
// Order: the environment variable that names it, .tools, PATH, Go. What is found is not judged by its
// version: these are tools of tests and deployment, and nothing that is kept depends on them.
//
//   go-program.1. A wrong path in the variable is an error, not a reason to look elsewhere: somebody meant it.
//   go-program.2. A build appears under its name whole or not at all, so two may build at once.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ToolMissing, whichOn } from "./programs.ts";

const run = promisify(execFile);
const TOOLS = fileURLToPath(new URL("../../.tools", import.meta.url));
/** Where the installer of go.dev puts it, often without telling PATH. */
const GO_HOME = "/usr/local/go/bin";
/** The largest takes three minutes on two cores; this is for the slowest machine that gets there. */
const BUILD_TIMEOUT_MS = 30 * 60_000;

export interface GoProgram {
  readonly name: string;
  /** The variable that names a binary of one's own. */
  readonly variable: string;
  /** The folder below tools/programs that holds its go.mod. */
  readonly folder: string;
  readonly module: string;
}

export const JAEGER: GoProgram = {
  name: "jaeger",
  variable: "JAEGER",
  folder: "jaeger",
  module: "github.com/jaegertracing/jaeger/cmd/jaeger",
};

export const K6: GoProgram = { name: "k6", variable: "K6", folder: "k6", module: "go.k6.io/k6" };

/** The path of the binary. Throws ToolMissing, naming the ways out. */
export async function ensureGoProgram(
  program: GoProgram,
  say: (line: string) => void = (line) => console.log(line),
): Promise<string> {
  const { name, variable, folder, module } = program;
  const named = process.env[variable] ?? "";
  if (named !== "") {
    if (existsSync(named)) return named;
    throw new ToolMissing(`${variable}=${named} does not exist`); // go-program.1
  }
  const built = `${TOOLS}/${name}`;
  if (existsSync(built)) return built;
  const path = process.env["PATH"] ?? "";
  const found = whichOn(path, name);
  if (found !== undefined) return found;
  const go = whichOn(`${path}:${GO_HOME}`, "go");
  if (go === undefined) {
    throw new ToolMissing(
      `${name} was not found: install it, name it with ${variable}=, or install Go`,
    );
  }
  say(`building ${name} with Go, once; this takes some minutes …`);
  const partial = `${built}.${process.pid}.partial`;
  await mkdir(dirname(built), { recursive: true });
  try {
    await run(go, ["build", "-o", partial, module], {
      cwd: fileURLToPath(new URL(folder, import.meta.url)),
      env: { ...process.env, CGO_ENABLED: "0" },
      timeout: BUILD_TIMEOUT_MS,
    });
    await rename(partial, built); // go-program.2
  } catch (error: unknown) {
    const reason = (error as { stderr?: string }).stderr?.trim().split("\n").slice(-3).join("\n");
    throw new ToolMissing(`Go could not build ${name}:\n${reason ?? String(error)}`, {
      cause: error,
    });
  } finally {
    await rm(partial, { force: true });
  }
  return built;
}
