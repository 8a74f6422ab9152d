// Sessions: asks persistence for the sessions of a user, and to end or revoke them. It implements
// the SessionsApi port.
//
//   gateway/sessions.1. A user has at most SESSION_CALLS_PER_USER_MAX requests in flight, and all
//        users have SESSION_CALLS_MAX. Beyond it: `busy`.
//   gateway/sessions.2. A request without an answer is repeated RETRY_WAITS_MS later, because a
//        persistence process may have left. No attempt begins later than RETRY_WITHIN_MS.

import type { Bus } from "#shared/ports/bus.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import type { SessionId } from "#shared/protocol/session-records.ts";
import { decodeSessionAnswer, encodeSessionRequest } from "#shared/protocol/session-requests.ts";
import type {
  SessionAnswer,
  SessionRefusal,
  SessionRequest,
} from "#shared/protocol/session-requests.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { SESSION_CALLS_MAX, SESSION_CALLS_PER_USER_MAX } from "../core/bounds.ts";
import { InFlight } from "../core/in-flight.ts";
import type { Refused } from "../core/room-api-port.ts";
import type {
  EndOutcome,
  RevokeOutcome,
  SessionsApi,
  SessionsOutcome,
} from "../core/sessions-port.ts";

/** The end of sessions is awaited for two seconds. */
const TIMEOUT_MS = 3_500;
const RETRY_WAITS_MS = [50, 200, 800];
const RETRY_WITHIN_MS = 2_000;

const UNAVAILABLE: Refused = { kind: "refused", error: "unavailable" };
const BUSY: Refused = { kind: "refused", error: "busy" };
const REFUSALS: Readonly<Record<SessionRefusal, Refused>> = {
  unavailable: UNAVAILABLE,
  busy: BUSY,
  full: { kind: "refused", error: "conflict" },
  bad_request: UNAVAILABLE,
};

export class Sessions implements SessionsApi {
  readonly #bus: Pick<Bus, "request">;
  readonly #clock: Pick<Clock, "after" | "monotonic">;
  readonly #calls = new InFlight<UserId>(SESSION_CALLS_PER_USER_MAX, SESSION_CALLS_MAX);

  constructor(parts: {
    readonly bus: Pick<Bus, "request">;
    readonly clock: Pick<Clock, "after" | "monotonic">;
  }) {
    this.#bus = parts.bus;
    this.#clock = parts.clock;
  }

  async list(user: UserId): Promise<SessionsOutcome> {
    const answer = await this.#ask(user, { op: "list", user });
    if (!("op" in answer) || answer.op !== "list") return refusalOf(answer);
    const { sessions, more } = answer;
    return { kind: "sessions", list: { sessions, more } };
  }

  async end(user: UserId, session: SessionId | undefined): Promise<EndOutcome> {
    const answer = await this.#ask(user, { op: "end", user, session, reason: "ended" });
    if (!("op" in answer) || answer.op !== "end") return refusalOf(answer);
    return answer.left > 0 ? UNAVAILABLE : { kind: "ended", ended: answer.ended };
  }

  async revoke(user: UserId, by: string): Promise<RevokeOutcome> {
    const answer = await this.#ask(user, { op: "revoke", user, by });
    if (!("op" in answer) || answer.op !== "revoke") return refusalOf(answer);
    return { kind: "revoked", at: answer.at };
  }

  /** gateway/sessions.1. */
  async #ask(user: UserId, request: SessionRequest): Promise<SessionAnswer | Refused> {
    return (await this.#calls.run(user, () => this.#patiently(request))) ?? BUSY;
  }

  /** gateway/sessions.2. */
  async #patiently(request: SessionRequest): Promise<SessionAnswer | Refused> {
    const until = this.#clock.monotonic() + RETRY_WITHIN_MS;
    const text = encodeSessionRequest(request);
    for (let tries = 0; ; tries++) {
      const options = { timeoutMs: TIMEOUT_MS };
      const outcome = await this.#bus.request(subjects.sessions, text, options);
      if (outcome.kind === "ok") {
        return decodeSessionAnswer(new TextDecoder().decode(outcome.data)) ?? UNAVAILABLE;
      }
      const waitMs = RETRY_WAITS_MS[tries];
      if (waitMs === undefined || this.#clock.monotonic() + waitMs > until) return UNAVAILABLE;
      await new Promise<void>((run) => this.#clock.after(waitMs, run));
    }
  }
}

function refusalOf(answer: SessionAnswer | Refused): Refused {
  if ("kind" in answer) return answer;
  return answer.ok ? UNAVAILABLE : REFUSALS[answer.error];
}
