// Options of a chaos run, and how `make chaos` reads them from the environment.

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { readConfig } from "#shared/process/config.ts";
import { checkOut } from "../versions/checkout.ts";
import type { Checkout } from "../versions/checkout.ts";
import { ROWS, rowsNamed } from "./plan.ts";
import type { Row } from "./plan.ts";

export interface ChaosOptions {
  readonly seed: number;
  readonly seconds: number;
  /** The faults that are possible on this machine and with this cluster. */
  readonly rows: readonly Row[];
  readonly rooms: number;
  readonly rate: number;
  readonly nats: 1 | 3;
  /** The number of paused readers (F18). */
  readonly sleepers: number;
  /** Each run gets a folder of its own in this one. */
  readonly dir: string;
  readonly fakeTimeLibrary: string | undefined;
  /**
   * A factor for all deadlines. 1 tests the table; more only tests that every client is served
   * again.
   */
  readonly patience: number;
  /** The time without a change before the checker judges presence. */
  readonly quietMs: number;
  /** Whether every *sometimes* counter must be above 0. */
  readonly mustAllHappen: boolean;
  /** The run injects every fault of the plan, however long it takes, and then ends at once. */
  readonly endsWithPlan: boolean;
  /** Another version, with which every second process runs. */
  readonly previous?: Checkout;
  readonly say: (line: string) => void;
  /** An abort ends the run early without a verdict and stops all that it started. */
  readonly signal?: AbortSignal;
}

const QUIET_MS = 10_000;

const schema = z.object({
  SECONDS: z.coerce.number().int().min(5).max(86_400).default(520),
  SEED: z.coerce.number().int().min(0).default(1),
  FAULTS: z.string().default(""),
  ROOMS: z.coerce.number().int().min(1).max(10_000).default(100),
  RATE: z.coerce.number().int().min(1).max(100_000).default(500),
  NATS: z.enum(["1", "3"]).default("3"),
  SLEEPERS: z.coerce.number().int().min(1).max(1_000).default(100),
  CHAOS_DIR: z.string().default(".parley/chaos"),
  PREVIOUS: z.string().default(""),
  PATIENCE: z.coerce.number().min(1).max(100).default(1),
});

/** Rejects with ConfigError, MissingVersion, or an error that names the unknown fault. */
export async function chaosOptions(
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<ChaosOptions> {
  const config = readConfig(schema, env);
  const nats = config.NATS === "3" ? 3 : 1;
  const names = config.FAULTS.split(",").filter((name) => name !== "");
  const fakeTimeLibrary = findFakeTime();
  const wanted = names.length === 0 ? ROWS : rowsNamed(names);
  return {
    seed: config.SEED,
    seconds: config.SECONDS,
    rows: wanted.filter((row) =>
      isPossible(row, { nats, fakeTimeLibrary, isMixed: config.PREVIOUS !== "", say }),
    ),
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
    ...(config.PREVIOUS !== "" && { previous: await checkOut(config.PREVIOUS, say) }),
    say,
  };
}

function isPossible(
  row: Row,
  has: {
    readonly nats: 1 | 3;
    readonly fakeTimeLibrary: string | undefined;
    readonly isMixed: boolean;
    readonly say: (line: string) => void;
  },
): boolean {
  if (row.needs === "webhooks" && has.isMixed) {
    has.say(`${row.name} is left out: with another version no process sends webhooks`);
    return false;
  }
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
