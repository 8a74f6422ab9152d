// Parley: starts the `parley` command (program.ts).

import { runProgram } from "./program.ts";

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0); // output.3
  console.error(`parley: ${error.message}`);
  // The command would go on although its output is lost.
  process.exit(1);
});

const code = await runProgram(process.argv.slice(2), (line) => console.error(line));
// A failed command may leave a connection open, which would keep the process running.
if (code !== 0) process.exit(code);
