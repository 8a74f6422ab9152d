// Config of a room node: its environment variables, read once at the start.

import { z } from "zod";
import { serviceConfig } from "#shared/process/config.ts";

export const configSchema = z.object({
  ...serviceConfig,
  /** The maximum memory of rooms. Above it the node sheds (core/room-memory.ts). */
  ROOM_MEMORY_MIB: z.coerce.number().int().min(1).max(16_384).default(256),
});
