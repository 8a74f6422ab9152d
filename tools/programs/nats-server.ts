// The nats-server binary: found, or built once with Go from the version that go.mod pins.
//
// Debian's own package (2.9) accepts what the fence must refuse, so a server is judged by its
// version and never just by its name. Order: NATS_SERVER, the ignored folder .tools, PATH, Go.
//
//   nats-server.1. Whatever path is returned answers `--version` with at least NATS_VERSION_MIN.
//   nats-server.2. A wrong NATS_SERVER is an error, not a reason to look elsewhere: somebody meant it.
//   nats-server.3. A build appears under its name whole or not at all, so two may build at once.

import { execFile } from "node:child_process";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ToolMissing, whichOn } from "./programs.ts";

const run = promisify(execFile);

export const NATS_VERSION_MIN = "2.14.4";

const MODULE = "github.com/nats-io/nats-server/v2";
const HERE = fileURLToPath(new URL(".", import.meta.url));
const TOOLS = fileURLToPath(new URL("../../.tools", import.meta.url));
/** Where the installer of go.dev puts it, often without telling PATH. */
const GO_HOME = "/usr/local/go/bin";
/** A cold build takes 40 s on two cores; this is for the slowest machine that still gets there. */
const BUILD_TIMEOUT_MS = 15 * 60_000;

export interface NatsServerSearch {
  readonly env?: NodeJS.ProcessEnv;
  /** The folder that holds what we built. */
  readonly tools?: string;
  /** Folders to look for Go in, as in PATH; when left out PATH and where go.dev installs it. */
  readonly goPath?: string;
  readonly say?: (line: string) => void;
}

/** The path of a nats-server that is new enough. Throws ToolMissing, naming the ways out. */
export async function ensureNatsServer(search: NatsServerSearch = {}): Promise<string> {
  const { env = process.env, tools = TOOLS, say = (line) => console.log(line) } = search;
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
    throw new ToolMissing(`NATS_SERVER=${path} does not answer to --version`);
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

/** "2.15.2", or undefined when there is no such program or it is something else. */
async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(path, ["--version"], { timeout: 10_000 });
    return parseVersion(stdout);
  } catch {
    return undefined; // Not there or not executable: the caller looks elsewhere or says so.
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
    `${what}; at least ${NATS_VERSION_MIN} is needed. One of these helps:`,
    "  install Go 1.26 (https://go.dev/dl): it is then built once, in about a minute",
    `  install nats-server ≥ ${NATS_VERSION_MIN} on PATH, or name it: NATS_SERVER=/path/to/nats-server`,
    "  use a server of your own (JetStream, sync_interval: always): NATS_URL=nats://host:4222",
    "  or run it with Docker: docker run -p 4222:4222 nats:2.15 -js, and NATS_URL as above",
  ].join("\n");
}
