// Ahead: builds the programs that the tests need, one after the other, while other tests run.
//
//   node tools/programs/ahead.ts < a pipe
//
// On a clean machine these builds take minutes. The tests would wait for each of them with idle
// cores. It runs at a lower priority than the tests, and not at the lowest: a test waits for its
// turn (turn.ts), also on a machine that is busy with other work.
//
//   ahead.1. It ends with its builds when the pipe does, so it never outlives the process that
//        started it. It must lead a process group.

import { getPriority, setPriority } from "node:os";
import { ACTIONLINT, ensureGoProgram, HELM, KUBECONFORM, VERSITYGW } from "./go-program.ts";
import { ensureTofu } from "./tofu.ts";

const LOWER = 5;
setPriority(getPriority() + LOWER);
process.stdin.on("end", () => process.kill(-process.pid, "SIGKILL")).resume(); // ahead.1
const quiet = (): void => undefined;
const builds = [
  () => ensureGoProgram(HELM, quiet),
  () => ensureGoProgram(KUBECONFORM, quiet),
  () => ensureTofu(quiet),
  () => ensureGoProgram(VERSITYGW, quiet),
  () => ensureGoProgram(ACTIONLINT, quiet),
];
for (const build of builds) {
  await build().catch(() => undefined); // The test that needs it says what is missing.
}
process.exit();
