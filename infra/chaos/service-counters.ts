// Service counters: what the services said of themselves in their logs, summed over a run.
//
// A process that is killed loses the lines that it had not written yet, so these are lower bounds:
// good enough to know that something happened at all.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseObject } from "#shared/kit/json.ts";
import { linesOf } from "../check/folder.ts";

export interface ServiceCounters {
  /** Appends of a room node that were refused because another one's entry stood there. */
  readonly staleRefused: number;
  /** Times that a node stood back for a rival. */
  readonly fenced: number;
  readonly slowDemoted: number;
  readonly holesRepaired: number;
}

/** `logs`: the folder with a file for each process. */
export function countServices(logs: string): ServiceCounters {
  let staleRefused = 0;
  let fenced = 0;
  // A gateway's counters only grow, so the newest line of a process has them all.
  const gateways = new Map<number, { demoted: number; holes: number }>();
  for (const file of existsSync(logs) ? readdirSync(logs) : []) {
    for (const line of linesOf(join(logs, file))) {
      const record = parseObject(line);
      const event = record?.["msg"];
      if (record === undefined) continue;
      if (event === "partition fenced") fenced++;
      if (event === "partition in doubt" && isConflict(record["outcome"])) staleRefused++;
      if (event === "feed counters") {
        const [demoted, holes] = [Number(record["demoted"]), Number(record["holes"])];
        gateways.set(Number(record["pid"]), { demoted, holes });
      }
    }
  }
  const sum = (of: (counters: { demoted: number; holes: number }) => number): number =>
    [...gateways.values()].reduce((total, counters) => total + of(counters), 0);
  return {
    staleRefused,
    fenced,
    slowDemoted: sum(({ demoted }) => demoted),
    holesRepaired: sum(({ holes }) => holes),
  };
}

function isConflict(outcome: unknown): boolean {
  return (outcome as { kind?: unknown } | undefined)?.kind === "conflict";
}
