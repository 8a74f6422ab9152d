// DevToken: fetches a token from a gateway that runs with AUTH=dev.
//
// For development, tests and the command line. A real application gets its tokens from its issuer.

import { parseObject } from "#shared/kit/json.ts";

/** The gateway gave no token. */
export class DevTokenError extends Error {
  override readonly name = "DevTokenError";
  /**
   * `refused`: the gateway answered, for example with 429. `not-parley`: another server answered.
   */
  readonly code: "unreachable" | "no-dev-auth" | "bad-user" | "refused" | "not-parley";

  constructor(code: DevTokenError["code"], message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** The claims beside the user, and the end of the wait. */
export interface DevTokenOptions {
  readonly signal?: AbortSignal;
  readonly admin?: boolean;
  /** A service token, whose holder may act as other users over HTTP. */
  readonly svc?: boolean;
}

/**
 * Resolves with a token for `user`. `url` is the gateway's HTTP address: `http://localhost:8080`.
 * Rejects with DevTokenError, for example when the gateway runs without AUTH=dev.
 */
export async function devToken(
  url: string,
  user: string,
  { signal, ...claims }: DevTokenOptions = {},
): Promise<string> {
  const response = await fetch(new URL("/v1/dev/token", url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user, ...claims }),
    signal: signal ?? null,
  }).catch((error: unknown) => {
    if (signal?.aborted === true) throw error;
    throw new DevTokenError("unreachable", `no gateway answers at ${url}`, error);
  });
  const { status } = response;
  const gateway = `the gateway at ${url}`;
  if (status === 404) {
    throw new DevTokenError("no-dev-auth", `${gateway} gives no dev tokens: it needs AUTH=dev`);
  }
  if (status === 400) throw new DevTokenError("bad-user", `${gateway} refuses this user id`);
  if (!response.ok) throw new DevTokenError("refused", `${gateway} gives no token now: ${status}`);
  const token = parseObject(await response.text())?.["token"];
  if (typeof token === "string") return token;
  throw new DevTokenError("not-parley", `the server at ${url} is not a gateway of Parley`);
}
