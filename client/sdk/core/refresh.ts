// Refresh: renews the token before it expires, without a disconnect.
//
// The server's time counts: the expiry is compared with the clock that `welcome` reported.
//
//   refresh.1. A token is renewed REFRESH_AHEAD_MS before it expires, or at three quarters of its
//        validity if that is later, and not within a second after it took effect.
//   refresh.2. A failed attempt is repeated after a second and a backoff. When the token expires
//        the server closes the connection (S4), and the next connection uses a new token.
//   refresh.3. At most one attempt is pending; an answer to an older one changes nothing.

import { fullJitter } from "#shared/kit/backoff.ts";
import type { Random } from "#shared/ports/clock.ts";
import type { Millis } from "#shared/protocol/ids.ts";
import { CONNECT_TIMEOUT_MS, REFRESH_AHEAD_MS, RETRY } from "./bounds.ts";

type Phase =
  | { readonly kind: "none" }
  | { readonly kind: "due"; readonly at: Millis }
  | { readonly kind: "asking"; readonly ask: number; readonly until: Millis }
  | { readonly kind: "sent"; readonly ref: number; readonly until: Millis };

export class Refresh {
  readonly #random: Random;
  #phase: Phase = { kind: "none" };
  #attempt = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get wakeAt(): Millis | undefined {
    const phase = this.#phase;
    if (phase.kind === "none") return undefined;
    return phase.kind === "due" ? phase.at : phase.until;
  }

  /** A token took effect that is valid for `validMs` more; undefined: its expiry is not known. */
  begin(validMs: Millis | undefined, now: Millis): void {
    this.#attempt = 0;
    if (validMs === undefined) this.#phase = { kind: "none" };
    else {
      const wait = Math.max(validMs - REFRESH_AHEAD_MS, validMs * 0.75, 1_000);
      this.#phase = { kind: "due", at: now + wait };
    }
  }

  stop(): void {
    this.#phase = { kind: "none" };
  }

  /** True when the token function is to be called now, as request `ask`. */
  tick(now: Millis, ask: number): boolean {
    const phase = this.#phase;
    if (phase.kind === "none") return false;
    if (phase.kind === "due") {
      if (now < phase.at) return false;
      this.#phase = { kind: "asking", ask, until: now + CONNECT_TIMEOUT_MS };
      return true;
    }
    if (now >= phase.until) this.onFailed(now);
    return false;
  }

  /** True when this token was requested; it is then to be sent as `ref`. */
  onToken(ask: number, ref: number, now: Millis): boolean {
    if (!this.isAsking(ask)) return false;
    this.#phase = { kind: "sent", ref, until: now + CONNECT_TIMEOUT_MS };
    return true;
  }

  isAsking(ask: number): boolean {
    return this.#phase.kind === "asking" && this.#phase.ask === ask;
  }

  hasSent(ref: number): boolean {
    return this.#phase.kind === "sent" && this.#phase.ref === ref;
  }

  onFailed(now: Millis): void {
    const wait = 1_000 + fullJitter(this.#attempt++, RETRY, this.#random);
    this.#phase = { kind: "due", at: now + wait };
  }
}
