// Jwks: the public keys of one issuer, fetched from one static URL and kept.
//
// Owns: when to fetch, and what stays when fetching fails. Does not own: what a token must say.
// jose has a remote key set, but its cool-down counts only fetches that succeeded, and it drops keys
// that have aged even when there are no newer ones; both are wrong while an issuer is down.
//
//   JK1. The URL is configuration. Nothing in a token can name a URL or a key, and no redirect is
//        followed.
//   JK2. A key that is not known causes at most one fetch per JWKS_COOLDOWN_MS, failed ones counted:
//        forged key ids cannot make this gateway hammer the issuer.
//   JK3. A fetch that fails or brings nonsense changes nothing: the keys that were loaded stay.
//   JK4. Keys are fetched again every JWKS_REFRESH_MS, so that a withdrawn key goes.

import { createLocalJWKSet, errors } from "jose";
import type { CryptoKey, FlattenedJWSInput, JWSHeaderParameters } from "jose";
import { isObject, parseObject } from "#shared/kit/json.ts";
import type { Clock, Timer } from "#shared/ports/clock.ts";

export const JWKS_COOLDOWN_MS = 30_000;
export const JWKS_REFRESH_MS = 10 * 60_000;
/** Until the first keys came, the issuer is asked this often: it is probably starting as well. */
export const JWKS_FIRST_RETRY_MS = 5_000;
const JWKS_FETCH_TIMEOUT_MS = 5_000;
/** A larger answer is refused: a hundred keys fit in a fifth of it. */
const JWKS_BYTES_MAX = 256 * 1024;

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;
type KeySet = (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>;

export class Jwks {
  readonly #url: string;
  readonly #fetch: Fetch;
  readonly #clock: Clock;
  readonly #onFailure: (reason: string) => void;
  #keys: KeySet | undefined;
  #lastAttempt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: {
    readonly url: string;
    readonly fetch: Fetch;
    readonly clock: Clock;
    readonly onFailure: (reason: string) => void;
  }) {
    this.#url = options.url;
    this.#fetch = options.fetch;
    this.#clock = options.clock;
    this.#onFailure = options.onFailure;
  }

  get isLoaded(): boolean {
    return this.#keys !== undefined;
  }

  /** Fetches once, and from then on by the clock. Resolves, never rejects. */
  async start(): Promise<void> {
    await this.#refresh();
    if (this.#isClosed) return;
    const delayMs = this.isLoaded ? JWKS_REFRESH_MS : JWKS_FIRST_RETRY_MS;
    this.#timer = this.#clock.after(delayMs, () => void this.start());
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** The key a token's header asks for. Rejects with jose's errors; the caller maps them. */
  async keyFor(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    const before = this.#keys;
    try {
      if (before !== undefined) return await before(header, token);
    } catch (error: unknown) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    }
    if (this.#clock.monotonic() - this.#lastAttempt >= JWKS_COOLDOWN_MS) await this.#refresh(); // JK2
    else await this.#fetching; // One may be under way that brings this very key.
    if (this.#keys === undefined) throw new errors.JWKSNoMatchingKey();
    return this.#keys(header, token);
  }

  #refresh(): Promise<void> {
    this.#fetching ??= this.#load().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #load(): Promise<void> {
    this.#lastAttempt = this.#clock.monotonic();
    try {
      const response = await this.#fetch(this.#url, {
        redirect: "error", // JK1
        headers: { accept: "application/json" },
        signal: AbortSignal.timeout(JWKS_FETCH_TIMEOUT_MS),
      });
      if (response.status !== 200) return this.#onFailure(`status ${response.status}`);
      const text = await readBounded(response, JWKS_BYTES_MAX);
      const keys = text === undefined ? undefined : publicKeys(text);
      if (keys === undefined) return this.#onFailure("not a key set");
      this.#keys = createLocalJWKSet({ keys }); // JK3
    } catch (error: unknown) {
      this.#onFailure(error instanceof Error ? error.name : "unknown");
    }
  }
}

/** The asymmetric keys of a set; undefined when it is none or holds none. */
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
