#!/usr/bin/env node
// Launcher: starts the `parley` command with the Node that this package pins. The system's Node can
// be too old to run TypeScript.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const pinned = fileURLToPath(new URL("../../node_modules/.bin/node", import.meta.url));
const program = fileURLToPath(new URL("parley.ts", import.meta.url));
const node = existsSync(pinned) ? pinned : process.execPath;
// What Node makes of the TypeScript files is kept for the next start: it then needs half the CPU.
const compiled = fileURLToPath(new URL("../../.tools/compiled", import.meta.url));
const { status } = spawnSync(node, [program, ...process.argv.slice(2)], {
  stdio: "inherit",
  env: { NODE_COMPILE_CACHE: compiled, ...process.env },
});
process.exit(status ?? 1);
