// Connections: the open connections of a gateway, and their periodic checks.
//
// Owns: which connections are open, the checks for late hellos, expired tokens and silence, the
// rate at which all of them are closed. Does not own: what a connection does (connection.ts), which
// sockets are accepted and when all are closed (gateway.ts).
//
//   gateway/connections.1. Two timers check the connections: late hellos and expired tokens (S4),
//        and silence (S7). Each run of the second checks a share of them, so that their pings do
//        not leave at once. The first looks only at connections without a hello and at those whose
//        token expires now (expiries.ts).
//   gateway/connections.2. `closeAll` sends `reconnect` with a spread, and closes at a steady rate.

import { fullJitter } from "#shared/kit/backoff.ts";
import type { Clock, Random, Timer } from "#shared/ports/clock.ts";
import { CLOSE } from "#shared/protocol/close-codes.ts";
import type { Millis, UserId } from "#shared/protocol/ids.ts";
import { encodeServerFrame } from "#shared/protocol/server-frames.ts";
import type { SessionNotice } from "#shared/protocol/session-requests.ts";
import type { Connection } from "./connection.ts";
import { Expiries } from "./expiries.ts";

/** gateway/connections.1: shares of the connections. Each is pinged once in a ping period. */
const SHARES = 16;
/** gateway/connections.2: the rate of closes, and so of reconnects at the other gateways … */
const CLOSES_PER_SECOND = 500;
/** … unless closing all of them would then take longer than this. */
const CLOSING_MS_MAX = 10_000;
const CLOSING_STEP_MS = 50;

export interface ConnectionsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly pingMs: Millis;
  readonly helloTimeoutMs: Millis;
}

export class Connections {
  readonly expiries = new Expiries<Connection>();
  readonly #options: ConnectionsOptions;
  /** All connections; each is in one share. */
  readonly #shares = Array.from({ length: SHARES }, () => new Set<Connection>());
  #size = 0;
  /** Connections before their welcome, the oldest first, and when they were opened. */
  readonly #greeting = new Map<Connection, Millis>();
  #nextShare = 0;
  #nextSweep = 0;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  /** The number of connections before their welcome. */
  get greeting(): number {
    return this.#greeting.size;
  }

  /** Begins the check for silence. */
  start(): Timer {
    const { clock, pingMs } = this.#options;
    return clock.every(pingMs / SHARES, () => this.#sweep());
  }

  add(connection: Connection): void {
    this.#shares[this.#nextShare++ % SHARES]?.add(connection);
    this.#size++;
    this.#greeting.set(connection, this.#options.clock.monotonic());
  }

  remove(connection: Connection): void {
    this.#greeting.delete(connection);
    if (this.#shares.some((share) => share.delete(connection))) this.#size--;
  }

  /** The store may not have their sessions any more. */
  announce(): void {
    for (const connection of this.#all()) connection.announce();
  }

  /**
   * Closes a user's connections with 4501, except those whose token was issued later than
   * `issuedUpTo`. Returns their number.
   */
  kick(user: UserId, issuedUpTo?: Millis): number {
    const theirs = this.#of(user).filter(({ issuedAt }) => issuedAt <= (issuedUpTo ?? Infinity));
    const reason = issuedUpTo === undefined ? CLOSE.kicked : CLOSE.revoked;
    for (const connection of theirs) connection.close(reason);
    return theirs.length;
  }

  endSessions({ user, sessions, reason }: SessionNotice): void {
    const meant = new Set(sessions);
    for (const connection of this.#of(user)) {
      if (!meant.has(connection.name)) continue;
      connection.close(reason === "moved" ? CLOSE.sessionMoved : CLOSE.sessionEnded);
    }
  }

  /** Late hellos and expired tokens. */
  expire(): void {
    const { clock, helloTimeoutMs } = this.#options;
    const now = clock.monotonic();
    for (const [connection, openedAt] of this.#greeting) {
      if (!connection.isGreeting) this.#greeting.delete(connection);
      else if (now - openedAt < helloTimeoutMs) break;
      else connection.onOverdue(); // S1
    }
    for (const connection of this.expiries.due(clock.now())) {
      connection.close(CLOSE.tokenExpired); // S4
    }
  }

  /** gateway/connections.2. Resolves when the present connections are closed. */
  async closeAll(): Promise<void> {
    const { clock, random } = this.#options;
    const leaving = this.#all();
    const spreadMs = Math.min(CLOSING_MS_MAX, (leaving.length / CLOSES_PER_SECOND) * 1_000);
    for (const connection of leaving) {
      const afterMs = fullJitter(0, { baseMs: spreadMs, capMs: spreadMs }, random);
      connection.writeText(encodeServerFrame({ t: "reconnect", afterMs }));
    }
    const began = clock.monotonic();
    let closed = 0;
    while (closed < leaving.length) {
      await new Promise<void>((run) => clock.after(CLOSING_STEP_MS, run));
      const share = spreadMs === 0 ? 1 : (clock.monotonic() - began) / spreadMs;
      const due = Math.min(leaving.length, Math.ceil(share * leaving.length));
      for (; closed < due; closed++) leaving[closed]?.close(CLOSE.restart);
    }
  }

  #of(user: UserId): readonly Connection[] {
    return this.#all().filter((connection) => connection.user === user);
  }

  #all(): readonly Connection[] {
    return this.#shares.flatMap((share) => [...share]);
  }

  #sweep(): void {
    const { clock, pingMs } = this.#options;
    const share = this.#shares[this.#nextSweep++ % SHARES] ?? [];
    const now = clock.monotonic();
    for (const connection of share) {
      if (now - connection.activeAt >= 2 * pingMs) connection.close(CLOSE.idle); // S7
      else connection.ping();
    }
  }
}
