// QuickStart: the first example of the SDK's README, as a user runs it.
//
// Owns: reading the example, and the run of it. Does not own: the project (sdk-project.ts).

import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { REPOSITORY } from "#infra/embedded/service-process.ts";

const README = join(REPOSITORY, "client/sdk/package/README.md");
const TIMEOUT_MS = 120_000;

/** The code of the example, for the gateway at `url`. It is JavaScript, too. */
export async function quickStartFor(url: string): Promise<string> {
  const [, code] = /```ts\n([^]*?)```/.exec(await readFile(README, "utf8")) ?? [];
  if (code?.includes("localhost:8080") !== true) throw new Error(`no example in ${README}`);
  return code.replaceAll("localhost:8080", new URL(url).host);
}

/**
 * Runs the file `main.js` of the folder until it prints an ack, and ends it: the client stays
 * connected. Resolves with its output.
 */
export function runUntilAcked(folder: string): Promise<string> {
  const program = spawn(process.execPath, ["main.js"], { cwd: folder, timeout: TIMEOUT_MS });
  let output = "";
  return new Promise((resolve, reject) => {
    const onData = (data: Buffer): void => {
      output += data.toString();
      if (output.includes("acked")) {
        resolve(output);
        program.kill();
      }
    };
    program.stdout.on("data", onData);
    program.stderr.on("data", onData);
    program.on("error", reject);
    program.on("exit", () => reject(new Error(`no ack:\n${output}`)));
  });
}
