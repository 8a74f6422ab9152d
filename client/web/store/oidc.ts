// Oidc: signs a user in at an OpenID Connect issuer: code flow with PKCE, for a client without a
// secret. oauth4webapi makes and checks every message of the protocol.
//
// Owns: the tokens, the state of a flow that is under way. Does not own: when to sign in (ui), the
// connection (SDK). Loaded on demand: only a page with an issuer needs it.
//
//   oidc.1. Tokens are in memory only. After a reload the issuer's own session gives new ones,
//        without a question.
//   oidc.2. What a flow needs after the redirect is in sessionStorage: for this window only, and
//        removed when it returns. State, nonce and PKCE bind the answer to it.
//   oidc.3. An answer of an issuer that no flow of this window asked for is refused.
//   oidc.4. The page never begins a second flow by itself after a failed one, so it cannot loop.
//   oidc.5. Without a network no flow begins: `token` rejects, and the SDK asks again.

import * as oauth from "oauth4webapi";
import { parseObject } from "#shared/kit/json.ts";
import { t } from "../texts/texts.ts";
import { load, save } from "./saved-rooms.ts";
import type { KeyValue } from "./saved-rooms.ts";
import type { OidcSettings } from "./sign-in-settings.ts";

const FLOW = "parley.flow";
/** A token that ends sooner is not used for another connection. */
const SPARE_MS = 20_000;

/** The parts of a browser that a flow needs. */
export interface OidcPage {
  /** For this window only. */
  readonly storage: KeyValue;
  readonly url: () => URL;
  /** Leaves the page. */
  readonly go: (url: URL) => void;
  /** Replaces the address without a reload. */
  readonly replace: (url: URL) => void;
  readonly now: () => number;
}

interface Flow {
  readonly verifier: string;
  readonly state: string;
  readonly nonce: string;
  readonly room: string;
}

interface Tokens {
  readonly bearer: string;
  readonly endsAt: number;
  readonly refresh: string | undefined;
  readonly id: string | undefined;
}

export class Oidc {
  readonly #settings: OidcSettings;
  readonly #page: OidcPage;
  readonly #client: oauth.Client;
  readonly #auth = oauth.None();
  readonly #options: { readonly [oauth.allowInsecureRequests]: boolean };
  #server: oauth.AuthorizationServer | undefined;
  #tokens: Tokens | undefined;
  #refreshing: Promise<string> | undefined;

  constructor(settings: OidcSettings, page: OidcPage) {
    this.#settings = settings;
    this.#page = page;
    this.#client = { client_id: settings.clientId };
    // The operator names the issuer. Browsers allow http for the own machine in a secure context.
    this.#options = {
      [oauth.allowInsecureRequests]: new URL(settings.issuer).protocol === "http:",
    };
  }

  /** Leaves the page for the issuer's. Never resolves; rejects without a network. */
  async signIn(room: string): Promise<never> {
    const server = await this.#discover();
    const flow: Flow = {
      verifier: oauth.generateRandomCodeVerifier(),
      state: oauth.generateRandomState(),
      nonce: oauth.generateRandomNonce(),
      room,
    };
    save(this.#page.storage, FLOW, JSON.stringify(flow)); // oidc.2
    const { clientId, scope } = this.#settings;
    const url = new URL(server.authorization_endpoint ?? "");
    const parameters: Readonly<Record<string, string>> = {
      client_id: clientId,
      response_type: "code",
      redirect_uri: this.#redirectUri(),
      scope,
      state: flow.state,
      nonce: flow.nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(flow.verifier),
      code_challenge_method: "S256",
      ...this.#target(),
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    this.#page.go(url);
    return new Promise(() => undefined);
  }

  /**
   * Completes a flow when the address has its answer. Resolves with the user and the room;
   * undefined when there is no answer. Rejects with a sentence for the user.
   */
  async arrive(): Promise<{ readonly user: string; readonly room: string } | undefined> {
    const url = this.#page.url();
    if (!["code", "error"].some((name) => url.searchParams.has(name))) return undefined;
    const flow = readFlow(load(this.#page.storage, FLOW));
    save(this.#page.storage, FLOW, undefined);
    this.#page.replace(new URL("/", url));
    if (flow === undefined) throw new Error(t("signIn.foreignAnswer")); // oidc.3
    try {
      await this.#redeem(url, flow);
    } catch (error) {
      if (error instanceof oauth.AuthorizationResponseError) {
        throw new Error(t("signIn.issuerRefused", { reason: error.error }), { cause: error });
      }
      throw new Error(t("app.signInFailed"), { cause: error });
    }
    const user = this.user;
    if (user === undefined) throw new Error(t("signIn.badAnswer"));
    return { user, room: flow.room };
  }

  /** The user of the token; undefined before a flow ended. */
  get user(): string | undefined {
    return this.#tokens && subjectOf(this.#tokens.bearer);
  }

  /** A token for a connection. It leaves the page when only the issuer can give one. */
  async token(room: string): Promise<string> {
    const tokens = this.#tokens;
    if (tokens === undefined) return this.signIn(room);
    if (tokens.endsAt - this.#page.now() > SPARE_MS) return tokens.bearer;
    if (tokens.refresh === undefined) return this.signIn(room);
    // One refresh at a time: many issuers accept a refresh token once.
    this.#refreshing ??= this.#refresh(tokens, room).finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  /** Ends the issuer's session, too, when it has an address for that. */
  async signOut(): Promise<void> {
    const id = this.#tokens?.id;
    this.#tokens = undefined;
    const server = await this.#discover();
    if (server.end_session_endpoint === undefined) return;
    const url = new URL(server.end_session_endpoint);
    url.searchParams.set("client_id", this.#settings.clientId);
    url.searchParams.set("post_logout_redirect_uri", this.#redirectUri());
    if (id !== undefined) url.searchParams.set("id_token_hint", id);
    this.#page.go(url);
  }

  async #discover(): Promise<oauth.AuthorizationServer> {
    if (this.#server !== undefined) return this.#server;
    const issuer = new URL(this.#settings.issuer);
    const response = await oauth.discoveryRequest(issuer, this.#options);
    this.#server = await oauth.processDiscoveryResponse(issuer, response);
    return this.#server;
  }

  async #redeem(url: URL, { verifier, state, nonce }: Flow): Promise<void> {
    const server = await this.#discover();
    const [client, auth, options] = [this.#client, this.#auth, this.#options];
    const answer = oauth.validateAuthResponse(server, client, url, state);
    const uri = this.#redirectUri();
    const more = { ...options, additionalParameters: this.#target() };
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      auth,
      answer,
      uri,
      verifier,
      more,
    );
    const checks = { expectedNonce: nonce, requireIdToken: true };
    this.#keep(await oauth.processAuthorizationCodeResponse(server, client, response, checks));
  }

  async #refresh({ refresh = "", id }: Tokens, room: string): Promise<string> {
    const server = await this.#discover();
    const [client, auth] = [this.#client, this.#auth];
    const more = { ...this.#options, additionalParameters: this.#target() };
    const response = await oauth.refreshTokenGrantRequest(server, client, auth, refresh, more);
    try {
      this.#keep({
        refresh_token: refresh,
        id_token: id,
        ...(await oauth.processRefreshTokenResponse(server, client, response)),
      } as oauth.TokenEndpointResponse);
    } catch (error) {
      // The issuer ended the session: only a new flow helps.
      if (error instanceof oauth.ResponseBodyError) return this.signIn(room);
      throw error;
    }
    return this.#tokens?.bearer ?? "";
  }

  #keep(answer: oauth.TokenEndpointResponse): void {
    const { clientId, audience } = this.#settings;
    const { access_token, id_token, refresh_token, expires_in = 300 } = answer;
    const bearer = audience === clientId ? (id_token ?? "") : access_token;
    const endsAt = this.#page.now() + expires_in * 1_000;
    this.#tokens = { bearer, endsAt, refresh: refresh_token, id: id_token };
  }

  /** Issuers name the audience of an access token in one of two ways; others ignore both. */
  #target(): Readonly<Record<string, string>> {
    const { audience, clientId } = this.#settings;
    if (audience === clientId) return {};
    return { audience, ...(URL.canParse(audience) && { resource: audience }) };
  }

  #redirectUri(): string {
    return new URL("/", this.#page.url()).href;
  }
}

function readFlow(text: string | undefined): Flow | undefined {
  const flow = parseObject(text ?? "");
  const { verifier, state, nonce, room } = flow ?? {};
  const isWhole = [verifier, state, nonce, room].every((value) => typeof value === "string");
  return isWhole ? (flow as unknown as Flow) : undefined;
}

/** The `sub` of a JWT. The gateways check the token; the page only reads whose it is. */
function subjectOf(token: string): string | undefined {
  try {
    const part = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(part), (letter) => letter.charCodeAt(0));
    const subject = parseObject(new TextDecoder().decode(bytes))?.["sub"];
    return typeof subject === "string" ? subject : undefined;
  } catch {
    return undefined; // An opaque token, which no gateway accepts.
  }
}
