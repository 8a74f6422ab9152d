// InviteHash: hashes the secret of an invite. Cores, protocol and clients do without it.

import { hash } from "node:crypto";

/**
 * The base64url form of the SHA-256 of a secret, which the event of an invite has. No slow hash and
 * no salt: a secret is random and has 128 bits or more.
 */
export function inviteHash(secret: string): string {
  return hash("sha256", secret, "base64url");
}
