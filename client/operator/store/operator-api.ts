// OperatorApi: the requests of the admin page to its service.
//
// Owns: the secret that each change repeats, in memory only. The cookie of the sign-in is out of
// the reach of scripts. Does not own: what is shown.
//
//   operator-api.1. An answer that is no result rejects with OperatorError, whose message is a
//       sentence for the administrator.
//   operator-api.2. Every request ends within TIMEOUT_MS, with a result or an error.

import { isObject, parseObject } from "#shared/kit/json.ts";
import { CSRF_HEADER, OPERATOR_PATH } from "#shared/protocol/operator-page.ts";
import type {
  ClusterSnapshot,
  OperatorAction,
  OperatorActionResult,
  RoomsPage,
  SessionsPage,
  SignedIn,
} from "#shared/protocol/operator-page.ts";
import { TEXT } from "../texts.ts";

/** Longer than a kick, which asks persistence and then the gateways. */
const TIMEOUT_MS = 10_000;

export class OperatorError extends Error {
  override readonly name = "OperatorError";
  /** The sign-in has ended. */
  readonly isSignedOut: boolean;

  constructor(message: string, isSignedOut = false) {
    super(message);
    this.isSignedOut = isSignedOut;
  }
}

export type Fetcher = (path: string, init: RequestInit) => Promise<Response>;

export class OperatorApi {
  readonly #fetch: Fetcher;
  #csrf = "";

  constructor(fetcher: Fetcher) {
    this.#fetch = fetcher;
  }

  /** Undefined: not signed in. */
  async whoAmI(): Promise<SignedIn | undefined> {
    try {
      return this.#keep(await this.#ask<SignedIn>("GET", "/sign-in"));
    } catch (error) {
      if (error instanceof OperatorError && error.isSignedOut) return undefined;
      throw error;
    }
  }

  async signIn(token: string): Promise<SignedIn> {
    return this.#keep(await this.#ask<SignedIn>("POST", "/sign-in", { token }));
  }

  async signOut(): Promise<void> {
    await this.#ask("DELETE", "/sign-in");
    this.#csrf = "";
  }

  state(): Promise<ClusterSnapshot> {
    return this.#ask("GET", "/state");
  }

  rooms(find: string): Promise<RoomsPage> {
    return this.#ask("GET", `/rooms?${new URLSearchParams({ find }).toString()}`);
  }

  sessions(user: string, from: number): Promise<SessionsPage> {
    const query = new URLSearchParams({ user, from: String(from) });
    return this.#ask("GET", `/sessions?${query.toString()}`);
  }

  act(action: OperatorAction): Promise<OperatorActionResult> {
    return this.#ask("POST", "/actions", action);
  }

  #keep(signedIn: SignedIn): SignedIn {
    this.#csrf = signedIn.csrf;
    return signedIn;
  }

  async #ask<T>(method: string, path: string, body?: object): Promise<T> {
    const init: RequestInit = {
      method,
      headers: {
        ...(body !== undefined && { "content-type": "application/json" }),
        ...(this.#csrf !== "" && { [CSRF_HEADER]: this.#csrf }),
      },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    };
    let response: Response;
    let text: string;
    try {
      response = await this.#fetch(`${OPERATOR_PATH}${path}`, init);
      text = await response.text();
    } catch {
      throw new OperatorError(TEXT.noAnswer);
    }
    const answer = parseObject(text);
    if (response.ok && isObject(answer)) return answer as T;
    const { detail, title } = answer ?? {};
    const sentence = [detail, title].find((one) => typeof one === "string");
    throw new OperatorError(sentence ?? TEXT.noAnswer, response.status === 401);
  }
}
