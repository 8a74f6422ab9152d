// Hooks scenario: the cost of the chain of HTTP hooks, from bench/http-hooks.ts.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Row, Scenario } from "./scenario.ts";

const BENCH = fileURLToPath(new URL("../bench/http-hooks.ts", import.meta.url));
const ROUNDS = "5";

export const HOOKS: Scenario = {
  id: "hooks",
  title: "Middleware chain (S2)",
  method:
    "CPU time of each hook in addition to a bare Fastify route, with `inject` (no socket, no kernel), medians of " +
    "alternating rounds (`node loadtest/bench/http-hooks.ts`). The article's figure is the latency of a whole " +
    "chain under load; the latency of the whole API under load is in the table of k6 below.",
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
