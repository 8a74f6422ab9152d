// Parley: starts the `parley` command (program.ts).

import { runProgram } from "./program.ts";

const code = await runProgram(process.argv.slice(2), (line) => console.error(line));
// A failed command may leave a connection open, which would keep the process running.
if (code !== 0) process.exit(code);
