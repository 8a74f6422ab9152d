// Identity: the user behind a token, and the port that verifies tokens.
//
// An identity comes from a token alone. No frame and no request can change it, except one with
// a service token, which may name the user for whom it acts (http-acting.ts of the gateway).

import type { Millis, UserId } from "../protocol/ids.ts";

/** Only an Authenticator creates an identity. */
export interface Identity {
  readonly user: UserId;
  readonly name?: string;
  /** Grants: room → role (shared/protocol/roles.ts). */
  readonly rooms?: Readonly<Record<string, string>>;
  readonly admin: boolean;
  /** The token is a service token: its holder may act for users over HTTP (B1). */
  readonly svc?: true;
  /** The back end that acts for `user`. */
  readonly service?: UserId;
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
