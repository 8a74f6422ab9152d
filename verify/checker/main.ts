// `node verify/checker/main.ts <folder>`: judges a recorded run.
//
// Exits with code 0 when no invariant was broken, 1 when one was, 2 when the folder cannot be read.

import { checkFolder } from "./folder.ts";
import { reportText } from "./report-text.ts";

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error("usage: node verify/checker/main.ts <folder of a recorded run>");
  // A module cannot return.
  process.exit(2);
}
const began = performance.now();
try {
  const report = checkFolder(folder);
  console.log(reportText(report));
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  const mib = Math.round(process.resourceUsage().maxRSS / 1_024);
  console.log(`checked in ${seconds} s, ${mib} MiB`);
  process.exitCode = report.counts.violations === 0 ? 0 : 1;
} catch (error: unknown) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
