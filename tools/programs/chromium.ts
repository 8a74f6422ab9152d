// Chromium: the binary for the browser tests, found or installed.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { sayStep, whichOn } from "./programs.ts";

const run = promisify(execFile);

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const INSTALL_TIMEOUT_MS = 10 * 60_000;

/** CHROMIUM when it is set and exists, otherwise the first known name in the usual folders. */
export function findChromium(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const named = env["CHROMIUM"] ?? "";
  if (named !== "") return existsSync(named) ? named : undefined;
  const path = `/usr/bin:/snap/bin:/usr/local/bin:${env["PATH"] ?? ""}`;
  return NAMES.map((name) => whichOn(path, name)).find((found) => found !== undefined);
}

/**
 * Returns findChromium, or installs the Debian package when the user is root and apt-get exists.
 * Otherwise prints a reason and returns undefined. A CHROMIUM that names a missing file is an
 * error.
 */
export async function ensureChromium(
  say: (line: string) => void = sayStep,
): Promise<string | undefined> {
  const found = findChromium();
  if (found !== undefined) return found;
  const named = process.env["CHROMIUM"] ?? "";
  if (named !== "") {
    say(`CHROMIUM=${named} does not exist: correct or unset CHROMIUM`);
    return undefined;
  }
  const apt = whichOn("/usr/bin", "apt-get");
  if (process.getuid?.() !== 0 || apt === undefined) {
    say("Chromium was not found: install it (Debian: apt-get install chromium) or set CHROMIUM");
    return undefined;
  }
  say("installing Chromium with apt-get, once; this takes about a minute …");
  const options = {
    timeout: INSTALL_TIMEOUT_MS,
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  };
  try {
    await run(apt, ["update", "-qq"], options);
    await run(apt, ["install", "-y", "-qq", "--no-install-recommends", "chromium"], options);
  } catch (error: unknown) {
    const reason = (error as { stderr?: string }).stderr?.trim().split("\n").at(-1);
    say(`apt-get could not install Chromium: ${reason ?? String(error)}`);
    return undefined;
  }
  return findChromium();
}
