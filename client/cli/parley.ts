// Parley: starts the `parley` command (program.ts).

import { runProgram } from "./program.ts";

const code = await runProgram(process.argv.slice(2), (line) => console.error(line));
// Exits at once, although an open connection would keep the process running.
if (code !== 0) process.exit(code);
