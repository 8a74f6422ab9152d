// SessionServer: answers `sess` for the gateways. Any persistence process may answer.
//
// Owns: how many requests run at a time, and the notices that end sessions. Does not own: where
// sessions and revocations are stored (shared/ports/session-store.ts, revocation-store.ts), lost
// gateways (session-reaper.ts).
//
//   session-server.1. It works on at most REQUESTS_MAX requests at a time; one more gets `busy`.
//   session-server.2. Every request is answered. One that cannot be decoded gets `bad_request`
//        (N5).
//   session-server.3. To end a session of a client it asks the gateway of the session, which closes
//        the connection and writes `ended` itself. A notice can be lost, so it is repeated until
//        the session has ended, for at most END_WITHIN_MS. The caller may ask again: the sessions
//        that are left are those whose gateway does not answer.
//   session-server.4. A session that begins with `from` ends the session that it replaces.

import { unreachable } from "#shared/kit/assert.ts";
import { Counts } from "#shared/kit/counts.ts";
import type { Bus, BusMessage, Subscription } from "#shared/ports/bus.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { RevocationStore } from "#shared/ports/revocation-store.ts";
import type { SessionStore } from "#shared/ports/session-store.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import type { SessionId, SessionRecord } from "#shared/protocol/session-records.ts";
import {
  decodeSessionRequest,
  encodeSessionAnswer,
  encodeSessionNotice,
} from "#shared/protocol/session-requests.ts";
import type {
  EndCause,
  SessionAnswer,
  SessionRequest,
  SessionWrite,
} from "#shared/protocol/session-requests.ts";
import { SESSION_QUEUE, subjects } from "#shared/protocol/subjects.ts";

export const REQUESTS_MAX = 256;
/** session-server.3. Below the patience of an HTTP client, and above two round trips. */
const END_WITHIN_MS = 2_000;
/** The waits between the looks at sessions that end; the last one repeats. */
const LOOKS_MS = [30, 60, 120, 250];

const UNAVAILABLE: SessionAnswer = { ok: false, error: "unavailable" };

export interface SessionServerPorts {
  readonly bus: Pick<Bus, "publish" | "subscribe">;
  readonly store: SessionStore;
  readonly revocations: RevocationStore;
  readonly clock: Pick<Clock, "after" | "monotonic" | "now">;
}

/** What is counted. */
export const SESSION_OPS = ["lease", "leave", "write", "list", "end", "revoke", "refused"] as const;

export class SessionServer {
  readonly requests = new Counts(SESSION_OPS);
  readonly #ports: SessionServerPorts;
  #subscription: Subscription | undefined;
  #working = 0;

  constructor(ports: SessionServerPorts) {
    this.#ports = ports;
  }

  start(): void {
    const onRequest = (message: BusMessage): void => void this.#onRequest(message);
    const options = { queue: SESSION_QUEUE };
    this.#subscription = this.#ports.bus.subscribe(subjects.sessions, onRequest, options);
  }

  stop(): void {
    this.#subscription?.unsubscribe();
  }

  async #onRequest({ data, reply }: BusMessage): Promise<void> {
    if (reply === undefined) return;
    let answer: SessionAnswer = { ok: false, error: "busy" }; // session-server.1
    if (this.#working < REQUESTS_MAX) {
      this.#working++;
      answer = await this.#answer(decodeSessionRequest(new TextDecoder().decode(data)));
      this.#working--;
    }
    this.requests.add(answer.ok ? answer.op : "refused");
    this.#ports.bus.publish(reply, encodeSessionAnswer(answer));
  }

  async #answer(request: SessionRequest | undefined): Promise<SessionAnswer> {
    if (request === undefined) return { ok: false, error: "bad_request" }; // session-server.2
    const { store } = this.#ports;
    const { op } = request;
    switch (op) {
      case "lease": {
        const lease = await store.lease(request.gateway);
        return lease.kind === "ok" ? { ok: true, op, ...lease.value } : UNAVAILABLE;
      }
      case "leave": {
        const left = await store.leave(request.gateway);
        return left.kind === "ok" ? { ok: true, op } : UNAVAILABLE;
      }
      case "write": {
        const revisions = await store.write(request.writes);
        this.#endReplaced(request.writes);
        return { ok: true, op, revisions };
      }
      case "list": {
        const list = await store.list(request.user);
        return list.kind === "ok" ? { ok: true, op, ...list.value } : UNAVAILABLE;
      }
      case "end":
        return this.#end(request.user, request.session, request.reason);
      case "revoke": {
        const { user, by } = request;
        const at = this.#ports.clock.now();
        const outcome = await this.#ports.revocations.revoke({ user, at, by });
        return outcome === "stored" ? { ok: true, op, at } : { ok: false, error: outcome };
      }
      default:
        return unreachable(op);
    }
  }

  /** session-server.4. The gateway does not wait for it. */
  #endReplaced(writes: readonly SessionWrite[]): void {
    for (const [, event] of writes) {
      if (event.t !== "started" || event.from === undefined) continue;
      void this.#end(event.user, event.from, "moved");
    }
  }

  /** session-server.3. */
  async #end(
    user: UserId,
    session: SessionId | undefined,
    reason: EndCause,
  ): Promise<SessionAnswer> {
    const { clock, store } = this.#ports;
    const until = clock.monotonic() + END_WITHIN_MS;
    /** Sessions that begin behind the request are not meant. */
    let meant: ReadonlySet<SessionId> | undefined;
    for (let look = 0; ; look++) {
      const list = await store.list(user);
      if (list.kind === "unavailable") return UNAVAILABLE;
      const { sessions } = list.value;
      meant ??= new Set(
        sessions.flatMap((one) => (one.session === (session ?? one.session) ? [one.session] : [])),
      );
      const live = sessions.filter((one) => meant?.has(one.session));
      const ended = meant.size - live.length;
      if (live.length === 0 || clock.monotonic() >= until) {
        return { ok: true, op: "end", ended, left: live.length };
      }
      this.#notify(user, live, reason);
      const waitMs = LOOKS_MS[Math.min(look, LOOKS_MS.length - 1)] ?? 0;
      await new Promise<void>((run) => clock.after(waitMs, run));
    }
  }

  #notify(user: UserId, live: readonly SessionRecord[], reason: EndCause): void {
    for (const [gateway, theirs] of Map.groupBy(live, (one) => one.gateway)) {
      const sessions = theirs.map((one) => one.session);
      const notice = encodeSessionNotice({ user, sessions, reason });
      this.#ports.bus.publish(subjects.sessionNotice(gateway), notice);
    }
  }
}
