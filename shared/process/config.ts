// Config: the environment, read once at start into a frozen object.
//
//   process/config.1. One ConfigError carries all complaints, so that an operator needs one restart
//        and not one per variable.
//   process/config.2. A variable that is set to the empty string counts as not set: compose files
//        and CI produce that from `${NAME:-}`.
//   process/config.3. A complaint names the variable and the expected value, never the actual
//        value, which may be a secret.

import { z } from "zod";
import { isRegionName } from "../protocol/regions.ts";

export const REGION_EXPECTED =
  "expected a lower-case letter, then at most 31 lower-case letters, digits or dashes";

/** The variables of every service; a part of each service's schema. */
export const serviceConfig = {
  NATS_URL: z.string().default("nats://127.0.0.1:4222"),
  /** A file with the seed of this service's NATS user. */
  NATS_NKEY_FILE: z.string().optional(),
  PARTITIONS: z.coerce.number().int().min(1).max(1_024).default(16),
  LOG_LEVEL: z.enum(["fatal", "error", "warn", "info", "debug", "trace"]).default("info"),
  /** The address of metrics and health checks. */
  METRICS_HOST: z.string().default("127.0.0.1"),
  /** The port of metrics and health checks; 0: any free port. */
  METRICS_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  /**
   * The region of this process, when two regions share a term: the process then serves only with a
   * grant of its region agent.
   */
  REGION: z.string().refine(isRegionName, REGION_EXPECTED).optional(),
};

export type ServiceConfig = z.output<z.ZodObject<typeof serviceConfig>>;

export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly complaints: readonly string[];

  constructor(complaints: readonly string[]) {
    super(`the environment is not valid:\n${complaints.map((line) => `  ${line}`).join("\n")}`);
    this.complaints = complaints;
  }
}

export function readConfig<S extends z.ZodObject>(
  schema: S,
  env: NodeJS.ProcessEnv = process.env,
): Readonly<z.output<S>> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  // The text of the schema itself, where it has one, goes before `expectation`.
  const parsed = schema.safeParse(given, { error: expectation });
  if (parsed.success) return Object.freeze(parsed.data);
  const complaints = parsed.error.issues.map((issue) => {
    const name = issue.path.join(".");
    // A rule about several variables has no path. Its message names them.
    return name === "" ? issue.message : `${name}: ${issue.message}`;
  });
  throw new ConfigError([...new Set(complaints)]);
}

/** Zod's own texts name JavaScript types, which an operator does not know. */
function expectation(issue: z.core.$ZodRawIssue): string {
  if (issue.input === undefined) return "it is missing";
  if (issue.code === "invalid_value") return `expected ${issue.values.join(" or ")}`;
  if (issue.code === "too_small") {
    return `expected at least ${issue.minimum}${unitOf(issue.origin)}`;
  }
  if (issue.code === "too_big") return `expected at most ${issue.maximum}${unitOf(issue.origin)}`;
  if (issue.code === "invalid_type") {
    return issue.expected === "int" ? "expected a whole number" : `expected a ${issue.expected}`;
  }
  return issue.code === "invalid_format" && issue.format === "url"
    ? "expected a URL"
    : "it is not valid";
}

function unitOf(origin: string): string {
  return origin === "string" ? " characters" : "";
}
