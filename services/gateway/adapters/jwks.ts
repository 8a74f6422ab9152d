// Jwks: the public keys of one issuer, fetched from one static URL and kept.
//
// Owns: when to fetch, and what stays when fetching fails. Does not own: what a token must say.
// jose has a remote key set, but its cool-down counts only fetches that succeeded, and it drops keys
// that have aged even when there are no newer ones; both are wrong while an issuer is down.
//
//   jwks.1. The URL is configuration. Nothing in a token can name a URL or a key, and no redirect is
//        followed.
//   jwks.2. Once keys are loaded, fetches begin at least JWKS_COOLDOWN_MS apart, failed ones and those of
//        jwks.4 included: forged key ids cannot make this gateway hammer the issuer. An unknown key id
//        has the keys fetched at once, or at the end of the cool-down. Nothing puts that end off.
//   jwks.3. A fetch that fails or brings nonsense changes nothing: the keys that were loaded stay.
//   jwks.4. Keys are fetched again JWKS_REFRESH_MS after the last fetch, so that a withdrawn key goes, and
//        JWKS_COOLDOWN_MS after one that failed. Before the first keys: every JWKS_FIRST_RETRY_MS.
//   jwks.5. A token is refused for good only by keys whose fetch began after the token came. Until there
//        are such keys the answer is KeysUnavailable, which says when to ask again.

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
/** No keys that could judge the token are here yet; the next fetch begins in `afterMs`. */
export class KeysUnavailable extends Error {
  override readonly name = "KeysUnavailable";
  readonly afterMs: number;

  constructor(afterMs: number) {
    super("the keys are not here yet");
    this.afterMs = afterMs;
  }
}

type KeySet = (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>;

export class Jwks {
  readonly #url: string;
  readonly #fetch: Fetch;
  readonly #clock: Clock;
  readonly #onFailure: (reason: string) => void;
  #keys: KeySet | undefined;
  /** When the last fetch began. */
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<boolean> | undefined;
  /** The next fetch by the clock. */
  #next: { readonly at: number; readonly timer: Timer } | undefined;
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
  }

  close(): void {
    this.#isClosed = true;
    this.#next?.timer.cancel();
  }

  /**
   * The key a token's header asks for. Rejects with KeysUnavailable (jwks.5) or with jose's errors; the
   * caller maps them.
   */
  async keyFor(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    const known = await this.#find(header, token);
    if (known !== undefined) return known;
    const isUnderWay = this.#fetching !== undefined;
    const isAllowed = this.isLoaded && this.#cooledAt <= this.#clock.monotonic();
    // One that is under way may bring this very key.
    const hasCome = isUnderWay || isAllowed ? await this.#refresh() : false;
    const found = await this.#find(header, token);
    if (found !== undefined) return found;
    if (hasCome && !isUnderWay) throw new errors.JWKSNoMatchingKey(); // jwks.5
    if (this.isLoaded) this.#fetchAt(this.#cooledAt); // jwks.2
    throw new KeysUnavailable(Math.max(0, (this.#next?.at ?? 0) - this.#clock.monotonic()));
  }

  /** When a fetch is allowed again, once keys are loaded. */
  get #cooledAt(): number {
    return this.#fetchedAt + JWKS_COOLDOWN_MS;
  }

  /** Undefined when no key that is loaded fits. */
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

  /** True when keys came. */
  #refresh(): Promise<boolean> {
    this.#fetching ??= this.#fetchOnce();
    return this.#fetching;
  }

  async #fetchOnce(): Promise<boolean> {
    this.#fetchedAt = this.#clock.monotonic();
    const keys = await this.#load();
    this.#fetching = undefined;
    if (keys !== undefined) this.#keys = createLocalJWKSet({ keys }); // jwks.3
    const loadedMs = keys === undefined ? JWKS_COOLDOWN_MS : JWKS_REFRESH_MS;
    this.#next?.timer.cancel();
    this.#next = undefined;
    this.#fetchAt(this.#fetchedAt + (this.isLoaded ? loadedMs : JWKS_FIRST_RETRY_MS)); // jwks.4
    return keys !== undefined;
  }

  /** A fetch at this time, unless one is due before. */
  #fetchAt(at: number): void {
    if (this.#isClosed || (this.#next !== undefined && this.#next.at <= at)) return;
    this.#next?.timer.cancel();
    const timer = this.#clock.after(at - this.#clock.monotonic(), () => void this.#refresh());
    this.#next = { at, timer };
  }

  /** Undefined when none came; never rejects. */
  async #load(): Promise<{ kty: string }[] | undefined> {
    try {
      const response = await this.#fetch(this.#url, {
        redirect: "error", // jwks.1
        headers: { accept: "application/json" },
        signal: AbortSignal.timeout(JWKS_FETCH_TIMEOUT_MS),
      });
      if (response.status !== 200) {
        this.#onFailure(`status ${response.status}`);
        return undefined;
      }
      const text = await readBounded(response, JWKS_BYTES_MAX);
      const keys = text === undefined ? undefined : publicKeys(text);
      if (keys === undefined) this.#onFailure("not a key set");
      return keys;
    } catch (error: unknown) {
      this.#onFailure(error instanceof Error ? error.name : "unknown");
      return undefined;
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
