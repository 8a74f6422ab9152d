// Ansible for the tests of this folder.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureAnsible } from "#tools/programs/ansible.ts";
import { runProgram } from "#tools/programs/short-runs.ts";
import { foundOrSkip } from "#tools/test-run/skip.ts";

export const FOLDER = fileURLToPath(new URL("..", import.meta.url));

/** The folder of its programs. Skips the test without python3-venv. */
export function ansibleOrSkip(test: Mocha.Context): Promise<string> {
  return foundOrSkip(test, ensureAnsible());
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
