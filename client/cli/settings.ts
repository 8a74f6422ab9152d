// `parley config`: settings of a running cluster, shown, set and taken back.
//
// Owns: how a value is typed and shown. Does not own: which values are valid (shared/protocol), when
// they are in force (each process decides). A value that is not valid is refused here already.

import type { KV } from "@nats-io/kv";
import { connectNats } from "#shared/adapters/nats-connect.ts";
import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import { openConfigBucket } from "#shared/adapters/settings-nats.ts";
import {
  checkSetting,
  decodeSetting,
  encodeSetting,
  SERVICES,
  settingKey,
  SETTINGS,
} from "#shared/protocol/settings.ts";
import type { Scope } from "#shared/protocol/settings.ts";
import { whoIAm } from "./control.ts";
import { neutral } from "./print.ts";

export class BadSetting extends Error {
  override readonly name = "BadSetting";
}

/** Rejects with BadSetting for a wrong name, scope or value. */
export async function setSetting(
  nats: NatsAccess,
  wanted: { readonly name: string; readonly value: string; readonly service?: string | undefined },
): Promise<string> {
  const scope = scopeOf(wanted.service);
  const checked = checkSetting(wanted.name, readValue(wanted.value));
  if (checked.kind === "refused") throw new BadSetting(`${wanted.name}: ${checked.reason}`);
  const { name, value } = checked;
  await withBucket(nats, (bucket) =>
    bucket.put(settingKey(scope, name), encodeSetting(value, whoIAm())),
  );
  return `${settingKey(scope, name)} = ${JSON.stringify(value)}`;
}

export async function unsetSetting(
  nats: NatsAccess,
  wanted: { readonly name: string; readonly service?: string | undefined },
): Promise<string> {
  const checked = Object.keys(SETTINGS).find((name) => name === wanted.name);
  if (checked === undefined) throw new BadSetting(`${wanted.name}: there is no such setting`);
  const key = `${scopeOf(wanted.service)}.${checked}`;
  await withBucket(nats, (bucket) => bucket.delete(key));
  return `${key} is taken back`;
}

/** One line for each setting that somebody made, then the names of all others. */
export function settingLines(nats: NatsAccess): Promise<readonly string[]> {
  return withBucket(nats, async (bucket) => {
    const lines: string[] = [];
    const scopes: readonly Scope[] = ["all", ...SERVICES];
    for (const name of Object.keys(SETTINGS)) {
      let isSet = false;
      for (const scope of scopes) {
        const entry = await bucket.get(`${scope}.${name}`);
        if (entry === null || entry.operation !== "PUT") continue;
        isSet = true;
        const stored = decodeSetting(entry.string());
        const value = stored === undefined ? "unreadable" : JSON.stringify(stored.value);
        const at = entry.created.toISOString();
        lines.push(neutral(`${scope}.${name} = ${value}  (${stored?.by ?? "?"}, ${at})`));
      }
      if (!isSet) lines.push(`${name} is as each process began`);
    }
    return lines;
  });
}

/** Numbers as numbers, everything else as the text that it is. */
function readValue(text: string): unknown {
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

function scopeOf(service: string | undefined): Scope {
  if (service === undefined) return "all";
  const found = SERVICES.find((name) => name === service);
  if (found === undefined) throw new BadSetting(`--service is one of ${SERVICES.join(", ")}`);
  return found;
}

/** Rejects when NATS or the bucket is not there, or as `use` does. */
export async function withBucket<T>(nats: NatsAccess, use: (bucket: KV) => Promise<T>): Promise<T> {
  const options = { ...nats, name: "parley-config", inboxPrefix: "_INBOX_cli" };
  const connection = await connectNats(options);
  try {
    return await use(await openConfigBucket(connection));
  } finally {
    await connection.close();
  }
}
