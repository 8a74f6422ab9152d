// MemorySessionStore: the leases and sessions in memory, for tests and the simulation.

import { sessionChange } from "../kit/session-changes.ts";
import type { Clock } from "../ports/clock.ts";
import { GATEWAY_LEASE_MS } from "../ports/session-store.ts";
import type { SessionStore, Stored } from "../ports/session-store.ts";
import type { Millis, ProcessId, UserId } from "../protocol/ids.ts";
import { recordOf, sessionKey } from "../protocol/session-records.ts";
import type { SessionEvent } from "../protocol/session-records.ts";
import { SESSIONS_LIST_MAX } from "../protocol/session-requests.ts";
import type { SessionList, SessionWrite } from "../protocol/session-requests.ts";

interface Newest {
  readonly revision: number;
  readonly event: SessionEvent;
}

const AWAY = { kind: "unavailable", reason: "the store is away" } as const;

export class MemorySessionStore implements SessionStore {
  /** The store does not answer. */
  isAway = false;
  /** Every event that was stored, in order. The revision of the first one is 1. */
  readonly events: SessionEvent[] = [];
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #leaseMs: Millis;
  /** The end of the lease of each registered gateway. */
  readonly #registered = new Map<ProcessId, Millis>();
  readonly #newest = new Map<string, Newest>();

  constructor(clock: Pick<Clock, "monotonic">, leaseMs: Millis = GATEWAY_LEASE_MS) {
    this.#clock = clock;
    this.#leaseMs = leaseMs;
  }

  lease(gateway: ProcessId): Promise<Stored<{ readonly isNew: boolean }>> {
    if (this.isAway) return Promise.resolve(AWAY);
    const isNew = !this.#registered.has(gateway);
    this.#registered.set(gateway, this.#clock.monotonic() + this.#leaseMs);
    return ok({ isNew });
  }

  leave(gateway: ProcessId): Promise<Stored<undefined>> {
    if (this.isAway) return Promise.resolve(AWAY);
    this.#registered.delete(gateway);
    return ok(undefined);
  }

  write(writes: readonly SessionWrite[]): Promise<readonly number[]> {
    if (this.isAway) return Promise.resolve(writes.map(() => 0));
    return Promise.resolve(writes.map(([, event]) => this.#write(event)));
  }

  list(user: UserId): Promise<Stored<SessionList>> {
    if (this.isAway) return Promise.resolve(AWAY);
    const live = [...this.#newest.values()].flatMap(({ event }) => {
      if (event.t === "ended" || event.user !== user) return [];
      return [recordOf(event)];
    });
    const sessions = live.toSorted((a, b) => a.since - b.since).slice(0, SESSIONS_LIST_MAX);
    return ok({ sessions, more: live.length - sessions.length });
  }

  lost(): Promise<Stored<readonly ProcessId[]>> {
    if (this.isAway) return Promise.resolve(AWAY);
    const now = this.#clock.monotonic();
    return ok([...this.#registered].flatMap(([id, until]) => (until <= now ? [id] : [])));
  }

  endLost(gateway: ProcessId, at: Millis): Promise<Stored<number>> {
    if (this.isAway) return Promise.resolve(AWAY);
    const until = this.#registered.get(gateway);
    if (until === undefined || until > this.#clock.monotonic()) return ok(0);
    this.#registered.delete(gateway);
    let ended = 0;
    for (const { event } of this.#newest.values()) {
      if (event.gateway !== gateway || event.t === "ended") continue;
      this.#write({ ...recordOf(event), t: "ended", at, reason: "gateway-lost" });
      ended++;
    }
    return ok(ended);
  }

  #write(written: SessionEvent): number {
    const key = sessionKey(written);
    const newest = this.#newest.get(key);
    const event = sessionChange(newest?.event, written);
    if (event === undefined) return newest?.revision ?? 1;
    const revision = this.events.push(event);
    this.#newest.set(key, { revision, event });
    return revision;
  }
}

function ok<T>(value: T): Promise<Stored<T>> {
  return Promise.resolve({ kind: "ok", value });
}
