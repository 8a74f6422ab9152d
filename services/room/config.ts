// Config of a room node: its environment, read once.

import { z } from "zod";
import { metricsConfig } from "#shared/process/config.ts";

export const configSchema = z.object({
  NATS_URL: z.string().default("nats://127.0.0.1:4222"),
  /** A file with the seed of this service's NATS user. */
  NATS_NKEY_FILE: z.string().optional(),
  PARTITIONS: z.coerce.number().int().min(1).max(1_024).default(16),
  LOG_LEVEL: z.enum(["fatal", "error", "warn", "info", "debug", "trace"]).default("info"),
  /** Lines kept in memory that the archive does not have yet; beyond it they are read back. */
  ROOM_MEMORY_MIB: z.coerce.number().int().min(1).max(16_384).default(256),
  ...metricsConfig,
});
