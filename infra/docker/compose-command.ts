// Compose command: how tests call Compose v2. `make up` needs the plugin of docker; a test also
// accepts the same program without docker, built once with Go.

import { execFileSync, spawnSync } from "node:child_process";
import { COMPOSE, ensureGoProgram } from "#tools/programs/go-program.ts";

/** The program and its first arguments. Throws ToolMissing when there is none. */
export async function composeCommand(): Promise<readonly [string, ...string[]]> {
  const plugin = spawnSync("docker", ["compose", "version", "--short"], { encoding: "utf8" });
  if (plugin.status === 0 && isSupported(plugin.stdout)) return ["docker", "compose"];
  const program = await ensureGoProgram(COMPOSE);
  const version = execFileSync(program, ["version", "--short"], { encoding: "utf8" });
  if (isSupported(version)) return [program];
  throw new Error(`${program} is version ${version.trim()}; Compose v2 is required`);
}

/** Whether a version such as "v2.40.3" is at least 2; a build without a version is "dev". */
function isSupported(version: string): boolean {
  const major = /^v?(\d+)\./.exec(version.trim())?.[1];
  return major === undefined ? version.trim() === "dev" : Number(major) >= 2;
}
