#!/usr/bin/env node
// Launcher: runs the `parley` command. The system's Node can be too old to run TypeScript: then the
// Node that this package pins runs it, in a second process.

import { spawnSync } from "node:child_process";
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
  const { status } = spawnSync(node, [program, ...process.argv.slice(2)], {
    stdio: "inherit",
    env: { NODE_COMPILE_CACHE: compiled, ...process.env },
  });
  process.exit(status ?? 1);
}
