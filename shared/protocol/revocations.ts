// Revocations: both halves of the rule that refuses all tokens of one user up to a time of issue.
//
// `parley kick` writes a revocation as a row of the table `settings`, under `revoked.<user in
// base64url>`. Every gateway follows that table. Owns: the key, the text, the bounds.
//
//   protocol/revocations.1. A revocation is in force for TOKEN_LIFE_MAX_MS. A token expires at
//        the latest TOKEN_LIFE_MAX_MS after its `iat`, so no revoked token outlives the revocation.
//   protocol/revocations.2. There are at most REVOCATIONS_MAX. The writer refuses a further
//        one.

import { base64url } from "../kit/base64url.ts";
import { isCount, parseObject } from "../kit/json.ts";
import { isUserId } from "./ids.ts";
import type { Millis, UserId } from "./ids.ts";

/** The maximum age of a token from its `iat`, regardless of its `exp`. */
export const TOKEN_LIFE_MAX_MS = 31 * 24 * 3_600_000;
export const REVOCATIONS_MAX = 1_000;

const PREFIX = "revoked.";

export interface Revocation {
  readonly user: UserId;
  /** Tokens with an `iat` at or before this time are refused. */
  readonly at: Millis;
  /** The operator, for the log. */
  readonly by: string;
}

/** base64url, because a key of a bucket becomes a part of a subject (N4). */
export function revocationKey(user: UserId): string {
  return PREFIX + base64url(user);
}

export function isRevocationKey(key: string): boolean {
  return key.startsWith(PREFIX);
}

export function encodeRevocation({ user, at, by }: Revocation): string {
  return JSON.stringify({ v: 1, user, at, by });
}

/** Undefined unless the text is a whole revocation of version 1 and `key` is its user's key. */
export function decodeRevocation(key: string, text: string): Revocation | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== 1) return undefined;
  const { user, at, by } = value;
  if (!isUserId(user) || !isCount(at) || typeof by !== "string") return undefined;
  return revocationKey(user) === key ? { user, at, by } : undefined;
}

/** True when every token that it refuses has expired. */
export function isOver({ at }: Pick<Revocation, "at">, now: Millis): boolean {
  return now >= at + TOKEN_LIFE_MAX_MS;
}
