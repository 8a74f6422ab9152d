// A tool written in Go: found, or built once from the version that a go.mod of ours pins.
//
// Each has a module of its own below this folder, so that the requirements of one never move those
// of another. Order: the named variable, the ignored folder .tools, PATH, Go.
//
//   GT1. A build appears under its name whole or not at all, so two may build at once.
//   GT2. A wrong variable is an error, not a reason to look elsewhere: somebody meant it.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ToolMissing, whichOn } from "./programs.ts";

const run = promisify(execFile);
const TOOLS = fileURLToPath(new URL("../../.tools", import.meta.url));
/** Where the installer of go.dev puts it, often without telling PATH. */
const GO_HOME = "/usr/local/go/bin";
/** A cold build takes a minute on two cores; this is for the slowest machine that gets there. */
const BUILD_TIMEOUT_MS = 15 * 60_000;

export interface GoTool {
  /** The file's name, and that of the folder below this one with its go.mod. */
  readonly name: string;
  /** What `go build` is given. */
  readonly module: string;
  /** The variable by which somebody may name a binary of their own. */
  readonly variable: string;
}

export const K6: GoTool = { name: "k6", module: "go.k6.io/k6", variable: "K6" };

/** The path of the tool. Throws ToolMissing, naming the ways out. */
export async function ensureGoTool(
  tool: GoTool,
  search: {
    readonly env?: NodeJS.ProcessEnv;
    readonly tools?: string;
    readonly goPath?: string;
  } = {},
): Promise<string> {
  const { env = process.env, tools = TOOLS } = search;
  const named = env[tool.variable] ?? "";
  if (named !== "") {
    if (existsSync(named)) return named;
    throw new ToolMissing(`${tool.variable}=${named} is not there`); // GT2
  }
  const built = `${tools}/${tool.name}`;
  if (existsSync(built)) return built;
  const onPath = whichOn(env["PATH"] ?? "", tool.name);
  if (onPath !== undefined) return onPath;
  const go = whichOn(search.goPath ?? `${env["PATH"] ?? ""}:${GO_HOME}`, "go");
  if (go === undefined) {
    throw new ToolMissing(
      `${tool.name} was not found. One of these helps:\n` +
        "  install Go 1.26 (https://go.dev/dl): it is then built once, in about a minute\n" +
        `  install ${tool.name} on PATH, or name it: ${tool.variable}=/path/to/${tool.name}`,
    );
  }
  console.log(`building ${tool.name} with Go, once; this takes about a minute …`);
  const partial = `${built}.${process.pid}.partial`;
  await mkdir(tools, { recursive: true });
  try {
    await run(go, ["build", "-o", partial, tool.module], {
      cwd: fileURLToPath(new URL(tool.name, import.meta.url)),
      env: { ...env, CGO_ENABLED: "0" },
      timeout: BUILD_TIMEOUT_MS,
    });
    await rename(partial, built); // GT1
  } catch (error: unknown) {
    const reason = (error as { stderr?: string }).stderr?.trim().split("\n").slice(-3).join("\n");
    throw new ToolMissing(`Go could not build ${tool.name}:\n${reason ?? String(error)}`, {
      cause: error,
    });
  } finally {
    await rm(partial, { force: true });
  }
  return built;
}
