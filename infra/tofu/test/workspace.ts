// A copy of this folder in which OpenTofu runs, so that it writes no file into the repository.

import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureTofu } from "#tools/programs/tofu.ts";
import type { Tofu } from "#tools/programs/tofu.ts";
import { runProgram } from "#tools/programs/short-runs.ts";
import { foundOrSkip } from "#tools/test-run/skip.ts";

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

  constructor(tofu: Tofu, source = SOURCE) {
    this.#tofu = tofu;
    this.#root = realpathSync(mkdtempSync(join(tmpdir(), "parley-tofu-")));
    this.folder = join(this.#root, "infra/tofu");
    mkdirSync(join(this.#root, "infra"));
    cpSync(source, this.folder, { recursive: true, verbatimSymlinks: true });
    symlinkSync(CHART, join(this.#root, "infra/helm"));
  }

  /** The same files in another folder, with what `init` has installed. */
  copy(): TofuWorkspace {
    return new TofuWorkspace(this.#tofu, this.folder);
  }

  /** Runs OpenTofu in a folder of the copy. */
  async run(folder: string, words: readonly string[], input = ""): Promise<TofuResult> {
    const { status, stdout, stderr } = await runProgram(this.#tofu.program, words, {
      cwd: join(this.folder, folder),
      env: this.#tofu.env,
      input,
    });
    return { ok: status === 0, output: `${stdout}${stderr}` };
  }

  remove(): void {
    rmSync(this.#root, { recursive: true });
  }
}

/** Skips the tests when OpenTofu cannot be built. */
export function tofuOrSkip(test: Mocha.Context): Promise<Tofu> {
  return foundOrSkip(test, ensureTofu());
}
