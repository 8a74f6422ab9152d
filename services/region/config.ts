// Config of a region agent: its environment, read once.

import { readFileSync } from "node:fs";
import { z } from "zod";
import { isRegionName } from "#shared/protocol/regions.ts";
import { REGION_EXPECTED, serviceConfig } from "#shared/process/config.ts";

const name = z.string().refine(isRegionName, REGION_EXPECTED);

export const configSchema = z
  .object({
    ...serviceConfig,
    /** The region of this agent, and the JetStream domain of its NATS servers. */
    REGION: name,
    /** The other region, and its domain. */
    PEER_REGION: name,
    /** The NATS server outside both regions, or several separated by commas. */
    WITNESS_URL: z.string().min(1),
    /** A file with the seed of the agent's user on the witness. */
    WITNESS_NKEY_FILE: z.string().optional(),
    /** How long a region may serve after its last renewal. */
    LEASE_MS: z.coerce.number().int().min(1_000).max(60_000).default(5_000),
    RENEW_MS: z.coerce.number().int().min(100).max(20_000).default(1_000),
    /** 1: the follower takes over without an operator when the lease has ended. */
    AUTO_PROMOTE: z.enum(["0", "1"]).default("0"),
    /** PostgreSQL of this region, as a role that may promote it and change births. */
    DATABASE_URL: z.url({
      protocol: /^postgres(?:ql)?$/,
      error: "the PostgreSQL of this region, as postgres://…",
    }),
    /** 1: both regions serve, each its home. Both agents need the same value. */
    HOMES: z.enum(["0", "1"]).default("0"),
    /** With HOMES: PostgreSQL of the other region, for a rejoin. A role that may read. */
    PEER_DATABASE_URL: z
      .url({
        protocol: /^postgres(?:ql)?$/,
        error: "the PostgreSQL of the other region, as postgres://…",
      })
      .optional(),
    /** A file with the password of PEER_DATABASE_URL. The value here is the content of the file. */
    PEER_DATABASE_PASSWORD_FILE: z.string().transform(readSecret).optional(),
    /** A file with the password of DATABASE_URL. The value here is the content of the file. */
    DATABASE_PASSWORD_FILE: z.string().transform(readSecret).optional(),
    /** Of streams that the agent creates. */
    NATS_REPLICAS: z.coerce.number().int().min(1).max(5).default(1),
    LOG_BYTES_MAX: z.coerce
      .number()
      .int()
      .min(1_048_576)
      .default(256 * 1_024 * 1_024),
  })
  .superRefine(({ REGION, PEER_REGION, LEASE_MS, RENEW_MS, ...rest }, context) => {
    const complain = (message: string): void => context.addIssue({ code: "custom", message });
    if (REGION === PEER_REGION) complain("PEER_REGION: expected another region than REGION");
    if (rest.HOMES === "1") {
      if (rest.PEER_DATABASE_URL === undefined) complain("PEER_DATABASE_URL: HOMES=1 needs it");
      if (rest.PARTITIONS < 2) complain("PARTITIONS: expected at least 2 with HOMES=1");
    }
    if (RENEW_MS * 3 > LEASE_MS) complain("RENEW_MS: expected at most a third of LEASE_MS");
  });

export type Config = z.output<typeof configSchema>;

export function databaseUrl({ DATABASE_URL, DATABASE_PASSWORD_FILE }: Config): string {
  return withPassword(DATABASE_URL, DATABASE_PASSWORD_FILE);
}

/** Undefined unless both regions serve. */
export function peerDatabaseUrl(config: Config): string | undefined {
  const { HOMES, PEER_DATABASE_URL: url, PEER_DATABASE_PASSWORD_FILE: password } = config;
  return HOMES === "0" || url === undefined ? undefined : withPassword(url, password);
}

function withPassword(url: string, password: string | undefined): string {
  if (password === undefined) return url;
  const whole = new URL(url);
  whole.password = password;
  return whole.href;
}

/** An unreadable file is a complaint without a stack, like any other (process/config.1). */
function readSecret(file: string, context: z.RefinementCtx): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    context.addIssue("a file that can be read");
    return z.NEVER;
  }
}
