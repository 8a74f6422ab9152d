// Config of a persistence process: its environment, read once.

import { readFileSync } from "node:fs";
import { z } from "zod";
import { metricsConfig } from "#shared/process/config.ts";

const database = {
  DATABASE_URL: z.url({
    protocol: /^postgres(?:ql)?$/,
    error: "the PostgreSQL to archive into, postgres://…",
  }),
  /** A file with its password, so that none is in the environment; here it is what the file holds. */
  DATABASE_PASSWORD_FILE: z.string().transform(readSecret).optional(),
};

/** Of the job that migrates (migrate.ts): DATABASE_URL is that of the schema's owner. */
export const migrateConfigSchema = z.object({
  ...database,
  /** The role of the processes that serve; none: they use the owner's. */
  DATABASE_SERVING_ROLE: z.string().min(1).optional(),
  /** A file with that role's password: the job makes the role. None: the role is there. */
  DATABASE_SERVING_PASSWORD_FILE: z.string().transform(readSecret).optional(),
});

export const configSchema = z.object({
  NATS_URL: z.string().default("nats://127.0.0.1:4222"),
  /** A file with the seed of this service's NATS user. */
  NATS_NKEY_FILE: z.string().optional(),
  /** The same for the user that trims the log and can do nothing else; else one user does both. */
  NATS_TRIM_NKEY_FILE: z.string().optional(),
  PARTITIONS: z.coerce.number().int().min(1).max(1_024).default(16),
  LOG_LEVEL: z.enum(["fatal", "error", "warn", "info", "debug", "trace"]).default("info"),
  ...database,
  DATABASE_REPLICA_URL: z.string().optional(),
  /**
   * Archived entries stay in each partition log while it holds no more than this share of its bytes:
   * that is how far behind a restored PostgreSQL may be. 0: only LOG_KEEP_ENTRIES of them.
   */
  LOG_KEEP_SHARE: z.coerce.number().min(0).max(0.9).default(0.5),
  /** Archived entries that stay in each partition log in any case. */
  LOG_KEEP_ENTRIES: z.coerce.number().int().min(1).max(10_000_000).default(1_000),
  ...metricsConfig,
});

/** The address with its password, wherever that comes from. */
export function databaseUrl({
  DATABASE_URL: url,
  DATABASE_PASSWORD_FILE: password,
}: Pick<z.output<typeof configSchema>, "DATABASE_URL" | "DATABASE_PASSWORD_FILE">): string {
  if (password === undefined) return url;
  const whole = new URL(url);
  whole.password = password;
  return whole.href;
}

/** A file that cannot be read is a complaint like any other, and no stack (process/config.1 of config.ts). */
function readSecret(file: string, context: z.RefinementCtx): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    context.addIssue("a file that can be read");
    return z.NEVER;
  }
}
