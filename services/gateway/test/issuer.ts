// Issuer: a token issuer with a real HTTP endpoint for its keys. Tests rotate, break and stop it.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { CryptoKey, JWK, JWTHeaderParameters } from "jose";

export const ISSUER = "https://issuer.example";
export const AUDIENCE = "parley";
export const DOWN = "down";

export type Claims = Readonly<Record<string, unknown>>;

export interface IssuerKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

export async function createKey(kid: string, alg = "ES256"): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg } };
}

export interface Issuer extends AsyncDisposable {
  readonly url: string;
  /**
   * The served keys, a raw text, or a redirect if the text is a URL. DOWN breaks the connection.
   */
  keys: readonly IssuerKey[] | string;
  /** The number of requests to the endpoint. */
  readonly fetches: number;
}

export async function openIssuer(first: readonly IssuerKey[]): Promise<Issuer> {
  let fetches = 0;
  const server = createServer((request, response) => {
    fetches += 1;
    response.setHeader("connection", "close");
    const { keys } = issuer;
    if (keys === DOWN) {
      request.socket.destroy();
      return;
    }
    const text =
      typeof keys === "string" ? keys : JSON.stringify({ keys: keys.map((key) => key.publicJwk) });
    if (text.startsWith("http")) response.writeHead(302, { location: text });
    response.end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer: Issuer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
    keys: first,
    get fetches() {
      return fetches;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return issuer;
}

/** A valid token with the test's changes. A claim or header set to undefined is absent. */
export function sign(
  key: IssuerKey,
  nowMs: number,
  changes: { readonly claims?: Claims; readonly header?: Partial<JWTHeaderParameters> } = {},
): Promise<string> {
  const seconds = Math.floor(nowMs / 1_000);
  const payload: Claims = {
    sub: "ada",
    iss: ISSUER,
    aud: AUDIENCE,
    iat: seconds,
    exp: seconds + 3_600,
    ...changes.claims,
  };
  const header = { alg: key.alg, kid: key.kid, ...changes.header };
  return new SignJWT(payload).setProtectedHeader(header).sign(key.privateKey);
}
