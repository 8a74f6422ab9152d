// Service counters: the events that services logged, summed over a run. Counters of gateways come
// from their metrics (chaos-cluster.ts).
//
// A killed process loses the lines that it had not written yet, so these are lower bounds: they
// show that an event happened at all.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Resource } from "#shared/kit/foresight.ts";
import { parseObject } from "#shared/kit/json.ts";
import { linesOf } from "../checker/folder.ts";

export interface ServiceCounters {
  /**
   * Appends of a room node that NATS refused because another owner's entry had the expected
   * sequence.
   */
  readonly staleRefused: number;
  /** How often a rival fenced an owner. */
  readonly fenced: number;
  /** Log lines that a service dropped because its reader was too slow (E9). */
  readonly linesDropped: number;
  /**
   * Exhaustions of memory or open files that services foretold. No process of a run leaks, so each
   * is a false alarm. A forecast of the log or the archive may be true: PostgreSQL is a target.
   */
  readonly falseAlarms: number;
}

/** What only a leak exhausts. */
const LEAKED: ReadonlySet<unknown> = new Set<Resource>(["heap", "rss", "files"]);

/** `logs`: the folder with one file for each process. */
export function countServices(logs: string): ServiceCounters {
  let staleRefused = 0;
  let fenced = 0;
  let linesDropped = 0;
  let falseAlarms = 0;
  for (const file of existsSync(logs) ? readdirSync(logs) : []) {
    for (const line of linesOf(join(logs, file))) {
      const record = parseObject(line);
      const event = record?.["msg"];
      if (record === undefined) continue;
      if (event === "partition fenced") fenced++;
      if (event === "log lines were dropped") linesDropped += Number(record["lines"]);
      if (event === "exhaustion foretold" && LEAKED.has(record["resource"])) falseAlarms++;
      if (event === "tenure ended" && isConflict(record["outcome"])) staleRefused++;
    }
  }
  return { staleRefused, fenced, linesDropped, falseAlarms };
}

function isConflict(outcome: unknown): boolean {
  return (outcome as { kind?: unknown } | undefined)?.kind === "conflict";
}
