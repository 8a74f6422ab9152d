// Go module: the files of one module that a go.mod below tools/programs pins. Go downloads them
// once and checks them against go.sum.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parseObject } from "#shared/kit/json.ts";
import { ToolMissing, whichOn } from "./programs.ts";

const run = promisify(execFile);
/** The folder of the go.dev installer, which is often not in PATH. */
const GO_HOME = "/usr/local/go/bin";
const DOWNLOAD_TIMEOUT_MS = 5 * 60_000;

export interface GoModule {
  /** The folder below tools/programs that holds its go.mod. */
  readonly folder: string;
  readonly module: string;
}

/** The definitions of the Gateway API. */
export const GATEWAY_API: GoModule = {
  folder: "gateway-api",
  module: "sigs.k8s.io/gateway-api",
};

/** The definitions of Canary and MetricTemplate, of the version that is built. */
export const FLAGGER_MODULE: GoModule = {
  folder: "flagger",
  module: "github.com/fluxcd/flagger",
};

/** Resolves with the folder of the module, which is read-only. Throws ToolMissing. */
export async function ensureGoModule({ folder, module }: GoModule): Promise<string> {
  const go = whichOn(`${process.env["PATH"] ?? ""}:${GO_HOME}`, "go");
  if (go === undefined) throw new ToolMissing(`${module} was not found: install Go`);
  try {
    const { stdout } = await run(go, ["mod", "download", "-json", module], {
      cwd: fileURLToPath(new URL(folder, import.meta.url)),
      timeout: DOWNLOAD_TIMEOUT_MS,
    });
    const { Dir } = parseObject(stdout.trim()) ?? {};
    if (typeof Dir === "string") return Dir;
    throw new Error(stdout);
  } catch (error: unknown) {
    const reason = (error as { stderr?: string }).stderr?.trim().split("\n").at(-1);
    throw new ToolMissing(`Go could not download ${module}: ${reason ?? String(error)}`, {
      cause: error,
    });
  }
}
