// OidcIssuer: a real OpenID Connect issuer for tests: `oidc-provider`, with its own pages for the
// name and the consent. It takes every name and no password.

import { once } from "node:events";
import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import { freePort } from "#shared/testing/ports.ts";

export const AUDIENCE = "https://chat.example";
export const CLIENT_ID = "parley-web";
/** A second above SPARE_MS of the page (oidc.ts), so that the next connection needs a refresh. */
const ACCESS_SECONDS = 21;

interface Provider {
  callback(): RequestListener;
  on(event: string, handler: (...values: unknown[]) => void): void;
}
type ProviderClass = new (issuer: string, configuration: object) => Provider;

export class OidcIssuer implements AsyncDisposable {
  readonly url: string;
  /** The grants that it gave, by type. */
  readonly grants: string[] = [];
  /** What it refused. */
  readonly errors: string[] = [];
  readonly #server: Server;

  private constructor(url: string, server: Server) {
    this.url = url;
    this.#server = server;
  }

  /** `pages`: the addresses of the pages. `claims`: in each access token. */
  static async start(pages: readonly string[], claims: object = {}): Promise<OidcIssuer> {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    // It has no types of its own.
    const name = "oidc-provider";
    const { Provider } = (await import(name)) as { readonly Provider: ProviderClass };
    const provider = new Provider(url, {
      clients: [
        {
          client_id: CLIENT_ID,
          token_endpoint_auth_method: "none",
          redirect_uris: [...pages],
          post_logout_redirect_uris: [...pages],
          grant_types: ["authorization_code", "refresh_token"],
          response_types: ["code"],
        },
      ],
      clientBasedCORS: () => true,
      findAccount: (_context: unknown, id: string) => ({
        accountId: id,
        claims: async () => ({ sub: id }),
      }),
      issueRefreshToken: async () => true,
      extraTokenClaims: async () => claims,
      features: {
        devInteractions: { enabled: true },
        resourceIndicators: {
          enabled: true,
          defaultResource: () => AUDIENCE,
          useGrantedResource: () => true,
          getResourceServerInfo: () => ({
            scope: "",
            audience: AUDIENCE,
            accessTokenFormat: "jwt",
            accessTokenTTL: ACCESS_SECONDS,
          }),
        },
      },
      cookies: { keys: ["a key of this test"] },
    });
    const server = createServer(provider.callback());
    const issuer = new OidcIssuer(url, server);
    provider.on("grant.success", (context) => {
      const { oidc } = context as { readonly oidc: { readonly params?: { grant_type?: string } } };
      issuer.grants.push(oidc.params?.grant_type ?? "");
    });
    provider.on("grant.error", (_context, error) => issuer.errors.push(String(error)));
    provider.on("authorization.error", (_context, error) => issuer.errors.push(String(error)));
    await once(server.listen(port, "127.0.0.1"), "listening");
    return issuer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
