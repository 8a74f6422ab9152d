// NatsSessionStore: the leases of gateways and the sessions in two key-value buckets of JetStream.
// For persistence, which has few rights to both.
//
//   session-store-nats.1. `gateways` has two keys for a gateway: `<gateway>`, its lease, which
//        expires, and `<gateway>.state`, its registration: `held`, or `lost` while a process ends
//        its sessions. So a lost gateway is found, however long no persistence process ran.
//   session-store-nats.2. Every write of a session expects the revision that was read, so of
//        several processes one ends a session. Writes that know their revision are stored as one
//        batch. When it is refused, each is decided by itself.
//   session-store-nats.3. `endLost` reads the sessions, then reads at the leader that the
//        registration is still the one that it declared lost, and then writes. A gateway that
//        returns changes the registration first and writes all its sessions again after that. So
//        either this process sees the return, or its writes expect older revisions.

import type { Msg } from "@nats-io/transport-node";
import { unreachable } from "../kit/assert.ts";
import { base64url } from "../kit/base64url.ts";
import { sessionChange } from "../kit/session-changes.ts";
import { GATEWAY_LEASE_MS } from "../ports/session-store.ts";
import type { SessionStore, Stored } from "../ports/session-store.ts";
import { isProcessId } from "../protocol/ids.ts";
import type { Millis, ProcessId, UserId } from "../protocol/ids.ts";
import {
  decodeSessionEvent,
  encodeSessionEvent,
  recordOf,
  sessionKey,
} from "../protocol/session-records.ts";
import type { SessionEvent } from "../protocol/session-records.ts";
import { SESSION_WRITES_MAX, SESSIONS_LIST_MAX } from "../protocol/session-requests.ts";
import type { SessionList, SessionWrite } from "../protocol/session-requests.ts";
import { NatsCas } from "./nats-cas.ts";
import type { CasOutcome, CasWrite } from "./nats-cas.ts";
import { readAll } from "./nats-direct-reads.ts";
import { BUCKETS } from "./nats-provision.ts";
import type { ReplyHost } from "./nats-replies.ts";

/** The deletion of a key of `gateways` needs no longer memory than a process's view of it. */
const MARKER_MS = 60_000;
/** Single writes in flight after a refused batch. */
const SINGLE_WRITES_MAX = 32;
/** A write that another one overtook this often gets 0. */
const TRIES_MAX = 3;
/** `endLost` reads the sessions again until none is live, at most this often. */
const ROUNDS_MAX = 5;
/** The revision behind a write that had nothing to change. */
const NOTHING_STORED = 1;

interface Live {
  readonly seq: number;
  readonly event: SessionEvent;
}

export class NatsSessionStore implements SessionStore {
  readonly #bus: ReplyHost;
  readonly #gateways: NatsCas;
  readonly #sessions: NatsCas;
  readonly #leaseMs: Millis;

  constructor(bus: ReplyHost, leaseMs: Millis = GATEWAY_LEASE_MS) {
    this.#bus = bus;
    this.#leaseMs = leaseMs;
    this.#gateways = new NatsCas(bus, BUCKETS.gateways);
    this.#sessions = new NatsCas(bus, BUCKETS.sessions);
  }

  async lease(gateway: ProcessId): Promise<Stored<{ readonly isNew: boolean }>> {
    const state = await this.#gateways.newest(stateKey(gateway));
    if (state.kind === "unavailable") return unavailable("the registration was not read");
    const isNew = state.kind === "none" || state.isDeleted || state.text !== "held";
    if (isNew) {
      const expected = state.kind === "ok" ? state.seq : 0;
      const held = await this.#gateways.put({ key: stateKey(gateway), text: "held", expected });
      if (held.kind !== "stored") return unavailable("the registration was not stored");
    }
    const lease = { key: gateway, text: "", ttlMs: this.#leaseMs };
    const stored = await this.#gateways.put(lease);
    return stored.kind === "stored" ? ok({ isNew }) : unavailable("the lease was not stored");
  }

  async leave(gateway: ProcessId): Promise<Stored<undefined>> {
    for (const key of [stateKey(gateway), gateway]) {
      const removed = await this.#gateways.put(removal(key));
      if (removed.kind !== "stored") return unavailable("the lease was not given back");
    }
    return ok(undefined);
  }

  async write(writes: readonly SessionWrite[]): Promise<readonly number[]> {
    const first = writes.map(([revision, event]) => casOf(event, revision));
    const isKnown = writes.every(([revision, event]) => revision > 0 || event.t === "started");
    const outcome: CasOutcome = isKnown ? await this.#sessions.putAll(first) : { kind: "refused" };
    switch (outcome.kind) {
      case "stored": // nats-cas.1
        return writes.map((_, n) => outcome.seq - writes.length + 1 + n);
      case "uncertain":
        return writes.map(() => 0);
      case "refused":
        return this.#writeSingly(writes.map(([, event]) => event));
      default:
        return unreachable(outcome);
    }
  }

  async list(user: UserId): Promise<Stored<SessionList>> {
    const live = await this.#live(`${base64url(user)}.*.*`);
    if (live === undefined) return unavailable("the sessions were not read");
    const records = live.map(({ event }) => recordOf(event)).toSorted((a, b) => a.since - b.since);
    const sessions = records.slice(0, SESSIONS_LIST_MAX);
    return ok({ sessions, more: records.length - sessions.length });
  }

  async lost(): Promise<Stored<readonly ProcessId[]>> {
    const stream = `KV_${BUCKETS.gateways}`;
    const messages = await readAll(this.#bus, stream, this.#gateways.subject(">"));
    if (messages === undefined) return unavailable("the gateways were not read");
    const present = new Set(messages.filter((message) => !isDeletion(message)).map(keyOf));
    return ok(
      [...present].flatMap((key) => {
        const gateway = key.slice(0, -STATE.length);
        const isLost = key.endsWith(STATE) && isProcessId(gateway) && !present.has(gateway);
        return isLost ? [gateway] : [];
      }),
    );
  }

  async endLost(gateway: ProcessId, at: Millis): Promise<Stored<number>> {
    const lease = await this.#gateways.newest(gateway);
    const state = await this.#gateways.newest(stateKey(gateway));
    if (lease.kind === "unavailable" || state.kind === "unavailable") {
      return unavailable("the lease was not read");
    }
    const isHeld = lease.kind === "ok" && !lease.isDeleted;
    if (isHeld || state.kind === "none" || state.isDeleted) return ok(0);
    let declared = state.seq;
    if (state.text !== "lost") {
      const write = { key: stateKey(gateway), text: "lost", expected: state.seq };
      const outcome = await this.#gateways.put(write);
      if (outcome.kind === "refused") return ok(0); // Another process, or the gateway, came first.
      if (outcome.kind === "uncertain") return unavailable("the gateway was not declared lost");
      declared = outcome.seq;
    }
    return this.#endAll(gateway, { at, declared });
  }

  /** session-store-nats.3. */
  async #endAll(
    gateway: ProcessId,
    { at, declared }: { readonly at: Millis; readonly declared: number },
  ): Promise<Stored<number>> {
    let ended = 0;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const live = await this.#live(`*.*.${gateway}`);
      if (live === undefined) return unavailable("the sessions were not read");
      if (live.length === 0) {
        await this.#gateways.put({ ...removal(stateKey(gateway)), expected: declared });
        return ok(ended);
      }
      for (let n = 0; n < live.length; n += SESSION_WRITES_MAX) {
        const state = await this.#gateways.newest(stateKey(gateway));
        if (state.kind === "unavailable") return unavailable("the registration was not read");
        if (state.kind === "none" || state.seq !== declared) return ok(ended);
        ended += await this.#endSome(live.slice(n, n + SESSION_WRITES_MAX), at);
      }
    }
    return unavailable("sessions of the gateway are still live");
  }

  /** How many of them ended by this call. */
  async #endSome(live: readonly Live[], at: Millis): Promise<number> {
    const writes = live.map(({ seq, event }): CasWrite => {
      const record = recordOf(event);
      return casOf({ t: "ended", ...record, at, reason: "gateway-lost" }, seq);
    });
    const outcome = await this.#sessions.putAll(writes);
    if (outcome.kind === "stored") return writes.length;
    if (outcome.kind === "uncertain") return 0; // The next round reads what was stored.
    const single = await inTurn(writes, (write) => this.#sessions.put(write));
    return single.filter(({ kind }) => kind === "stored").length;
  }

  #writeSingly(events: readonly SessionEvent[]): Promise<readonly number[]> {
    return inTurn(events, (event) => this.#writeOne(event));
  }

  async #writeOne(written: SessionEvent): Promise<number> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const key = sessionKey(written);
      const newest = await this.#sessions.newest(key);
      if (newest.kind === "unavailable") return 0;
      const seq = newest.kind === "ok" ? newest.seq : 0;
      const known = newest.kind === "ok" ? decodeSessionEvent(key, newest.text) : undefined;
      const event = sessionChange(known, written);
      if (event === undefined) return seq === 0 ? NOTHING_STORED : seq;
      const outcome = await this.#sessions.put(casOf(event, seq));
      if (outcome.kind === "stored") return outcome.seq;
      if (outcome.kind === "uncertain") return 0;
    }
    return 0;
  }

  /** The live sessions of a filter of keys; undefined when they were not read completely. */
  async #live(filter: string): Promise<readonly Live[] | undefined> {
    const stream = `KV_${BUCKETS.sessions}`;
    const messages = await readAll(this.#bus, stream, this.#sessions.subject(filter));
    if (messages === undefined) return undefined;
    const newest = new Map<string, Live>();
    for (const message of messages) {
      const key = keyOf(message);
      const event = decodeSessionEvent(key, message.string());
      const seq = Number(message.headers?.get("Nats-Sequence"));
      if (event !== undefined) newest.set(key, { seq, event });
    }
    return [...newest.values()].filter(({ event }) => event.t !== "ended");
  }
}

const STATE = ".state";

function stateKey(gateway: ProcessId): string {
  return `${gateway}${STATE}`;
}

function removal(key: string): CasWrite {
  return { key, text: "", isDeleted: true, ttlMs: MARKER_MS };
}

function casOf(event: SessionEvent, expected: number): CasWrite {
  const isDeleted = event.t === "ended";
  return { key: sessionKey(event), text: encodeSessionEvent(event), expected, isDeleted };
}

/** The key of a message that was read directly. */
function keyOf(message: Msg): string {
  const subject = message.headers?.get("Nats-Subject") ?? "";
  return subject.split(".").slice(2).join(".");
}

function isDeletion({ headers }: Msg): boolean {
  return headers?.get("KV-Operation") === "DEL";
}

/** The results in order; at most SINGLE_WRITES_MAX run at a time. */
async function inTurn<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let n = 0; n < items.length; n += SINGLE_WRITES_MAX) {
    const some = items.slice(n, n + SINGLE_WRITES_MAX);
    results.push(...(await Promise.all(some.map(run))));
  }
  return results;
}

function ok<T>(value: T): Stored<T> {
  return { kind: "ok", value };
}

function unavailable(reason: string): { readonly kind: "unavailable"; readonly reason: string } {
  return { kind: "unavailable", reason };
}
