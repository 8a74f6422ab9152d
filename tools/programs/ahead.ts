// Ahead: builds what the tests need, one after the other, while other tests run: programs, and the
// oldest supported version of Parley.
//
//   node tools/programs/ahead.ts < a pipe
//
// On a clean machine these builds take minutes. The tests would wait for each of them with idle
// cores. It runs at a lower priority than the tests, and not at the lowest: a test waits for its
// turn (turn.ts), also on a machine that is busy with other work.
//
//   ahead.1. It ends with its builds when the pipe does, so it never outlives the process that
//        started it. It must lead a process group.

import { execFile } from "node:child_process";
import { getPriority, setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ACTIONLINT, ensureGoProgram, HELM, KUBECONFORM, VERSITYGW } from "./go-program.ts";
import { ensureTofu } from "./tofu.ts";

const VERSIONS = fileURLToPath(new URL("../../verify/versions/main.ts", import.meta.url));
const LOWER = 5;
setPriority(getPriority() + LOWER);
process.stdin.on("end", () => process.kill(-process.pid, "SIGKILL")).resume(); // ahead.1
const quiet = (): void => undefined;
const builds: readonly (() => Promise<unknown>)[] = [
  () => ensureGoProgram(VERSITYGW, quiet),
  () => ensureGoProgram(HELM, quiet),
  () => ensureGoProgram(KUBECONFORM, quiet),
  () => ensureGoProgram(ACTIONLINT, quiet),
  () => promisify(execFile)(process.execPath, [VERSIONS]),
  () => ensureTofu(quiet), // Its tests come last, and its build is the longest.
];
for (const build of builds) {
  await build().catch(() => undefined); // The test that needs it says what is missing.
}
// The pipe of standard input would keep it running (ahead.1).
process.exit();
