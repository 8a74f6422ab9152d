#!/usr/bin/env node
// Launcher: runs the `parley` command. The system's Node can be too old to run TypeScript: then the
// Node that this package pins runs it, in a second process.
//
//   parley.1. A signal that ends the launcher reaches the second process, and the launcher ends as
//       that one does. A terminal sends SIGINT and SIGQUIT to both, so these are not passed on.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { fileURLToPath } from "node:url";

/** The pinned version, without its minor number. */
const NODE_MAJOR = 24;

// What Node makes of the TypeScript files is kept for the next start: it then needs half the CPU.
const compiled = fileURLToPath(new URL("../../.tools/compiled", import.meta.url));

if (Number.parseInt(process.versions.node, 10) >= NODE_MAJOR) {
  if (process.env.NODE_COMPILE_CACHE === undefined) module.enableCompileCache(compiled);
  await import("./parley.ts");
} else {
  const pinned = fileURLToPath(new URL("../../node_modules/.bin/node", import.meta.url));
  const program = fileURLToPath(new URL("parley.ts", import.meta.url));
  const node = existsSync(pinned) ? pinned : process.execPath;
  const child = spawn(node, [program, ...process.argv.slice(2)], {
    stdio: "inherit",
    env: { NODE_COMPILE_CACHE: compiled, ...process.env },
  });
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  for (const signal of ["SIGINT", "SIGQUIT"]) process.on(signal, () => undefined);
  child.on("error", (error) => {
    process.stderr.write(`parley: ${error.message}\n`);
    // The second process did not start, so its exit does not follow.
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code); // parley.1
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
