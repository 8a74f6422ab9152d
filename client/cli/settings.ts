// Settings: `parley config` shows, sets and removes the settings of a running cluster.
//
// Owns: how a value is read from the command line and printed. Does not own: which values are valid
// (shared/protocol/settings.ts), when they take effect (each process decides). The command refuses
// an invalid value before it stores anything.

import type { KV } from "@nats-io/kv";
import { connectNats } from "#shared/adapters/nats-connect.ts";
import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import { openConfigBucket } from "#shared/adapters/settings-nats.ts";
import {
  checkSetting,
  decodeSetting,
  encodeSetting,
  isSettingName,
  settingKey,
  SETTINGS,
} from "#shared/protocol/settings.ts";
import { SERVICES } from "#shared/protocol/ids.ts";
import type { Scope } from "#shared/protocol/settings.ts";
import { operatorName } from "./control.ts";
import { neutral } from "./print.ts";

const SETTING_NAMES = Object.keys(SETTINGS);

export class BadSetting extends Error {
  override readonly name = "BadSetting";
}

/**
 * Resolves with a line for the terminal. Rejects with BadSetting for a wrong name, scope or value.
 */
export async function setSetting(
  nats: NatsAccess,
  wanted: { readonly name: string; readonly value: string; readonly service?: string | undefined },
): Promise<string> {
  const scope = scopeOf(wanted.service);
  const checked = checkSetting(wanted.name, readValue(wanted.value));
  if (!isSettingName(wanted.name)) throw unknownSetting(wanted.name);
  if (checked.kind === "refused") throw new BadSetting(`${wanted.name}: ${checked.reason}`);
  refuseCount(wanted.name);
  const { name, value } = checked;
  await withBucket(nats, (bucket) =>
    bucket.put(settingKey(scope, name), encodeSetting(value, operatorName())),
  );
  return `${settingKey(scope, name)} = ${JSON.stringify(value)}`;
}

/** Removes a stored value. Resolves with a line for the terminal; rejects with BadSetting. */
export async function unsetSetting(
  nats: NatsAccess,
  wanted: { readonly name: string; readonly service?: string | undefined },
): Promise<string> {
  if (!isSettingName(wanted.name)) throw unknownSetting(wanted.name);
  refuseCount(wanted.name);
  const key = settingKey(scopeOf(wanted.service), wanted.name);
  await withBucket(nats, (bucket) => bucket.delete(key));
  return `${key} is removed`;
}

/** A stored value; without `scope`: the setting has none. */
export interface StoredValue {
  readonly setting: string;
  readonly scope?: Scope;
  readonly value: unknown;
  readonly by?: string;
  readonly at?: string;
}

/** Each stored value, and each setting without one. */
export function storedSettings(nats: NatsAccess): Promise<readonly StoredValue[]> {
  return withBucket(nats, async (bucket) => {
    const found: StoredValue[] = [];
    const scopes: readonly Scope[] = ["all", ...SERVICES];
    for (const name of SETTING_NAMES) {
      let isSet = false;
      for (const scope of scopes) {
        const entry = await bucket.get(`${scope}.${name}`);
        if (entry === null || entry.operation !== "PUT") continue;
        isSet = true;
        const stored = decodeSetting(entry.string());
        const { value = "unreadable", by = "?" } = stored ?? {};
        found.push({ setting: name, scope, value, by, at: entry.created.toISOString() });
      }
      if (!isSet) found.push({ setting: name, value: null });
    }
    return found;
  });
}

/** One line for a terminal. */
export function settingLine({ setting, scope, value, by, at }: StoredValue): string {
  if (scope === undefined) return `${setting} has the value with which each process started`;
  return neutral(`${scope}.${setting} = ${JSON.stringify(value)}  (${by}, ${at})`);
}

/** The logs must exist before the number is set, and the number never shrinks (P28). */
function refuseCount(name: string): void {
  if (name !== "partitions.count") return;
  throw new BadSetting("partitions.count is changed by parley partitions split");
}

/** A number becomes a number; any other text stays a text. */
function readValue(text: string): unknown {
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

function unknownSetting(name: string): BadSetting {
  return new BadSetting(
    `there is no setting ${name}: the settings are ${SETTING_NAMES.join(", ")}`,
  );
}

function scopeOf(service: string | undefined): Scope {
  if (service === undefined) return "all";
  const found = SERVICES.find((name) => name === service);
  if (found === undefined) {
    throw new BadSetting(`--service ${service}: expected ${SERVICES.join(", ")}, or no --service`);
  }
  return found;
}

/** Rejects when NATS or the bucket is missing, or as `use` does. */
export async function withBucket<T>(nats: NatsAccess, use: (bucket: KV) => Promise<T>): Promise<T> {
  const options = { ...nats, name: "parley-config", inboxPrefix: "_INBOX_cli" };
  const connection = await connectNats(options);
  try {
    return await use(await openConfigBucket(connection));
  } finally {
    await connection.close();
  }
}
