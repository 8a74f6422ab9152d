// Revocations: the tokens that this process refuses although their issuer signed them.
//
// Owns: the revocations in force. Does not own: their storage, the connections to close.
//
//   kit/revocations.1. A token is revoked when its `iat` is at or before the revocation of its
//        user. A token without `iat` counts as issued before every revocation.
//   kit/revocations.2. A row that cannot be decoded, or that has another user's key, changes
//        nothing.
//   kit/revocations.3. The next change removes expired revocations. The table bounds their
//        number.

import type { SettingChange } from "../ports/settings-store.ts";
import type { Millis, UserId } from "../protocol/ids.ts";
import { decodeRevocation, isOver } from "../protocol/revocations.ts";
import type { Revocation } from "../protocol/revocations.ts";
import type { Identity } from "../ports/identity.ts";

export class Revocations {
  readonly #byKey = new Map<string, Revocation>();
  readonly #byUser = new Map<UserId, Millis>();

  get size(): number {
    return this.#byKey.size;
  }

  /** Applies a row and returns the revocation if it is newly in force. */
  take({ key, text }: Pick<SettingChange, "key" | "text">, now: Millis): Revocation | undefined {
    const revocation = text === undefined ? undefined : decodeRevocation(key, text);
    // kit/revocations.2; a setting is ignored too.
    if (text !== undefined && revocation === undefined) return undefined;
    for (const [known, before] of this.#byKey) {
      // kit/revocations.3
      if (known === key || isOver(before, now)) this.#forget(known, before);
    }
    if (revocation === undefined || isOver(revocation, now)) return undefined;
    this.#byKey.set(key, revocation);
    this.#byUser.set(revocation.user, revocation.at);
    return revocation;
  }

  covers({ user, issuedAt = 0 }: Pick<Identity, "user" | "issuedAt">, now: Millis): boolean {
    const at = this.#byUser.get(user) ?? -Infinity;
    return issuedAt <= at && !isOver({ at }, now); // kit/revocations.1
  }

  #forget(key: string, { user }: Revocation): void {
    this.#byKey.delete(key);
    this.#byUser.delete(user);
  }
}
