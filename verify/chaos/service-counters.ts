// Service counters: what the services said of themselves in their logs, summed over a run. What gateways
// count is in their metrics (world.ts).
//
// A process that is killed loses the lines that it had not written yet, so these are lower bounds:
// good enough to know that something happened at all.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseObject } from "#shared/kit/json.ts";
import { linesOf } from "../checker/folder.ts";

export interface ServiceCounters {
  /** Appends of a room node that were refused because another one's entry stood there. */
  readonly staleRefused: number;
  /** Times that a node stood back for a rival. */
  readonly fenced: number;
  /** Log lines that a reader came back too late for (E9). */
  readonly linesDropped: number;
}

/** `logs`: the folder with a file for each process. */
export function countServices(logs: string): ServiceCounters {
  let staleRefused = 0;
  let fenced = 0;
  let linesDropped = 0;
  for (const file of existsSync(logs) ? readdirSync(logs) : []) {
    for (const line of linesOf(join(logs, file))) {
      const record = parseObject(line);
      const event = record?.["msg"];
      if (record === undefined) continue;
      if (event === "partition fenced") fenced++;
      if (event === "log lines were dropped") linesDropped += Number(record["lines"]);
      if (event === "tenure ended" && isConflict(record["outcome"])) staleRefused++;
    }
  }
  return { staleRefused, fenced, linesDropped };
}

function isConflict(outcome: unknown): boolean {
  return (outcome as { kind?: unknown } | undefined)?.kind === "conflict";
}
