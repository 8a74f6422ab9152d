// Ansible for the tests of this folder.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureAnsible } from "#tools/programs/ansible.ts";
import { ToolMissing } from "#tools/programs/programs.ts";
import { runProgram } from "#tools/programs/short-runs.ts";

export const FOLDER = fileURLToPath(new URL("..", import.meta.url));

/** The folder of its programs. Skips the test with a printed reason without python3-venv. */
export async function ansibleOrSkip(test: Mocha.Context): Promise<string> {
  try {
    return await ensureAnsible();
  } catch (error: unknown) {
    if (!(error instanceof ToolMissing)) throw error;
    console.log(`skipped: ${error.message}`);
    return test.skip();
  }
}

export interface AnsibleResult {
  readonly code: number | null;
  /** Standard output and errors. */
  readonly output: string;
}

export async function runAnsible(
  bin: string,
  program: string,
  args: readonly string[],
): Promise<AnsibleResult> {
  const { status, stdout, stderr } = await runProgram(join(bin, program), args, {
    cwd: FOLDER,
    env: { PATH: `${bin}:${process.env["PATH"] ?? ""}`, ANSIBLE_NOCOLOR: "1" },
  });
  return { code: status, output: `${stdout}${stderr}` };
}
