// Config: the environment, read once at start into a frozen object.
//
//   process/config.1. One ConfigError carries all complaints, so that an operator needs one restart
//        and not one per variable.
//   process/config.2. A variable that is set to the empty string counts as not set: compose files
//        and CI produce that from `${NAME:-}`.
//   process/config.3. A complaint names the variable and the expected value, never the actual
//        value, which may be a secret.
//   process/config.4. A variable DEBUG_* makes a process misbehave for a drill. It is refused
//        unless NODE_ENV is `development`, which no deployment sets.

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
  /** `off`: a process whose heap is full stays until V8 ends it. */
  SELF_HEALING: z.enum(["on", "off"]).default("on"),
  /** A process replaces itself only when it has run for this long. */
  SELF_HEALING_AFTER_S: z.coerce.number().int().min(0).max(604_800).default(3_600),
  /** For drills: the process leaks this many KiB a second … */
  DEBUG_LEAK_KIB_S: z.coerce.number().int().min(1).max(1_048_576).optional(),
  /** … up to this many MiB. */
  DEBUG_LEAK_MAX_MIB: z.coerce.number().int().min(1).max(65_536).default(65_536),
  /** For drills: how many times faster than normal the process samples its resources. */
  DEBUG_FORECAST_SPEED: z.coerce.number().min(1).max(1_000).default(1),
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
  const refused = refusedSwitches(schema, given);
  if (parsed.success && refused.length === 0) return Object.freeze(parsed.data);
  const complaints = (parsed.error?.issues ?? []).map((issue) => {
    const name = issue.path.join(".");
    // A rule about several variables has no path. Its message names them.
    return name === "" ? issue.message : `${name}: ${issue.message}`;
  });
  throw new ConfigError([...new Set([...complaints, ...refused])]);
}

/** process/config.4. */
function refusedSwitches(schema: z.ZodObject, given: NodeJS.ProcessEnv): readonly string[] {
  if (given["NODE_ENV"] === "development") return [];
  return Object.keys(given)
    .filter((name) => name.startsWith("DEBUG_") && name in schema.shape)
    .map((name) => `${name} is refused: it is for drills, with NODE_ENV=development`);
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
