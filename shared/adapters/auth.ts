// Auth: turns a token into an identity, with jose.
//
// Owns: the accepted tokens and the trusted claims. Does not own: permissions. jose checks the
// signature before any claim, so only the holder of a token with a valid signature receives
// `token_expired`.
//
//   auth.1. The configuration lists the accepted algorithms. With AUTH=jwks the list has no
//        symmetric one, so an attacker cannot use a public key as a shared secret.
//   auth.2. Keys come only from the configured source. A token that contains a key, or names a
//        source of keys (`jwk`, `jku`, `x5u`), is refused, although ignoring these would be safe
//        too.
//   auth.3. Issuer, audience, subject and expiry must be present and valid, with a skew of at most
//        60 s. A token ends at the latest TOKEN_LIFE_MAX_MS after its `iat`.
//   auth.4. A refusal names no cause, except expiry.
//   auth.5. A token that cannot be judged yet, because the issuer's keys are not loaded, gets
//        `unavailable`.

import { decodeProtectedHeader, errors, jwtVerify } from "jose";
import type { JWTPayload, JWTVerifyGetKey, JWTVerifyOptions } from "jose";
import { z } from "zod";
import { systemClock } from "./clock-system.ts";
import type { Clock } from "../ports/clock.ts";
import type { Breaker, Transition } from "../process/breaker.ts";
import { storableText } from "../protocol/client-frames.ts";
import { isRoomId, isUserId } from "../protocol/ids.ts";
import { NAME_LENGTH_MAX } from "../protocol/limits.ts";
import { TOKEN_LIFE_MAX_MS } from "../protocol/revocations.ts";
import type { Authenticator, Verification } from "../ports/identity.ts";
import { DEV_AUDIENCE, DEV_ISSUER, openDevSecret } from "./dev-token.ts";
import { Jwks, KeysUnavailable } from "./jwks.ts";
import type { Fetch } from "./jwks.ts";

/** The longest accepted token. It is checked first; the frame schema has the same bound. */
export const TOKEN_LENGTH_MAX = 8_192;
const SKEW_SECONDS = 60;
const ASYMMETRIC = /^(RS|PS|ES)(256|384|512)$|^EdDSA$|^Ed25519$/;

export type AuthConfig =
  | { readonly auth: "dev"; readonly devSecretFile: string }
  | {
      readonly auth: "jwks";
      readonly jwksUrl: string;
      readonly issuer: string;
      readonly audience: string;
      readonly algorithms: readonly string[];
    };

export interface OpenedAuthenticator extends Authenticator {
  /** False until the first keys are loaded (AUTH=jwks); then always true. */
  readonly keysLoaded: boolean;
  /** The circuit breaker of the issuer (AUTH=jwks). */
  readonly breaker?: Breaker;
  close(): void;
}

export interface AuthOptions {
  readonly fetch?: Fetch;
  readonly clock?: Clock;
  /** Receives the reason of a failed key fetch. The loaded keys stay in force. */
  readonly onKeysFailure?: (reason: string) => void;
  readonly onBreaker?: (transition: Transition) => void;
}

/** Rejects with DevSecretError, or with TypeError for an algorithm that auth.1 forbids. */
export async function openAuthenticator(
  config: AuthConfig,
  options: AuthOptions = {},
): Promise<OpenedAuthenticator> {
  if (config.auth === "dev") return openDev(config.devSecretFile);
  const symmetric = config.algorithms.filter((name) => !ASYMMETRIC.test(name));
  if (symmetric.length > 0 || config.algorithms.length === 0) {
    throw new TypeError(
      "JWT_ALGORITHMS is not valid with AUTH=jwks: expected asymmetric algorithms such as RS256, ES256 or EdDSA",
    );
  }
  const jwks = new Jwks({
    url: config.jwksUrl,
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    clock: options.clock ?? systemClock,
    onFailure: options.onKeysFailure ?? (() => undefined),
    onBreaker: options.onBreaker,
  });
  await jwks.start();
  const rules = {
    algorithms: [...config.algorithms],
    issuer: config.issuer,
    audience: config.audience,
  };
  const keyFor: JWTVerifyGetKey = (header, token) => jwks.keyFor(header, token);
  return {
    verify: (token, now) => verify(token, now, keyFor, rules),
    get keysLoaded() {
      return jwks.isLoaded;
    },
    breaker: jwks.breaker,
    close: () => jwks.close(),
  };
}

async function openDev(secretFile: string): Promise<OpenedAuthenticator> {
  const secret = await openDevSecret(secretFile);
  // Imported once, because jose would import the key again for every token.
  const key = await crypto.subtle.importKey(
    "raw",
    new Uint8Array(secret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["verify"],
  );
  const rules = { algorithms: ["HS256"], issuer: DEV_ISSUER, audience: DEV_AUDIENCE };
  return {
    verify: (token, now) => verify(token, now, () => key, rules),
    keysLoaded: true,
    close: () => undefined,
  };
}

/** Resolves, never rejects. */
async function verify(
  token: string,
  now: number,
  keyFor: JWTVerifyGetKey,
  rules: Pick<JWTVerifyOptions, "algorithms" | "issuer" | "audience">,
): Promise<Verification> {
  if (token.length > TOKEN_LENGTH_MAX) return UNAUTHORIZED;
  try {
    const header = decodeProtectedHeader(token);
    if ("jwk" in header || "jku" in header || "x5u" in header) return UNAUTHORIZED; // auth.2
    const { payload } = await jwtVerify(token, keyFor, {
      ...rules,
      requiredClaims: ["exp", "sub"],
      clockTolerance: SKEW_SECONDS,
      currentDate: new Date(now),
    });
    const verification = identify(payload);
    if (verification.kind === "refused" || verification.identity.expiresAt > now) {
      return verification;
    }
    return EXPIRED;
  } catch (error: unknown) {
    if (error instanceof errors.JWTExpired) return EXPIRED;
    if (error instanceof KeysUnavailable) {
      return { kind: "refused", error: "unavailable", afterMs: error.afterMs }; // auth.5
    }
    // Every other failure is a forged, foreign or broken token (auth.4).
    return UNAUTHORIZED;
  }
}

const UNAUTHORIZED: Verification = { kind: "refused", error: "unauthorized" };
const EXPIRED: Verification = { kind: "refused", error: "token_expired" };
/** Grants in one token. A longer list does not fit into TOKEN_LENGTH_MAX in practice. */
const GRANTS_MAX = 256;

export const displayName = storableText(NAME_LENGTH_MAX);
export const grants = z
  .record(z.string().max(64), z.string().max(32))
  .refine((rooms) => Object.keys(rooms).length <= GRANTS_MAX)
  .refine((rooms) => Object.keys(rooms).every(isRoomId));

const claims = z.object({
  sub: z.string().refine(isUserId),
  exp: z.number(),
  iat: z.number().optional(),
  name: displayName.optional(),
  rooms: grants.optional(),
  admin: z.boolean().optional(),
  svc: z.boolean().optional(),
});

/** A claim of a wrong type refuses the token: an interpretation could grant too much. */
function identify(payload: JWTPayload): Verification {
  const parsed = claims.safeParse(payload);
  if (!parsed.success) return UNAUTHORIZED;
  const { sub, exp, iat, name, rooms, admin, svc } = parsed.data;
  const issuedAt = iat === undefined ? undefined : iat * 1_000;
  return {
    kind: "ok",
    identity: {
      user: sub,
      ...(name !== undefined && { name }),
      ...(rooms !== undefined && { rooms }),
      admin: admin ?? false,
      ...(svc === true && { svc }),
      ...(issuedAt !== undefined && { issuedAt }),
      // The first moment at which `verify` returns `token_expired`.
      expiresAt: Math.min((exp + SKEW_SECONDS) * 1_000, (issuedAt ?? Infinity) + TOKEN_LIFE_MAX_MS),
    },
  };
}
