// Identity: who this window is. Kept per window (sessionStorage), so that two can be two people.
//
// Only the name is kept. A token is asked for at every connect and lives in the SDK's memory alone:
// none is ever in an address, in storage or in a log.

import { isUserId } from "#shared/protocol/ids.ts";
import { load, save } from "./saved-rooms.ts";
import type { KeyValue } from "./saved-rooms.ts";

const KEY = "parley.user";

export interface Arrival {
  /** Undefined: ask. */
  readonly user: string | undefined;
  readonly room: string | undefined;
}

/** `?user=ada&room=general` wins over what the window remembers. */
export function arrive(query: string, storage: KeyValue): Arrival {
  const parameters = new URLSearchParams(query);
  const user = parameters.get("user") ?? load(storage, KEY);
  return {
    user: isUserId(user) ? user : undefined,
    room: parameters.get("room") ?? undefined,
  };
}

export function rememberUser(storage: KeyValue, user: string | undefined): void {
  save(storage, KEY, user);
}

/** What was typed as a name, or why it cannot be one. */
export type Name = { readonly ok: true; readonly name: string } | { readonly ok: false };

export function readName(typed: string): Name {
  const name = typed.normalize("NFC").replaceAll(/\s+/gu, " ").trim();
  return isUserId(name) ? { ok: true, name } : { ok: false };
}

/** What was typed as a room, as a room id: `#Release notes` becomes `Release-notes`. */
export function readRoom(typed: string): string {
  return typed.trim().replace(/^#+/u, "").trim().replaceAll(/\s+/gu, "-");
}

/** Asks the gateway for a development token. Rejects with a sentence for the reader. */
export async function fetchDevToken(fetcher: typeof fetch, user: string): Promise<string> {
  const response = await fetcher("/v1/dev/token", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user }),
  });
  if (response.status === 404) {
    throw new Error("This server gives no development tokens; sign in where it tells you to.");
  }
  if (!response.ok) throw new Error(`The server gave no token (${response.status}).`);
  const { token } = (await response.json()) as { readonly token?: unknown };
  if (typeof token !== "string") throw new Error("The server's answer held no token.");
  return token;
}
