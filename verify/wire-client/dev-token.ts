// Dev token: asks a gateway with AUTH=dev to sign a token for a user.

import { isObject } from "#shared/kit/json.ts";

const REQUEST_TIMEOUT_MS = 10_000;

/** Claims of a token: an `admin` may read every room (M4), `svc` may act for users (B1). */
export interface Claims {
  readonly admin?: true;
  readonly svc?: true;
}

/** `gateway`: its `http://…` URL. Throws when the gateway refuses. */
export async function devToken(
  gateway: string,
  user: string,
  claims: Claims = {},
): Promise<string> {
  const response = await fetch(new URL("/v1/dev/token", gateway), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user, ...claims }),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  const value: unknown = await response.json();
  if (!isObject(value) || typeof value["token"] !== "string") {
    throw new Error(`no dev token: ${response.status} ${JSON.stringify(value)}`);
  }
  return value["token"];
}

/** The address of a gateway's WebSocket, from its `http://…` URL. */
export function socketUrlOf(gateway: string): string {
  return new URL("/v1/ws", gateway.replace("http", "ws")).href;
}
