// NATS server: the nats-server binary, found, or built once with Go in the version of go.mod.
//
// The Debian package (2.9) accepts appends that the fence must refuse, so the version of a server
// is always checked. Order: NATS_SERVER, the ignored folder .tools, PATH, Go.
//
//   nats-server.1. The program at a returned path answers `--version` with at least
//        NATS_VERSION_MIN.
//   nats-server.2. A wrong NATS_SERVER is an error; the search does not continue elsewhere.
//   nats-server.3. A build appears under its name completely or not at all, so two builds may run
//        at once.

import { execFile } from "node:child_process";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { sayStep, ToolMissing, whichOn } from "./programs.ts";

const run = promisify(execFile);

export const NATS_VERSION_MIN = "2.14.4";

const MODULE = "github.com/nats-io/nats-server/v2";
const HERE = fileURLToPath(new URL(".", import.meta.url));
const TOOLS = fileURLToPath(new URL("../../.tools", import.meta.url));
/** The folder of the go.dev installer, which is often not in PATH. */
const GO_HOME = "/usr/local/go/bin";
/** A cold build takes 40 s on two cores; slower machines need more. */
const BUILD_TIMEOUT_MS = 15 * 60_000;

export interface NatsServerSearch {
  readonly env?: NodeJS.ProcessEnv;
  /** The folder of built programs. */
  readonly tools?: string;
  /** Folders with Go, as in PATH. Default: PATH and the folder of the go.dev installer. */
  readonly goPath?: string;
  readonly say?: (line: string) => void;
}

/**
 * Resolves with the path of a sufficiently new nats-server. Throws ToolMissing with the options.
 */
export async function ensureNatsServer(search: NatsServerSearch = {}): Promise<string> {
  const { env = process.env, tools = TOOLS, say = sayStep } = search;
  const goPath = search.goPath ?? `${env["PATH"] ?? ""}:${GO_HOME}`;
  const named = env["NATS_SERVER"] ?? "";
  if (named !== "") return judgeNamed(named); // nats-server.2
  const built = `${tools}/nats-server`;
  const pinned = await pinnedVersion();
  if ((await versionOf(built)) === pinned) return built;
  const onPath = whichOn(env["PATH"] ?? "", "nats-server");
  const pathVersion = onPath === undefined ? undefined : await versionOf(onPath);
  if (onPath !== undefined && pathVersion !== undefined && isNewEnough(pathVersion)) return onPath;
  const go = whichOn(goPath, "go");
  if (go === undefined) throw new ToolMissing(waysOut(onPath, pathVersion));
  say(`building nats-server ${pinned} with Go, once; this takes about a minute …`);
  await build(go, built, env);
  return built;
}

async function judgeNamed(path: string): Promise<string> {
  const version = await versionOf(path);
  if (version === undefined) {
    throw new ToolMissing(
      `NATS_SERVER=${path} does not answer --version: name a nats-server or unset it`,
    );
  }
  if (isNewEnough(version)) return path;
  throw new ToolMissing(
    `NATS_SERVER=${path} is ${version}; at least ${NATS_VERSION_MIN} is needed`,
  );
}

async function build(go: string, target: string, env: NodeJS.ProcessEnv): Promise<void> {
  const partial = `${target}.${process.pid}.partial`;
  await mkdir(dirname(target), { recursive: true });
  try {
    await run(go, ["build", "-o", partial, MODULE], {
      cwd: HERE,
      env: { ...env, CGO_ENABLED: "0" },
      timeout: BUILD_TIMEOUT_MS,
    });
    await rename(partial, target); // nats-server.3
  } catch (error: unknown) {
    const reason = (error as { stderr?: string }).stderr?.trim().split("\n").slice(-3).join("\n");
    throw new ToolMissing(`Go could not build nats-server:\n${reason ?? String(error)}`, {
      cause: error,
    });
  } finally {
    await rm(partial, { force: true });
  }
}

/** The version that go.mod pins, without the "v". */
export async function pinnedVersion(): Promise<string> {
  const text = await readFile(`${HERE}/go.mod`, "utf8");
  const match = /nats-server\/v2 v(\d+\.\d+\.\d+)/.exec(text);
  if (match?.[1] === undefined) throw new ToolMissing("tools/programs/go.mod pins no nats-server");
  return match[1];
}

/** "2.15.2", or undefined when the program does not exist or is not a nats-server. */
async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(path, ["--version"], { timeout: 10_000 });
    return parseVersion(stdout);
  } catch {
    return undefined; // Not there or not executable: the caller searches elsewhere or reports it.
  }
}

export function parseVersion(text: string): string | undefined {
  return /nats-server: v(\d+\.\d+\.\d+)/.exec(text)?.[1];
}

export function isNewEnough(version: string, least: string = NATS_VERSION_MIN): boolean {
  const [a, b] = [version.split(".").map(Number), least.split(".").map(Number)];
  for (let i = 0; i < 3; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function waysOut(found: string | undefined, version: string | undefined): string {
  const what =
    found === undefined
      ? "nats-server was not found"
      : `${found} is ${version ?? "not a nats-server"}`;
  return [
    `${what}; at least ${NATS_VERSION_MIN} is required. Options:`,
    "  install Go 1.26 (https://go.dev/dl): make then builds nats-server once, in about a minute",
    `  install nats-server ≥ ${NATS_VERSION_MIN} on PATH, or name it: NATS_SERVER=/path/to/nats-server`,
    "  use an external server (JetStream, sync_interval: always): NATS_URL=nats://host:4222",
    "  or run it with Docker: docker run -p 4222:4222 nats:2.15 -js, and NATS_URL as above",
  ].join("\n");
}
