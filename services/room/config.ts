// Config of a room node: its environment variables, read once at the start.

import { z } from "zod";
import { metricsConfig } from "#shared/process/config.ts";

export const configSchema = z.object({
  NATS_URL: z.string().default("nats://127.0.0.1:4222"),
  /** A file with the seed of this service's NATS user. */
  NATS_NKEY_FILE: z.string().optional(),
  PARTITIONS: z.coerce.number().int().min(1).max(1_024).default(16),
  LOG_LEVEL: z.enum(["fatal", "error", "warn", "info", "debug", "trace"]).default("info"),
  /** The maximum memory of rooms. Above it the node sheds (core/room-memory.ts). */
  ROOM_MEMORY_MIB: z.coerce.number().int().min(1).max(16_384).default(256),
  ...metricsConfig,
});
