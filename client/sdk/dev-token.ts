// DevToken: fetches a token from a gateway that runs with AUTH=dev.
//
// For development, tests and the command line. A real application gets its tokens from its issuer.

/** The gateway gave no token; the message contains the reason. */
export class DevTokenError extends Error {
  override readonly name = "DevTokenError";
}

/**
 * Resolves with a token for `user`. `url` is the gateway's HTTP address: `http://localhost:8080`.
 * Rejects with DevTokenError when no gateway answers there, or when it runs without AUTH=dev.
 */
export async function devToken(url: string, user: string): Promise<string> {
  const response = await fetch(new URL("/v1/dev/token", url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user }),
  }).catch((error: unknown) => {
    throw new DevTokenError(`no gateway answers at ${url}`, { cause: error });
  });
  if (response.status === 404) {
    throw new DevTokenError(`the gateway at ${url} gives no dev tokens: it runs without AUTH=dev`);
  }
  if (!response.ok) {
    throw new DevTokenError(`the gateway at ${url} refuses a dev token for this user id`);
  }
  return ((await response.json()) as { token: string }).token;
}
