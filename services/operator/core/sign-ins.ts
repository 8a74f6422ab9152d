// SignIns: the administrators who are signed in at this process.
//
// Owns: who is signed in, and until when. Does not own: the check of a token
// (shared/adapters/auth.ts), the cookie (adapters/cookie.ts). In memory only: a restart signs
// everyone out.
//
//   sign-ins.1. A sign-in ends with its token, SIGN_IN_MS_MAX after it began, and IDLE_MS_MAX after
//        its last use.
//   sign-ins.2. A user has at most SIGN_INS_PER_USER_MAX; a further one ends the least recently
//        used. All users together have at most SIGN_INS_MAX; a further user is refused.
//   sign-ins.3. A revocation of the user's tokens ends the sign-ins with them (E6).

import type { Identity } from "#shared/ports/identity.ts";
import type { Millis, UserId } from "#shared/protocol/ids.ts";

export const SIGN_INS_MAX = 100;
export const SIGN_INS_PER_USER_MAX = 5;
export const SIGN_IN_MS_MAX = 8 * 3_600_000;
export const IDLE_MS_MAX = 30 * 60_000;

export interface SignIn {
  /** The secret of the cookie. */
  readonly id: string;
  /** The secret that a request which changes something repeats in a header. */
  readonly csrf: string;
  readonly user: UserId;
  /** The `iat` of its token. */
  readonly issuedAt?: Millis | undefined;
  readonly endsAt: Millis;
}

interface Held extends SignIn {
  usedAt: Millis;
}

export class SignIns {
  readonly #isRevoked: (signIn: Pick<Identity, "user" | "issuedAt">, now: Millis) => boolean;
  /** In the order of last use. */
  readonly #byId = new Map<string, Held>();

  /** `isRevoked`: whether a token of the user with this `iat` is revoked. */
  constructor(isRevoked: (signIn: Pick<Identity, "user" | "issuedAt">, now: Millis) => boolean) {
    this.#isRevoked = isRevoked;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** `id`, `csrf`: new secrets. Undefined: all places are taken (sign-ins.2). */
  add(
    { id, csrf }: Pick<SignIn, "id" | "csrf">,
    { user, issuedAt, expiresAt }: Pick<Identity, "user" | "issuedAt" | "expiresAt">,
    now: Millis,
  ): SignIn | undefined {
    for (const one of this.#byId.values()) if (this.#isOver(one, now)) this.#byId.delete(one.id);
    const own = [...this.#byId.values()].filter((one) => one.user === user);
    const [oldest] = own;
    if (oldest !== undefined && own.length >= SIGN_INS_PER_USER_MAX) this.#byId.delete(oldest.id);
    if (this.#byId.size >= SIGN_INS_MAX) return undefined;
    const endsAt = Math.min(expiresAt, now + SIGN_IN_MS_MAX);
    const signIn: Held = { id, csrf, user, issuedAt, endsAt, usedAt: now };
    this.#byId.set(id, signIn);
    return signIn;
  }

  /** Undefined: no such sign-in, or it has ended. */
  use(id: string, now: Millis): SignIn | undefined {
    const found = this.#byId.get(id);
    if (found === undefined) return undefined;
    this.#byId.delete(id);
    if (this.#isOver(found, now)) return undefined;
    found.usedAt = now;
    this.#byId.set(id, found);
    return found;
  }

  end(id: string): void {
    this.#byId.delete(id);
  }

  /** sign-ins.1, sign-ins.3. */
  #isOver({ user, issuedAt, endsAt, usedAt }: Held, now: Millis): boolean {
    if (now >= endsAt || now >= usedAt + IDLE_MS_MAX) return true;
    return this.#isRevoked({ user, ...(issuedAt !== undefined && { issuedAt }) }, now);
  }
}
