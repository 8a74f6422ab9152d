// Config of a persistence process: its environment, read once.

import { z } from "zod";
import { attachmentConfig } from "#shared/process/attachment-config.ts";
import { serviceConfig } from "#shared/process/config.ts";
import { databaseConfig, readSecret, serversOf } from "#shared/process/database-config.ts";

/** For the job that migrates (migrate-main.ts): DATABASE_URL belongs to the schema's owner. */
export const migrateConfigSchema = z.object({
  ...databaseConfig,
  /** The role of the processes that serve; undefined: they use the owner's role. */
  DATABASE_SERVING_ROLE: z.string().min(1).optional(),
  /** A file with that role's password: the job creates the role. Undefined: the role exists. */
  DATABASE_SERVING_PASSWORD_FILE: z.string().transform(readSecret).optional(),
  /** The same for the processes that send webhooks. */
  DATABASE_WEBHOOKS_ROLE: z.string().min(1).optional(),
  DATABASE_WEBHOOKS_PASSWORD_FILE: z.string().transform(readSecret).optional(),
});

export const configSchema = z.object({
  ...serviceConfig,
  ...attachmentConfig,
  /**
   * A file with the seed of the NATS user that can only trim the log. Undefined: the service's own
   * user trims it.
   */
  NATS_TRIM_NKEY_FILE: z.string().optional(),
  ...databaseConfig,
  /** A standby of DATABASE_URL, for pages, lists and searches. Its password is the same. */
  DATABASE_REPLICA_URL: z
    .string()
    .refine((url) => serversOf(url)?.length === 1, {
      error: "one PostgreSQL that streams from DATABASE_URL, as postgres://…",
    })
    .optional(),
  /**
   * Archived entries stay in each partition log while it holds at most this share of its maximum
   * bytes. A PostgreSQL that is restored from a backup may be that far behind. 0: keep only
   * LOG_KEEP_ENTRIES.
   */
  LOG_KEEP_SHARE: z.coerce.number().min(0).max(0.9).default(0.5),
  /** Archived entries that always stay in each partition log. */
  LOG_KEEP_ENTRIES: z.coerce.number().int().min(1).max(10_000_000).default(1_000),
  /**
   * Archived entries that are older are removed from each partition log, whatever the other two
   * settings keep: a deleted text is in no log for longer. Undefined: no bound.
   */
  LOG_KEEP_HOURS: z.coerce.number().min(0.01).max(87_600).optional(),
  /**
   * The language whose stems the search finds beside the words as they stand, by its name in
   * PostgreSQL: german, english, … The same in all processes. Another one rebuilds the index.
   */
  SEARCH_LANGUAGE: z
    .string()
    .regex(/^[a-z_]{1,63}$/)
    .default("simple"),
  /**
   * The rooms whose newest pages a process reads ahead when it starts: those that were read most.
   * 0: no page is read ahead.
   */
  WARM_ROOMS: z.coerce.number().int().min(0).max(4_096).default(1_000),
  /** off: this process indexes nothing, and a search finds only what others have indexed. */
  SEARCH_INDEX: z.enum(["on", "off"]).default("on"),
});
