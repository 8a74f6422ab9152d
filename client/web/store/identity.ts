// Identity: the user of this window. sessionStorage keeps it per window, so that two windows can
// have two users.
//
// Only the name is kept. The SDK fetches a token for every connection and keeps it in memory only:
// no token is in an address, in storage or in a log.

import { isUserId } from "#shared/protocol/ids.ts";
import { load, save } from "./saved-rooms.ts";
import type { KeyValue } from "./saved-rooms.ts";
import { t } from "../texts/texts.ts";

const KEY = "parley.user";

export interface Arrival {
  /** Undefined: the form asks for it. */
  readonly user: string | undefined;
  readonly room: string | undefined;
  /** Why the sign-in at an issuer failed. */
  readonly problem?: string;
}

/** `?user=ada&room=general` overrides the stored name. */
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

/** A typed name, normalized; or not a valid one. */
export type Name = { readonly ok: true; readonly name: string } | { readonly ok: false };

export function readName(typed: string): Name {
  const name = typed.normalize("NFC").replaceAll(/\s+/gu, " ").trim();
  return isUserId(name) ? { ok: true, name } : { ok: false };
}

/** Turns a typed room name into a room id: `#Release notes` becomes `Release-notes`. */
export function readRoom(typed: string): string {
  return typed.trim().replace(/^#+/u, "").trim().replaceAll(/\s+/gu, "-");
}

/** Fetches a dev token from the gateway. Rejects with a sentence that the form shows. */
export async function fetchDevToken(fetcher: typeof fetch, user: string): Promise<string> {
  const response = await fetcher("/v1/dev/token", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user }),
  });
  if (response.status === 404) {
    throw new Error(t("signIn.notHere"));
  }
  if (!response.ok) throw new Error(t("signIn.refused", { status: String(response.status) }));
  const { token } = (await response.json()) as { readonly token?: unknown };
  if (typeof token !== "string") throw new Error(t("signIn.badAnswer"));
  return token;
}
