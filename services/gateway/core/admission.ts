// Admission: the rate limits of users and addresses, and the number of their connections.
//
// Owns: the rate limiters and the counts of connections and rooms. Does not own: how a refusal is
// sent.
//
//   admission.1. A rate limit applies to a user over all their connections to this gateway. An
//        address may do ADDRESS_FACTOR times as much, because an office behind one address has many
//        users.
//   admission.2. Every rate table is bounded (RATE_KEYS_MAX). The number of open connections bounds
//        the counts.
//   admission.3. With LIMITS=off every request passes and nothing is counted.
//   admission.4. The address bounds the cost of a connection whose user is not known yet: new
//        connections, each with one hello, and refused tokens. Beyond these bounds no signature is
//        checked (S14).

import { Gcra } from "#shared/kit/gcra.ts";
import type { Rate, Verdict } from "#shared/kit/gcra.ts";
import type { Millis, UserId } from "#shared/protocol/ids.ts";
import {
  CONNECTIONS_PER_ADDRESS_MAX,
  CONNECTIONS_PER_USER_MAX,
  RATE_KEYS_MAX,
  ROOMS_PER_USER_MAX,
} from "./bounds.ts";

export type Action =
  | "send"
  | "join"
  | "history"
  | "typing"
  | "read"
  | "broken"
  | "frame"
  | "refresh";

export const RATES: { readonly [A in Action]: Rate } = {
  send: { perSecond: 20, burst: 60 },
  /** A resume joins every room of a connection at once: 256 of them. */
  join: { perSecond: 20, burst: 300 },
  history: { perSecond: 10, burst: 40 },
  typing: { perSecond: 2, burst: 6 },
  /** A client says the positions of all of its rooms again after a reconnect. */
  read: { perSecond: 10, burst: 300 },
  /**
   * Frames of any kind, by their cost (frame-limit.ts). Beyond it the gateway stops reading the
   * socket.
   */
  frame: { perSecond: 200, burst: 2_000 },
  /** Frames that are not valid. Each one costs a parse and an answer. */
  broken: { perSecond: 20, burst: 1_000 },
  /** Tokens in `refresh` frames: the gateway checks a signature for each. */
  refresh: { perSecond: 1, burst: 40 },
};
const ADDRESS_FACTOR = 50;
/** New connections of one address: its 1,000 connections can reconnect twice at once. */
export const CONNECTION_RATE: Rate = { perSecond: 50, burst: 2_000 };
/** Refused tokens of one address: each of its clients may present one expired token. */
export const FAILED_TOKEN_RATE: Rate = { perSecond: 20, burst: 1_000 };

const PASS: Verdict = { ok: true };

export interface Peer {
  readonly user: UserId;
  readonly address: string;
}

export class Admission {
  readonly isOn: boolean;
  readonly #byUser: { readonly [A in Action]: Gcra };
  readonly #byAddress: { readonly [A in Action]: Gcra };
  readonly #arrivals = new Gcra(CONNECTION_RATE, RATE_KEYS_MAX);
  readonly #failedTokens = new Gcra(FAILED_TOKEN_RATE, RATE_KEYS_MAX);
  readonly #users = new Map<string, number>();
  readonly #rooms = new Map<string, number>();
  readonly #addresses = new Map<string, number>();

  constructor(isOn: boolean) {
    this.isOn = isOn;
    this.#byUser = limiters(1);
    this.#byAddress = limiters(ADDRESS_FACTOR);
  }

  /**
   * Changes a rate at run time. The rate of an address is ADDRESS_FACTOR times as high
   * (admission.1).
   */
  setRate(action: Action, rate: Rate): void {
    this.#byUser[action].rate = rate;
    this.#byAddress[action].rate = times(rate, ADDRESS_FACTOR);
  }

  /** The rate of one user. */
  rateOf(action: Action): Rate {
    return this.#byUser[action].rate;
  }

  /** `now` comes from a monotonic clock. */
  take(action: Action, peer: Peer, now: Millis, cost = 1): Verdict {
    if (!this.isOn) return PASS;
    const verdict = this.#byUser[action].take(peer.user, now, cost);
    return verdict.ok ? this.#byAddress[action].take(peer.address, now, cost) : verdict;
  }

  /** A new connection. A refused one is closed before its hello (admission.4). */
  arrive(address: string, now: Millis): Verdict {
    return this.isOn ? this.#arrivals.take(address, now) : PASS;
  }

  /** The wait in ms until a token of this address may be checked; 0: now (admission.4). */
  tokenWaitMs(address: string, now: Millis): Millis {
    return this.isOn ? this.#failedTokens.waitMs(address, now) : 0;
  }

  /** Counts a refused token of this address. */
  failToken(address: string, now: Millis): void {
    if (this.isOn) this.#failedTokens.take(address, now);
  }

  /**
   * False: the address has too many connections. After true, the caller calls `disconnect` once.
   */
  connect(address: string): boolean {
    return !this.isOn || raise(this.#addresses, address, CONNECTIONS_PER_ADDRESS_MAX);
  }

  disconnect(address: string): void {
    lower(this.#addresses, address);
  }

  /** The same for a user. After true, the caller calls `exit` once. */
  enter(user: UserId): boolean {
    return !this.isOn || raise(this.#users, user, CONNECTIONS_PER_USER_MAX);
  }

  /** Counts a room that a connection of the user joins. False: the user has too many rooms. */
  takeRoom(user: UserId): boolean {
    return !this.isOn || raise(this.#rooms, user, ROOMS_PER_USER_MAX);
  }

  releaseRoom(user: UserId): void {
    lower(this.#rooms, user);
  }

  exit(user: UserId): void {
    lower(this.#users, user);
  }
}

function limiters(factor: number): { readonly [A in Action]: Gcra } {
  const limiter = (rate: Rate): Gcra => new Gcra(times(rate, factor), RATE_KEYS_MAX);
  return {
    send: limiter(RATES.send),
    join: limiter(RATES.join),
    history: limiter(RATES.history),
    typing: limiter(RATES.typing),
    read: limiter(RATES.read),
    broken: limiter(RATES.broken),
    frame: limiter(RATES.frame),
    refresh: limiter(RATES.refresh),
  };
}

function times({ perSecond, burst }: Rate, factor: number): Rate {
  return { perSecond: perSecond * factor, burst: burst * factor };
}

function raise(counts: Map<string, number>, key: string, max: number): boolean {
  const count = counts.get(key) ?? 0;
  if (count >= max) return false;
  counts.set(key, count + 1);
  return true;
}

/** Does nothing for a key that is not counted. */
function lower(counts: Map<string, number>, key: string): void {
  const count = (counts.get(key) ?? 0) - 1;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
