// RunLoad: one run of load.ts in a process of its own, and what its sensor reported.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Reading, Run } from "./evaluate.ts";
import type { ShapeName } from "./shapes.ts";

const LOAD = fileURLToPath(new URL("load.ts", import.meta.url));

/** Resolves when the process has ended. */
export function runLoad(options: {
  readonly shape: ShapeName;
  readonly seed: number;
  readonly seconds: number;
  readonly heapMib: number;
}): Promise<Run> {
  const { shape, seed, seconds, heapMib } = options;
  const flags = [`--max-old-space-size=${heapMib}`, "--no-warnings"];
  const child = spawn(process.execPath, [...flags, LOAD, shape, `${seed}`, `${seconds}`], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const began = performance.now();
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      const readings = text
        .split("\n")
        .filter((line) => line.endsWith("}"))
        .map((line) => JSON.parse(line) as Reading);
      const took = (performance.now() - began) / 1_000;
      resolve({ shape, seed, isExhausted: code !== 0, seconds: took, readings });
    });
  });
}
