// SessionRegisterRunner: holds the lease of this gateway, and hands its sessions on to persistence.
//
// Owns: the lease, the requests and their pace, the notices that end sessions here. Does not own:
// what is due (core/session-register.ts).
//
//   session-register-runner.1. The first session after a pause is written at once, and all others
//        of PACE_MS together. So a thousand connects cost a few requests, and an idle gateway costs
//        one request in REFRESH_MS, however many sessions it has. All are announced once in
//        SESSION_RENEW_MS, before the store forgets them.
//   session-register-runner.2. It writes only while it holds the lease by its own clock. So the
//        sessions of a gateway that crashes are found by its lease.
//   session-register-runner.3. A new lease shows that the store knows none of its sessions, or has
//        ended them. All of them are then announced.
//   session-register-runner.4. A gateway that leaves waits until its ends are written, for at most
//        LEAVE_WITHIN_MS, and then gives its lease back. Otherwise persistence ends its sessions.

import { fullJitter } from "#shared/kit/backoff.ts";
import type { Refusals } from "#shared/kit/refusals.ts";
import type { Bus, Subscription } from "#shared/ports/bus.ts";
import type { Clock, Random, Timer } from "#shared/ports/clock.ts";
import { GATEWAY_LEASE_MS } from "#shared/ports/session-store.ts";
import type { Millis, ProcessId } from "#shared/protocol/ids.ts";
import { SESSION_RENEW_MS } from "#shared/protocol/session-records.ts";
import type { EndReason } from "#shared/protocol/session-records.ts";
import {
  decodeSessionAnswer,
  decodeSessionNotice,
  encodeSessionRequest,
} from "#shared/protocol/session-requests.ts";
import type {
  SessionAnswer,
  SessionNotice,
  SessionRequest,
} from "#shared/protocol/session-requests.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { SESSIONS_RETRY_BASE_MS, SESSIONS_RETRY_CAP_MS } from "../core/bounds.ts";
import { SessionRegister } from "../core/session-register.ts";
import type { OpenedSession, SessionEntry } from "../core/session-register.ts";

export const REFRESH_MS = 3_000;
/** The wait of the first session after a pause, for those that connect with it. */
const FIRST_MS = 20;
const PACE_MS = 1_000;
const TIMEOUT_MS = 3_000;
const LEAVE_WITHIN_MS = 3_000;
const LEAVE_STEP_MS = 20;

export interface SessionRegisterOptions {
  readonly id: ProcessId;
  readonly bus: Pick<Bus, "subscribe" | "request" | "onStatus">;
  readonly clock: Clock;
  readonly random: Random;
  readonly refusals: Refusals;
  /** Calls `keep` for every session that is here. */
  readonly announce: () => void;
  /** Closes the sessions of a notice that are here. */
  readonly onNotice: (notice: SessionNotice) => void;
}

export class SessionRegisterRunner {
  readonly #options: SessionRegisterOptions;
  readonly #register: SessionRegister;
  readonly #stops: (Timer | Subscription)[] = [];
  #flushTimer: Timer | undefined;
  #flushedAt: Millis = -Infinity;
  #failures = 0;
  #leasedUntil: Millis = -Infinity;
  #isLeasing = false;
  #isStopped = false;

  constructor(options: SessionRegisterOptions) {
    this.#options = options;
    this.#register = new SessionRegister(options.id);
  }

  get waiting(): number {
    return this.#register.waiting;
  }

  get dropped(): number {
    return this.#register.dropped;
  }

  start(): void {
    const { id, bus, clock } = this.#options;
    this.#stops.push(
      bus.subscribe(subjects.sessionNotice(id), ({ data }) => this.#onNotice(data)),
      bus.onStatus((status) => {
        if (status === "connected") void this.#lease();
      }),
      clock.every(REFRESH_MS, () => void this.#lease()),
      clock.every(SESSION_RENEW_MS, () => this.#options.announce()),
    );
    void this.#lease();
  }

  stop(): void {
    this.#isStopped = true;
    this.#flushTimer?.cancel();
    for (const stop of this.#stops) {
      if ("cancel" in stop) stop.cancel();
      else stop.unsubscribe();
    }
  }

  open(entry: SessionEntry, opened: OpenedSession): void {
    this.#register.open(entry, opened);
    this.#schedule();
  }

  keep(entry: SessionEntry, opened: OpenedSession): void {
    this.#register.keep(entry, opened);
    this.#schedule();
  }

  end(entry: SessionEntry, opened: OpenedSession, reason: EndReason): void {
    this.#register.end(entry, opened, { at: this.#options.clock.now(), reason });
    this.#schedule();
  }

  /** session-register-runner.4. Never rejects. */
  async leave(): Promise<void> {
    const { id, clock } = this.#options;
    const until = Math.min(clock.monotonic() + LEAVE_WITHIN_MS, this.#leasedUntil);
    this.#flushedAt = -Infinity;
    this.#schedule();
    while (!this.#register.isSettled && clock.monotonic() < until) {
      await new Promise<void>((run) => clock.after(LEAVE_STEP_MS, run));
    }
    const { isSettled } = this.#register;
    this.stop();
    if (isSettled) await this.#ask({ op: "leave", gateway: id });
  }

  /** session-register-runner.2. */
  async #lease(): Promise<void> {
    if (this.#isLeasing || this.#isStopped) return;
    this.#isLeasing = true;
    const { id, clock } = this.#options;
    const askedAt = clock.monotonic();
    const answer = await this.#ask({ op: "lease", gateway: id });
    this.#isLeasing = false;
    if (answer?.ok !== true || answer.op !== "lease") return;
    this.#leasedUntil = askedAt + GATEWAY_LEASE_MS;
    if (answer.isNew) this.#options.announce(); // session-register-runner.3
    this.#schedule();
  }

  /** session-register-runner.1. */
  #schedule(): void {
    if (this.#flushTimer !== undefined || this.#isStopped || !this.#register.hasDue) return;
    const { clock } = this.#options;
    const waitMs = Math.max(FIRST_MS, this.#flushedAt + PACE_MS - clock.monotonic());
    this.#flushTimer = clock.after(waitMs, () => void this.#flush());
  }

  async #flush(): Promise<void> {
    const { clock, random } = this.#options;
    const isLeased = clock.monotonic() < this.#leasedUntil; // session-register-runner.2
    const writes = isLeased ? this.#register.take() : undefined;
    if (writes !== undefined) {
      this.#flushedAt = clock.monotonic();
      const answer = await this.#ask({ op: "write", writes });
      const revisions = answer?.ok === true && answer.op === "write" ? answer.revisions : undefined;
      this.#register.settle(revisions);
      const isStored = revisions?.every((revision) => revision > 0) === true;
      this.#failures = isStored ? 0 : this.#failures + 1;
    }
    if (this.#isStopped) return;
    if (this.#failures > 0) {
      const retry = { baseMs: SESSIONS_RETRY_BASE_MS, capMs: SESSIONS_RETRY_CAP_MS };
      const waitMs = SESSIONS_RETRY_BASE_MS + fullJitter(this.#failures, retry, random);
      this.#flushTimer = clock.after(waitMs, () => void this.#flush());
      return;
    }
    this.#flushTimer = undefined;
    // Without the lease, the next one schedules the flush.
    if (isLeased) this.#schedule();
  }

  async #ask(request: SessionRequest): Promise<SessionAnswer | undefined> {
    const { bus } = this.#options;
    const options = { timeoutMs: TIMEOUT_MS };
    const outcome = await bus.request(subjects.sessions, encodeSessionRequest(request), options);
    if (outcome.kind !== "ok") return undefined;
    return decodeSessionAnswer(new TextDecoder().decode(outcome.data));
  }

  #onNotice(data: Uint8Array): void {
    const notice = decodeSessionNotice(new TextDecoder().decode(data));
    if (notice === undefined) this.#options.refusals.add("session notice", {}); // N5
    else this.#options.onNotice(notice);
  }
}
