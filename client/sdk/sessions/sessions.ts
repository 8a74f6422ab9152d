// Sessions: lists and ends the sessions of a user over HTTP.
//
//   sdk/sessions.1. A session that has ended meanwhile counts as ended: a repeat is safe (SL6).
//   sdk/sessions.2. `endOthers` never ends the session of its own client, also when that client
//        reconnects meanwhile and has another id. It makes one request at a time (SL8).

import { parseObject } from "#shared/kit/json.ts";
import { ParleyError } from "../errors.ts";
import { readProblem } from "../problem.ts";

/** How often `endOthers` reads the list: sessions begin, and requests fail, while it works. */
const ROUNDS_MAX = 3;

/** A request about sessions was refused, or had no answer. */
export class SessionsFailed extends ParleyError {
  override readonly name = "SessionsFailed";
}

/** Where the gateways are, and whose sessions. */
export interface SessionsOptions {
  /** The address of the gateways: `https://chat.example`. */
  readonly url: string;
  /** A token of the user or of an administrator, or a function that returns one each time. */
  readonly token: string | (() => string | Promise<string>);
  /** The user id: `Parley.user`. */
  readonly user: string;
  /** Default: the global one. */
  readonly fetch?: typeof fetch;
}

/** One connection of the user. */
export interface UserSession {
  /** Its id: `Parley.sessionId` of its client. */
  readonly session: string;
  /** When it began, in ms since 1970. A reconnect begins another one. */
  readonly since: number;
  /** The program, as it names itself: `web/1`. */
  readonly client?: string;
  /** The device, as the client names it. */
  readonly device?: string;
  /** A prefix of its address: an IPv4 /24 or an IPv6 /64. */
  readonly address?: string;
  /** The gateway that it is connected to. */
  readonly gateway: string;
}

/** The sessions of a user. */
export interface UserSessions {
  /** The oldest first, at most 500. */
  readonly sessions: readonly UserSession[];
  /** How many the list leaves out. */
  readonly more: number;
}

/** The client that stays: a `Parley`. */
export interface OwnSession {
  readonly sessionId: string | undefined;
}

/** Lists and ends the sessions of a user. The list has a session for as long as it is connected. */
export class Sessions {
  readonly #options: SessionsOptions;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** The sessions on all gateways, two seconds after their begin. Rejects with SessionsFailed. */
  async list(): Promise<UserSessions> {
    const value = await this.#request("GET");
    if (Array.isArray(value["sessions"])) return value as unknown as UserSessions;
    throw new SessionsFailed(...readProblem(undefined));
  }

  /**
   * Ends a session: its connection closes with 4501, and its client does not reconnect. Its token
   * stays valid. Rejects with SessionsFailed; a repeat is safe.
   */
  async end(session: string): Promise<void> {
    try {
      await this.#request("DELETE", `/${session}`);
    } catch (error) {
      if (error instanceof SessionsFailed && error.code === "not_found") return; // sessions.1
      throw error;
    }
  }

  /**
   * Ends all sessions but the one of `own`, and resolves with their number. Rejects with
   * SessionsFailed when some are left; a repeat is safe. Rejects with TypeError before the first
   * `welcome` of `own`.
   */
  async endOthers(own: OwnSession): Promise<number> {
    if (own.sessionId === undefined) throw new TypeError("the client was not connected yet");
    const ended = new Set<string>();
    let failure = new SessionsFailed("unavailable", "Sessions begin faster than they end.");
    for (let round = 1; round <= ROUNDS_MAX; round++) {
      const { sessions, more } = await this.list();
      const others = sessions.filter(({ session }) => !ended.has(session)).map(idOf);
      let isDone = more === 0;
      for (const session of others) {
        if (session === own.sessionId) continue; // sdk/sessions.2
        isDone = false;
        try {
          await this.end(session);
          ended.add(session);
        } catch (error) {
          if (!(error instanceof SessionsFailed)) throw error;
          failure = error;
        }
      }
      if (isDone) return ended.size;
    }
    throw failure;
  }

  async #request(method: "GET" | "DELETE", path = ""): Promise<Readonly<Record<string, unknown>>> {
    const { url, user, token, fetch: send = fetch } = this.#options;
    const address = new URL(`/v1/users/${encodeURIComponent(user)}/sessions${path}`, url);
    const bearer = typeof token === "string" ? token : await token();
    const headers = { authorization: `Bearer ${bearer}` };
    const answer = await send(address, { method, headers }).then(
      async (response) => ({ isOk: response.ok, value: parseObject(await response.text()) }),
      () => undefined,
    );
    if (answer?.isOk === true && answer.value !== undefined) return answer.value;
    throw new SessionsFailed(...readProblem(answer?.value));
  }
}

function idOf({ session }: UserSession): string {
  return session;
}
