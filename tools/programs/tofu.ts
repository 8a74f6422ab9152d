// OpenTofu: the program, and a configuration with which it takes its providers from this machine.
//
// Owns: the folder of providers in .tools, in the layout that OpenTofu calls a file system mirror.
// Users need none of this: their OpenTofu takes the providers from its registry.
//
//   tofu.1. With the configuration, OpenTofu asks no registry.
//   tofu.2. The mirror appears complete or not at all, so two tests may make it at once.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureGoProgram, KUBECTL_PROVIDER, TOFU } from "./go-program.ts";

const TOOLS = fileURLToPath(new URL("../../.tools", import.meta.url));
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64" };

export interface Tofu {
  readonly program: string;
  /** Its environment beside PATH. */
  readonly env: Readonly<Record<string, string>>;
}

/** The version in the go.mod file of a provider, without its v. */
export function providerVersion(): string {
  const file = new URL(`${KUBECTL_PROVIDER.folder}/go.mod`, import.meta.url);
  const line = new RegExp(`${KUBECTL_PROVIDER.module} v(\\S+)`).exec(readFileSync(file, "utf8"));
  return line?.[1] ?? "";
}

/** Resolves with OpenTofu. Throws ToolMissing, whose message lists the options. */
export async function ensureTofu(say?: (line: string) => void): Promise<Tofu> {
  const program = await ensureGoProgram(TOFU, say);
  const mirror = await ensureMirror(await ensureGoProgram(KUBECTL_PROVIDER, say));
  return {
    program,
    env: {
      TF_CLI_CONFIG_FILE: join(mirror, "tofurc"),
      TF_IN_AUTOMATION: "1",
      TF_INPUT: "0",
      CHECKPOINT_DISABLE: "1",
    },
  };
}

async function ensureMirror(provider: string): Promise<string> {
  const version = providerVersion();
  const mirror = join(TOOLS, `tofu-providers-${version}`);
  if (existsSync(mirror)) return mirror;
  const partial = mkdtempSync(`${mirror}.partial-`);
  try {
    const platform = `${process.platform}_${ARCHITECTURES[process.arch] ?? process.arch}`;
    const path = ["registry.opentofu.org/gavinbunney/kubectl", version, platform];
    const folder = join(partial, ...path);
    mkdirSync(folder, { recursive: true });
    await copyFile(provider, join(folder, `terraform-provider-kubectl_v${version}`));
    const installation = `filesystem_mirror { path = ${JSON.stringify(mirror)} }`;
    await writeFile(join(partial, "tofurc"), `provider_installation {\n  ${installation}\n}\n`);
    renameSync(partial, mirror); // tofu.2
  } catch (error: unknown) {
    if (!existsSync(mirror)) throw error; // Otherwise another process was faster.
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return mirror;
}
