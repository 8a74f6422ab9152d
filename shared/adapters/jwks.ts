// Jwks: the public keys of one issuer, fetched from one URL and cached.
//
// Owns: the times of the fetches, and the keys after a failed fetch. Does not own: the check of a
// token, the state after a failed fetch (a circuit breaker, which opens at the first failure). The
// remote key set of jose counts only successful fetches in its cool-down and drops old keys without
// newer ones. Both are wrong while an issuer is down.
//
//   jwks.1. The URL is configuration. A token cannot name a URL or a key, and redirects are not
//        followed.
//   jwks.2. Once keys are loaded, all fetches begin at least JWKS_COOLDOWN_MS apart, including
//        failed ones and those of jwks.4, so forged key ids cannot flood the issuer. An unknown key
//        id causes a fetch at once or at the end of the cool-down. No event postpones that end.
//   jwks.3. A fetch that fails, or returns no key set, changes nothing: the loaded keys stay.
//   jwks.4. Keys are fetched again JWKS_REFRESH_MS after the last fetch, so that a withdrawn key
//        disappears. After a failed fetch the breaker is open, and its probe begins
//        JWKS_COOLDOWN_MS after the start of that fetch; before the first keys
//        JWKS_FIRST_RETRY_MS. This file has the timer that begins it.
//   jwks.5. Only keys whose fetch began after the token arrived can refuse it finally. Before such
//        keys exist the result is KeysUnavailable, with the time of the next attempt.

import { createLocalJWKSet, errors } from "jose";
import type { CryptoKey, FlattenedJWSInput, JWSHeaderParameters } from "jose";
import { isObject, parseObject } from "../kit/json.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import { Breaker } from "../process/breaker.ts";
import type { Transition } from "../process/breaker.ts";

export const JWKS_COOLDOWN_MS = 30_000;
export const JWKS_REFRESH_MS = 10 * 60_000;
/** The interval of fetches before the first keys. The issuer may still be starting. */
export const JWKS_FIRST_RETRY_MS = 5_000;
const JWKS_FETCH_TIMEOUT_MS = 5_000;
/** A larger answer is refused. A hundred keys need a fifth of it. */
const JWKS_BYTES_MAX = 256 * 1024;

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;
/** No keys that can judge the token are loaded. The next fetch begins in `afterMs`. */
export class KeysUnavailable extends Error {
  override readonly name = "KeysUnavailable";
  readonly afterMs: number;

  constructor(afterMs: number) {
    super("the keys of the token issuer are not loaded yet");
    this.afterMs = afterMs;
  }
}

/** A fetch without a usable key set. The message is the reason for the log. */
class FetchFailed extends Error {}

type KeySet = (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>;

export class Jwks {
  readonly #url: string;
  readonly #fetch: Fetch;
  readonly #clock: Clock;
  readonly #onFailure: (reason: string) => void;
  readonly breaker: Breaker;
  #keys: KeySet | undefined;
  /** The start of the last fetch. */
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<boolean> | undefined;
  /** The next scheduled fetch. */
  #next: { readonly at: number; readonly timer: Timer } | undefined;
  #isClosed = false;

  constructor(options: {
    readonly url: string;
    readonly fetch: Fetch;
    readonly clock: Clock;
    readonly onFailure: (reason: string) => void;
    readonly onBreaker?: ((transition: Transition) => void) | undefined;
  }) {
    this.#url = options.url;
    this.#fetch = options.fetch;
    this.#clock = options.clock;
    this.#onFailure = options.onFailure;
    this.breaker = new Breaker({
      dependency: "issuer",
      clock: options.clock,
      failuresMax: 1,
      waitMs: () => this.#failedWaitMs,
      isFailure: () => true,
      onTransition: options.onBreaker,
    });
  }

  get isLoaded(): boolean {
    return this.#keys !== undefined;
  }

  /** Fetches once, and then on schedule. Resolves, never rejects. */
  async start(): Promise<void> {
    await this.#refresh();
  }

  close(): void {
    this.#isClosed = true;
    this.#next?.timer.cancel();
  }

  /**
   * The key that a token's header names. Rejects with KeysUnavailable (jwks.5) or with jose's
   * errors.
   */
  async keyFor(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    const known = await this.#find(header, token);
    if (known !== undefined) return known;
    const isUnderWay = this.#fetching !== undefined;
    const isAllowed = this.isLoaded && this.#cooledAt <= this.#clock.monotonic();
    // A fetch in progress may return this key.
    const hasCome = isUnderWay || isAllowed ? await this.#refresh() : false;
    const found = await this.#find(header, token);
    if (found !== undefined) return found;
    if (hasCome && !isUnderWay) throw new errors.JWKSNoMatchingKey(); // jwks.5
    if (this.isLoaded) this.#fetchAt(this.#cooledAt); // jwks.2
    throw new KeysUnavailable(Math.max(0, (this.#next?.at ?? 0) - this.#clock.monotonic()));
  }

  /** The earliest time of the next fetch, once keys are loaded. */
  get #cooledAt(): number {
    return this.#fetchedAt + JWKS_COOLDOWN_MS;
  }

  /** From the failure to the next fetch, which is due a fixed time after the start of this one. */
  get #failedWaitMs(): number {
    const wait = this.isLoaded ? JWKS_COOLDOWN_MS : JWKS_FIRST_RETRY_MS;
    return Math.max(0, this.#fetchedAt + wait - this.#clock.monotonic());
  }

  /** Undefined when no loaded key matches. */
  async #find(
    header: JWSHeaderParameters,
    token: FlattenedJWSInput,
  ): Promise<CryptoKey | undefined> {
    try {
      return await this.#keys?.(header, token);
    } catch (error: unknown) {
      if (error instanceof errors.JWKSNoMatchingKey) return undefined;
      throw error;
    }
  }

  /** True: keys were loaded. */
  #refresh(): Promise<boolean> {
    this.#fetching ??= this.#fetchOnce();
    return this.#fetching;
  }

  async #fetchOnce(): Promise<boolean> {
    this.#fetchedAt = this.#clock.monotonic();
    const keys = await this.#guarded();
    this.#fetching = undefined;
    if (keys !== undefined) this.#keys = createLocalJWKSet({ keys }); // jwks.3
    this.#next?.timer.cancel();
    this.#next = undefined;
    this.#fetchAt(this.breaker.probeAt ?? this.#fetchedAt + JWKS_REFRESH_MS); // jwks.4
    return keys !== undefined;
  }

  /** Schedules a fetch at this time, unless an earlier one is scheduled. */
  #fetchAt(at: number): void {
    if (this.#isClosed || (this.#next !== undefined && this.#next.at <= at)) return;
    this.#next?.timer.cancel();
    const timer = this.#clock.after(at - this.#clock.monotonic(), () => void this.#refresh());
    this.#next = { at, timer };
  }

  /** Undefined when the fetch failed. Never rejects. */
  async #guarded(): Promise<{ kty: string }[] | undefined> {
    try {
      return await this.breaker.run(() => this.#load());
    } catch (error: unknown) {
      const isKnown = error instanceof FetchFailed;
      this.#onFailure(isKnown ? error.message : error instanceof Error ? error.name : "unknown");
      return undefined;
    }
  }

  async #load(): Promise<{ kty: string }[]> {
    const response = await this.#fetch(this.#url, {
      redirect: "error", // jwks.1
      headers: { accept: "application/json" },
      signal: AbortSignal.timeout(JWKS_FETCH_TIMEOUT_MS),
    });
    if (response.status !== 200) throw new FetchFailed(`status ${response.status}`);
    const text = await readBounded(response, JWKS_BYTES_MAX);
    const keys = text === undefined ? undefined : publicKeys(text);
    if (keys === undefined) throw new FetchFailed("not a key set");
    return keys;
  }
}

/** The asymmetric keys of a key set; undefined when there are none. */
function publicKeys(text: string): { kty: string }[] | undefined {
  const keys = parseObject(text)?.["keys"];
  if (!Array.isArray(keys)) return undefined;
  const usable = keys.filter(
    (key: unknown): key is { kty: string } =>
      isObject(key) && (key["kty"] === "RSA" || key["kty"] === "EC" || key["kty"] === "OKP"),
  );
  return usable.length > 0 ? usable : undefined;
}

async function readBounded(response: Response, bytesMax: number): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
