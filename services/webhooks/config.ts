// Config of a webhooks process: its environment, read once.

import { z } from "zod";
import { serviceConfig } from "#shared/process/config.ts";
import { databaseConfig } from "#shared/process/database-config.ts";
import { readNetworks } from "./adapters/addresses.ts";

const NETWORKS = "expected networks such as 10.0.0.0/8, separated by commas";

export const configSchema = z.object({
  ...serviceConfig,
  ...databaseConfig,
  /** Networks that a webhook may reach beside public addresses, separated by commas. */
  WEBHOOKS_ALLOW: z
    .string()
    .refine((text) => readNetworks(text) !== undefined, NETWORKS)
    .transform((text) => readNetworks(text) ?? [])
    .default([]),
  /** 1: webhooks may use `http:`. */
  WEBHOOKS_HTTP: z.enum(["0", "1"]).default("0"),
});
