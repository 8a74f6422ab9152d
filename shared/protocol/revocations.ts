// Revocations: the users whose tokens, as far as they were issued before a moment, count no more.
//
// `parley kick` writes them as rows of the table `settings`, under `revoked.<user in base64url>`, and
// every gateway follows that table. Owns: the key, the text, the bounds. Both halves of the codec are
// here.
//
//   protocol/revocations.1. A revocation holds for TOKEN_LIFE_MAX_MS. No token counts longer than that from its `iat`,
//         so it outlives every token that it is about.
//   protocol/revocations.2. There are at most REVOCATIONS_MAX. Beyond it the writer refuses.

import { base64url } from "../kit/base64url.ts";
import { isCount, parseObject } from "../kit/json.ts";
import { isUserId } from "./ids.ts";
import type { Millis, UserId } from "./ids.ts";

/** The longest life of a token from its `iat`, whatever its `exp`. */
export const TOKEN_LIFE_MAX_MS = 31 * 24 * 3_600_000;
export const REVOCATIONS_MAX = 1_000;

const PREFIX = "revoked.";

export interface Revocation {
  readonly user: UserId;
  /** Tokens with an `iat` at or before this count no more. */
  readonly at: Millis;
  /** Who revoked them, for the log. */
  readonly by: string;
}

/** base64url: a key of a bucket becomes a part of a subject (N4). */
export function revocationKey(user: UserId): string {
  return PREFIX + base64url(user);
}

export function isRevocationKey(key: string): boolean {
  return key.startsWith(PREFIX);
}

export function encodeRevocation({ user, at, by }: Revocation): string {
  return JSON.stringify({ v: 1, user, at, by });
}

/** Undefined for what is not exactly that, or stands under another user's key. */
export function decodeRevocation(key: string, text: string): Revocation | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1) return undefined;
  const { user, at, by } = value;
  if (!isUserId(user) || !isCount(at) || typeof by !== "string") return undefined;
  return revocationKey(user) === key ? { user, at, by } : undefined;
}

/** True once no token can live that this revocation is about. */
export function isOver({ at }: Pick<Revocation, "at">, now: Millis): boolean {
  return now >= at + TOKEN_LIFE_MAX_MS;
}
