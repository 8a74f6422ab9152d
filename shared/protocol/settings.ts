// Settings: the values that an operator can change in a running cluster, and the check of each
// value.
//
// A setting is stored in the bucket `config` under `<service>.<name>`, or under `all.<name>` for
// every service. The value of the service precedes the value for all. The stored JSON names the
// operator.
//
//   settings.1. An unknown name, or a value that its check refuses, is never in force.

import { z } from "zod";
import { parseObject } from "../kit/json.ts";
import { SERVICES } from "./ids.ts";
import type { NodeKind } from "./ids.ts";
import { PARTITIONS_MAX } from "./partition-map.ts";

const RATE_FORM = "expected <per second>/<burst>, for example 20/60";
/** "20/60": an average of twenty a second, and a burst of sixty. */
const rate = z
  .string({ error: RATE_FORM })
  .regex(/^\d{1,6}(\.\d{1,3})?\/\d{1,6}$/, RATE_FORM)
  .refine((text) => Number.parseFloat(text) > 0 && Number(text.split("/")[1]) >= 1, {
    error: "expected a rate above 0 and a burst of at least 1",
  });

const LEVELS = ["fatal", "error", "warn", "info", "debug", "trace"] as const;

function numberUpTo(max: number): z.ZodNumber {
  const error = `expected a number from 0 to ${max}`;
  return z.number({ error }).min(0, { error }).max(max, { error });
}

function intervalSeconds(): z.ZodType<number> {
  const error = "expected 0, or a number of seconds from 5 to 3600";
  return z.number({ error }).refine((n) => n === 0 || (n >= 5 && n <= 3_600), { error });
}

export const SETTINGS = {
  "log.level": z.enum(LEVELS, { error: `expected ${LEVELS.join(", ")}` }),
  /** The share of sends that are traced. */
  "trace.ratio": numberUpTo(1),
  "limits.send": rate,
  "limits.join": rate,
  "limits.history": rate,
  "limits.typing": rate,
  /** Frames of any kind. */
  "limits.frame": rate,
  /** Whether an overloaded gateway refuses new work before old (L12). */
  "limits.shedding": z.enum(["on", "off"], { error: "expected on or off" }),
  /** At most one partition moves in this time because of load (P26). 0: none. */
  "balance.seconds": intervalSeconds(),
  /**
   * How many partitions the operator wants (P28). `parley partitions split` sets it. A process
   * ignores a number that is no doubling of the number at creation, and one below the present
   * number.
   */
  "partitions.count": z
    .int({ error: "expected a whole number of partitions" })
    .min(1, { error: "expected at least 1" })
    .max(PARTITIONS_MAX, { error: `expected at most ${PARTITIONS_MAX}` }),
  /** The minimum time between two flushes of a room, in multiples of the cost of the last one. */
  "pace.factor": numberUpTo(100),
  /** The upper bound of that time, in ms. */
  "pace.max": numberUpTo(1_000),
} as const;

export type SettingName = keyof typeof SETTINGS;
export type SettingValue<N extends SettingName> = z.output<(typeof SETTINGS)[N]>;

export type Scope = NodeKind | "all";

export interface StoredSetting {
  readonly v: 1;
  readonly value: unknown;
  /** The operator, for the log. */
  readonly by: string;
}

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name);
}

export function settingKey(scope: Scope, name: SettingName): string {
  return `${scope}.${name}`;
}

/** Undefined for a key without a service. */
export function parseSettingKey(key: string): { scope: Scope; name: string } | undefined {
  const [scope = "", ...rest] = key.split(".");
  const isScope = scope === "all" || (SERVICES as readonly string[]).includes(scope);
  return isScope ? { scope: scope as Scope, name: rest.join(".") } : undefined;
}

export type CheckedSetting =
  | { readonly kind: "ok"; readonly name: SettingName; readonly value: unknown }
  | { readonly kind: "refused"; readonly reason: string };

export function checkSetting(name: string, value: unknown): CheckedSetting {
  if (!isSettingName(name)) return { kind: "refused", reason: "there is no such setting" };
  const parsed = SETTINGS[name].safeParse(value);
  if (parsed.success) return { kind: "ok", name, value: parsed.data };
  return { kind: "refused", reason: parsed.error.issues[0]?.message ?? "the value is not valid" };
}

export function encodeSetting(value: unknown, by: string): string {
  return JSON.stringify({ v: 1, value, by } satisfies StoredSetting);
}

export function decodeSetting(text: string): StoredSetting | undefined {
  const stored = parseObject(text);
  if (stored?.["v"] !== 1 || typeof stored["by"] !== "string" || !("value" in stored)) {
    return undefined;
  }
  return stored as unknown as StoredSetting;
}
