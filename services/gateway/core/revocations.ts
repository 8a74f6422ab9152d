// Revocations: which tokens this gateway takes no more, though their issuer signed them.
//
// Owns: the revocations in force here. Does not own: where they are kept, the sockets to close.
//
//   gateway/revocations.1. A token is revoked when its `iat` is at or before the revocation of its user. One without
//        `iat` counts as issued before every revocation.
//   gateway/revocations.2. A row that cannot be read, or that stands under another user's key, changes nothing.
//   gateway/revocations.3. Those that are over are forgotten at the next change. The table's followers bound the rest.

import type { SettingChange } from "#shared/ports/settings-store.ts";
import type { Millis, UserId } from "#shared/protocol/ids.ts";
import { decodeRevocation, isOver } from "#shared/protocol/revocations.ts";
import type { Revocation } from "#shared/protocol/revocations.ts";
import type { Identity } from "./identity.ts";

export class Revocations {
  readonly #byKey = new Map<string, Revocation>();
  readonly #byUser = new Map<UserId, Millis>();

  get size(): number {
    return this.#byKey.size;
  }

  /** The revocation that is in force from now on and was not before. */
  take({ key, text }: Pick<SettingChange, "key" | "text">, now: Millis): Revocation | undefined {
    const revocation = text === undefined ? undefined : decodeRevocation(key, text);
    if (text !== undefined && revocation === undefined) return undefined; // gateway/revocations.2; so is a setting.
    for (const [known, before] of this.#byKey) {
      if (known === key || isOver(before, now)) this.#forget(known, before); // gateway/revocations.3
    }
    if (revocation === undefined || isOver(revocation, now)) return undefined;
    this.#byKey.set(key, revocation);
    this.#byUser.set(revocation.user, revocation.at);
    return revocation;
  }

  covers({ user, issuedAt = 0 }: Pick<Identity, "user" | "issuedAt">, now: Millis): boolean {
    const at = this.#byUser.get(user) ?? -Infinity;
    return issuedAt <= at && !isOver({ at }, now); // gateway/revocations.1
  }

  #forget(key: string, { user }: Revocation): void {
    this.#byKey.delete(key);
    this.#byUser.delete(user);
  }
}
