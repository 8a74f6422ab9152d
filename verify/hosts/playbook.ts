// Playbook: runs a playbook of infra/ansible against the hosts of a lab, and reads its summary.

import { spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { once } from "node:events";
import { REPOSITORY } from "#infra/embedded/service-process.ts";

const FOLDER = join(REPOSITORY, "infra/ansible");
/** One line of the summary: a host and its counts. */
const RECAP = /^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)/gm;

export interface PlaybookRun {
  readonly ok: boolean;
  readonly seconds: number;
  /** The sum over all hosts. */
  readonly changed: number;
  readonly output: string;
}

export interface PlaybookOptions {
  /** The folder of ansible-playbook. */
  readonly bin: string;
  readonly inventory: string;
  readonly log: string;
}

export async function runPlaybook(
  { bin, inventory, log }: PlaybookOptions,
  playbook: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<PlaybookRun> {
  const began = performance.now();
  const extra = Object.entries(variables).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
  const child = spawn(
    join(bin, "ansible-playbook"),
    ["--inventory", inventory, ...extra, playbook],
    {
      cwd: FOLDER,
      env: { ...process.env, ANSIBLE_NOCOLOR: "1", ANSIBLE_LOCALHOST_WARNING: "false" },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      appendFileSync(log, withTimes(chunk.toString()));
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  const recap = [...output.matchAll(RECAP)];
  const changed = recap.reduce((sum, [, , , count]) => sum + Number(count), 0);
  const seconds = (performance.now() - began) / 1_000;
  return { ok: code === 0 && recap.length > 0, seconds, changed, output };
}

/** The log has the time at which each play and each task began. */
function withTimes(text: string): string {
  return text.replaceAll(/^(?=TASK |PLAY )/gm, () => `${new Date().toISOString()} `);
}

/** Throws with the end of the output when the run failed. */
export async function mustRun(
  options: PlaybookOptions,
  playbook: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<PlaybookRun> {
  const run = await runPlaybook(options, playbook, variables);
  if (run.ok) return run;
  throw new Error(`${playbook} failed:\n${run.output.split("\n").slice(-40).join("\n")}`);
}
