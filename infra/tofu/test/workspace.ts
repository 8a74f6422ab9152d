// A copy of this folder in which OpenTofu runs, so that it writes no file into the repository.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureTofu } from "#tools/programs/tofu.ts";
import type { Tofu } from "#tools/programs/tofu.ts";
import { ToolMissing } from "#tools/programs/programs.ts";

const SOURCE = fileURLToPath(new URL("..", import.meta.url));
const CHART = fileURLToPath(new URL("../../helm", import.meta.url));

export interface TofuResult {
  readonly ok: boolean;
  /** Standard output and errors. */
  readonly output: string;
}

export class TofuWorkspace {
  /** The copy of infra/tofu. */
  readonly folder: string;
  readonly #tofu: Tofu;
  readonly #root: string;

  constructor(tofu: Tofu) {
    this.#tofu = tofu;
    this.#root = realpathSync(mkdtempSync(join(tmpdir(), "parley-tofu-")));
    this.folder = join(this.#root, "infra/tofu");
    mkdirSync(join(this.#root, "infra"));
    cpSync(SOURCE, this.folder, { recursive: true });
    symlinkSync(CHART, join(this.#root, "infra/helm"));
  }

  /** Runs OpenTofu in a folder of the copy. */
  run(folder: string, words: readonly string[], input = ""): TofuResult {
    const { status, stdout, stderr } = spawnSync(this.#tofu.program, words, {
      cwd: join(this.folder, folder),
      env: { ...process.env, ...this.#tofu.env },
      input,
      encoding: "utf8",
    });
    return { ok: status === 0, output: `${stdout}${stderr}` };
  }

  remove(): void {
    rmSync(this.#root, { recursive: true });
  }
}

/** Skips the tests with a printed reason when OpenTofu cannot be built. */
export async function tofuOrSkip(test: Mocha.Context): Promise<Tofu> {
  try {
    return await ensureTofu();
  } catch (error: unknown) {
    if (!(error instanceof ToolMissing)) throw error;
    console.log(`    skipped: ${error.message}`);
    return test.skip();
  }
}
