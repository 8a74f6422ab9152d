// PageFile: writes the tables of docs/scale.md. They are rendered in a new process, because this
// one has read the figures before they were written.

import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** The figures of `make scale-model PUBLISH=1`, in this folder. */
export const MEASURED = "measured.json";
/** The result of `make sim-scale PUBLISH=1`, in this folder. */
export const LARGE_RUN = "large-run.json";

export function publishPage(): void {
  const write = join(import.meta.dirname, "write-page.ts");
  const { status } = spawnSync(process.execPath, [write], { stdio: "inherit" });
  if (status !== 0) throw new Error("docs/scale.md could not be written");
}
