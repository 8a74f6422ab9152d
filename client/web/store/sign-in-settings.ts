// SignInSettings: how this page signs users in, and which files the server takes, as the gateway
// wrote it into the page.

import { parseObject } from "#shared/kit/json.ts";

export interface OidcSettings {
  readonly kind: "oidc";
  readonly issuer: string;
  readonly clientId: string;
  readonly scope: string;
  /** What the gateways expect as `aud`. The client's own id: they expect its id tokens. */
  readonly audience: string;
}

/** `none`: another application signs users in, and this page cannot. */
export type SignInSettings = { readonly kind: "dev" | "none" } | OidcSettings;

export function readSignIn(content: string | undefined): SignInSettings {
  const { kind, issuer, clientId, scope, audience } = parseObject(content ?? "") ?? {};
  if (kind === "dev") return { kind };
  const texts = [issuer, clientId, scope, audience];
  if (kind !== "oidc" || !texts.every((text) => typeof text === "string")) return { kind: "none" };
  return { kind, issuer, clientId, scope, audience } as OidcSettings;
}

/** The largest file; undefined: the server takes none (AT12). */
export function readFileBytesMax(content: string | undefined): number | undefined {
  const { bytesMax } = parseObject(content ?? "") ?? {};
  return typeof bytesMax === "number" ? bytesMax : undefined;
}
