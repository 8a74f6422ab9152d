// Refresh: brings a new token before the present one ends, without a drop.
//
// Server time is what counts, so the token's end is held against the clock that `welcome` told.
//
//   refresh.1. A token is renewed REFRESH_AHEAD_MS before its end, or at three quarters of its life if that
//        is later, and no sooner than a second after it came into force.
//   refresh.2. A failed try is repeated after a second and a backoff. At the token's end the server closes
//        the connection (S4), and the next one begins with a new token.
//   refresh.3. One try is under way at a time; an answer to an older one changes nothing.

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

  /** A token is in force that lasts for `lifeMs` more; undefined: nobody knows. */
  begin(lifeMs: Millis | undefined, now: Millis): void {
    this.#attempt = 0;
    if (lifeMs === undefined) this.#phase = { kind: "none" };
    else {
      const wait = Math.max(lifeMs - REFRESH_AHEAD_MS, lifeMs * 0.75, 1_000);
      this.#phase = { kind: "due", at: now + wait };
    }
  }

  stop(): void {
    this.#phase = { kind: "none" };
  }

  /** True when the provider is to be called now, as request `ask`. */
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

  /** True when this token was waited for; it is to be sent as `ref`. */
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
