// Ahead: builds the programs that the tests need, one after the other, while other tests run.
//
//   node tools/programs/ahead.ts < a pipe
//
// On a clean machine these builds take minutes. The tests would wait for each of them with idle
// cores. It runs at the lowest priority, because it must not slow the tests down: a test that needs
// a program takes its turn (turn.ts).
//
//   ahead.1. It ends with its builds when the pipe does, so it never outlives the process that
//        started it. It must lead a process group.

import { setPriority } from "node:os";
import { ACTIONLINT, ensureGoProgram, HELM, KUBECONFORM } from "./go-program.ts";
import { ensureTofu } from "./tofu.ts";

setPriority(19);
process.stdin.on("end", () => process.kill(-process.pid, "SIGKILL")).resume(); // ahead.1
const quiet = (): void => undefined;
const builds = [
  () => ensureGoProgram(HELM, quiet),
  () => ensureGoProgram(KUBECONFORM, quiet),
  () => ensureTofu(quiet),
  () => ensureGoProgram(ACTIONLINT, quiet),
];
for (const build of builds) {
  await build().catch(() => undefined); // The test that needs it says what is missing.
}
process.exit();
