// Ansible for the tests of this folder.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureAnsible } from "#tools/programs/ansible.ts";
import { ToolMissing } from "#tools/programs/programs.ts";

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

export async function runAnsible(
  bin: string,
  program: string,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(join(bin, program), args, {
    cwd: FOLDER,
    env: { ...process.env, PATH: `${bin}:${process.env["PATH"] ?? ""}`, ANSIBLE_NOCOLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  }
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}
