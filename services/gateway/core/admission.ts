// Admission: how often a user and an address may do what, and how many connections they may hold.
//
// Owns: the rate limiters and the counts of connections. Does not own: what a refusal looks like.
//
//   admission.1. A rate holds per user over all their connections to this gateway. An address may do
//        ADDRESS_FACTOR times as much, for an office behind one address is many users.
//   admission.2. All tables are bounded (RATE_KEYS_MAX); the counts are bounded by the connections.
//   admission.3. Switched off, everything passes and nothing is counted.
//   admission.4. What a connection costs before its user is known is bounded by its address: new connections,
//        each with one hello, and tokens that failed. Beyond it no signature is checked (S14).

import { Gcra } from "#shared/kit/gcra.ts";
import type { Rate, Verdict } from "#shared/kit/gcra.ts";
import type { Millis, UserId } from "#shared/protocol/ids.ts";
import {
  CONNECTIONS_PER_ADDRESS_MAX,
  CONNECTIONS_PER_USER_MAX,
  RATE_KEYS_MAX,
  ROOMS_PER_USER_MAX,
} from "./bounds.ts";

export type Action = "send" | "join" | "history" | "typing" | "broken" | "frame" | "refresh";

export const RATES: { readonly [A in Action]: Rate } = {
  send: { perSecond: 20, burst: 60 },
  /** A resume joins every room of a connection at once: 256 of them. */
  join: { perSecond: 20, burst: 300 },
  history: { perSecond: 10, burst: 40 },
  typing: { perSecond: 2, burst: 6 },
  /** Frames of any kind, by their cost (frame-costs.ts). Beyond it the socket is not read. */
  frame: { perSecond: 200, burst: 2_000 },
  /** Frames that are not valid. Each costs a parse and an answer. */
  broken: { perSecond: 20, burst: 1_000 },
  /** Tokens of `refresh` that are looked at: a signature is checked for each. */
  refresh: { perSecond: 1, burst: 40 },
};
const ADDRESS_FACTOR = 50;
/** New connections of one address: the 1,000 that it may hold come back twice at once. */
export const CONNECTION_RATE: Rate = { perSecond: 50, burst: 2_000 };
/** Tokens of one address that were judged and refused: each of its clients brings an old one once. */
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

  /** Changes a rate while it runs; an address may do ADDRESS_FACTOR times as much (admission.1). */
  setRate(action: Action, rate: Rate): void {
    this.#byUser[action].rate = rate;
    this.#byAddress[action].rate = times(rate, ADDRESS_FACTOR);
  }

  /** What one user may do. */
  rateOf(action: Action): Rate {
    return this.#byUser[action].rate;
  }

  /** `now` must never go back: a monotonic clock. */
  take(action: Action, peer: Peer, now: Millis, cost = 1): Verdict {
    if (!this.isOn) return PASS;
    const verdict = this.#byUser[action].take(peer.user, now, cost);
    return verdict.ok ? this.#byAddress[action].take(peer.address, now, cost) : verdict;
  }

  /** A connection comes; one that does not pass is closed before its hello (admission.4). */
  arrive(address: string, now: Millis): Verdict {
    return this.isOn ? this.#arrivals.take(address, now) : PASS;
  }

  /** 0 when a token of this address may be checked now, else in how many ms (admission.4). */
  tokenWaitMs(address: string, now: Millis): Millis {
    return this.isOn ? this.#failedTokens.waitMs(address, now) : 0;
  }

  /** A token of this address was judged and refused. */
  failToken(address: string, now: Millis): void {
    if (this.isOn) this.#failedTokens.take(address, now);
  }

  /** False when the address holds too many already; else it must be given back by `disconnect`. */
  connect(address: string): boolean {
    return !this.isOn || raise(this.#addresses, address, CONNECTIONS_PER_ADDRESS_MAX);
  }

  disconnect(address: string): void {
    lower(this.#addresses, address);
  }

  /** The same for a user, once it is known who they are. */
  enter(user: UserId): boolean {
    return !this.isOn || raise(this.#users, user, CONNECTIONS_PER_USER_MAX);
  }

  /** A room that one of their connections joins; false when they have too many. */
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

/** Nothing for one that holds none. */
function lower(counts: Map<string, number>, key: string): void {
  const count = (counts.get(key) ?? 0) - 1;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
