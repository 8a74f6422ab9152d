// Hooks scenario: what the chain of HTTP hooks costs; the bench of its own does the measuring.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Row, Scenario } from "./scenario.ts";

const BENCH = fileURLToPath(new URL("../bench/http-hooks.ts", import.meta.url));
const ROUNDS = "5";

export const HOOKS: Scenario = {
  id: "hooks",
  title: "Middleware chain (S2)",
  method:
    "CPU of each hook over a bare Fastify route, by `inject` (no socket, no kernel), medians of rounds " +
    "by turns (`node loadtest/bench/http-hooks.ts`). The article's figure is the latency of a whole chain " +
    "under load; the latency of our whole API under load is in the table of k6 below.",
  play() {
    const { stdout } = spawnSync(process.execPath, [BENCH, ROUNDS], { encoding: "utf8" });
    const rows = [...stdout.matchAll(/^(.+?)\s{2,}(-?[\d.]+) µs$/gm)].map(
      ([, what = "", us = ""]): Row => ({
        what,
        source: what === "all together" ? "16.8 ms mean, P95 32.4 ms" : "–",
        ours: `${us} µs CPU`,
      }),
    );
    return Promise.resolve(rows);
  },
};
