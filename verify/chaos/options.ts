// Options of a chaos run, and how `make chaos` reads them from the environment.

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { readConfig } from "#shared/process/config.ts";
import { ROWS, rowsNamed } from "./plan.ts";
import type { Row } from "./plan.ts";

export interface ChaosOptions {
  readonly seed: number;
  readonly seconds: number;
  /** That may happen, here and with this cluster. */
  readonly rows: readonly Row[];
  readonly rooms: number;
  readonly rate: number;
  readonly nats: 1 | 3;
  /** Of F18. */
  readonly sleepers: number;
  /** Where runs are kept: one folder each, with its data beside it. */
  readonly dir: string;
  readonly fakeTimeLibrary: string | undefined;
  /** Deadlines are multiplied by it: 1 proves the table, more only that all comes back. */
  readonly patience: number;
  /** Nothing changes for this long before presence is judged. */
  readonly quietMs: number;
  /** Whether every *sometimes* counter has to be above 0. */
  readonly mustAllHappen: boolean;
  /** Every fault of the plan is done, however long it takes, and then it ends at once. */
  readonly endsWithPlan: boolean;
  readonly say: (line: string) => void;
  /** An abort ends the run early and unjudged; everything that it started is stopped. */
  readonly signal?: AbortSignal;
}

const QUIET_MS = 10_000;

const schema = z.object({
  SECONDS: z.coerce.number().int().min(5).max(86_400).default(450),
  SEED: z.coerce.number().int().min(0).default(1),
  FAULTS: z.string().default(""),
  ROOMS: z.coerce.number().int().min(1).max(10_000).default(100),
  RATE: z.coerce.number().int().min(1).max(100_000).default(500),
  NATS: z.enum(["1", "3"]).default("3"),
  SLEEPERS: z.coerce.number().int().min(1).max(1_000).default(100),
  CHAOS_DIR: z.string().default(".parley/chaos"),
  PATIENCE: z.coerce.number().min(1).max(100).default(1),
});

/** Throws ConfigError, or an error that names the fault there is not. */
export function chaosOptions(env: NodeJS.ProcessEnv, say: (line: string) => void): ChaosOptions {
  const config = readConfig(schema, env);
  const nats = config.NATS === "3" ? 3 : 1;
  const names = config.FAULTS.split(",").filter((name) => name !== "");
  const fakeTimeLibrary = findFakeTime();
  const wanted = names.length === 0 ? ROWS : rowsNamed(names);
  return {
    seed: config.SEED,
    seconds: config.SECONDS,
    rows: wanted.filter((row) => isPossible(row, { nats, fakeTimeLibrary, say })),
    rooms: config.ROOMS,
    rate: config.RATE,
    nats,
    sleepers: config.SLEEPERS,
    dir: resolve(config.CHAOS_DIR),
    fakeTimeLibrary,
    patience: config.PATIENCE,
    quietMs: QUIET_MS,
    mustAllHappen: names.length === 0,
    endsWithPlan: false,
    say,
  };
}

function isPossible(
  row: Row,
  has: {
    readonly nats: 1 | 3;
    readonly fakeTimeLibrary: string | undefined;
    readonly say: (line: string) => void;
  },
): boolean {
  if (row.needs === "nats-3" && has.nats !== 3) {
    has.say(`${row.name} is left out: it needs NATS=3`);
    return false;
  }
  if (row.needs === "clock" && has.fakeTimeLibrary === undefined) {
    has.say(`${row.name} is left out: libfaketime is not installed (Debian: apt install faketime)`);
    return false;
  }
  return true;
}

export function findFakeTime(): string | undefined {
  const folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/lib64"];
  return folders
    .map((folder) => join(folder, "faketime/libfaketime.so.1"))
    .find((path) => existsSync(path));
}
