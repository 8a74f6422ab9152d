// Config of a webhooks process: its environment, read once.

import { z } from "zod";
import { serviceConfig } from "#shared/process/config.ts";
import { databaseConfig } from "#shared/process/database-config.ts";
import { readNetworks } from "./adapters/addresses.ts";

const NETWORKS = "expected networks such as 10.0.0.0/8, separated by commas";

const networks = z
  .string()
  .refine((text) => readNetworks(text) !== undefined, NETWORKS)
  .transform((text) => readNetworks(text) ?? [])
  .default([]);

export const configSchema = z.object({
  ...serviceConfig,
  ...databaseConfig,
  /** Networks that a webhook may reach beside public addresses, separated by commas. */
  WEBHOOKS_ALLOW: networks,
  /** on: this process fetches the pages of links that users ask for (LP1). */
  LINK_PREVIEWS: z.enum(["on", "off"]).default("off"),
  /**
   * Networks in which links may be fetched beside public addresses. WEBHOOKS_ALLOW does not count:
   * operators write the URLs of webhooks, and every user writes links.
   */
  LINK_PREVIEWS_ALLOW: networks,
  /** 1: webhooks may use `http:`. */
  WEBHOOKS_HTTP: z.enum(["0", "1"]).default("0"),
});
