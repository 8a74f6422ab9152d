// Identity: the user behind a token, and the port that verifies tokens.
//
// An identity comes from a token alone. No frame and no request can change it.

import type { Millis, UserId } from "#shared/protocol/ids.ts";

/** Only an Authenticator creates an identity. */
export interface Identity {
  readonly user: UserId;
  readonly name?: string;
  /** Grants: room → role (shared/protocol/roles.ts). */
  readonly rooms?: Readonly<Record<string, string>>;
  readonly admin: boolean;
  /** The `iat` of the token; undefined when the token has none. */
  readonly issuedAt?: Millis;
  readonly expiresAt: Millis;
}

export type Verification =
  | { readonly kind: "ok"; readonly identity: Identity }
  | { readonly kind: "refused"; readonly error: "unauthorized" | "token_expired" }
  /** The token cannot be judged now. */
  | { readonly kind: "refused"; readonly error: "unavailable"; readonly afterMs: number };

export interface Authenticator {
  /** Resolves, never rejects. */
  verify(token: string, now: Millis): Promise<Verification>;
}
