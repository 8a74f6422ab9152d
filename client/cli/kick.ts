// `parley kick`: revokes a user's tokens and closes their connections.
//
// The revocation is stored first. A connection that comes between the two with an old token is closed
// when its gateway learns of the revocation, within two seconds (E6).

import { Bucket } from "@nats-io/kv";
import type { KV } from "@nats-io/kv";
import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import {
  decodeRevocation,
  encodeRevocation,
  isOver,
  revocationKey,
  REVOCATIONS_MAX,
} from "#shared/protocol/revocations.ts";
import { askKick, whoIAm } from "./control.ts";
import { withBucket } from "./settings.ts";

const ALL = "revoked.>";

export class TooManyRevocations extends Error {
  override readonly name = "TooManyRevocations";
}

/** Says how many connections were closed at once. Rejects with TooManyRevocations, or without NATS. */
export async function kick(nats: NatsAccess, user: UserId, now = Date.now()): Promise<number> {
  await withBucket(nats, async (bucket) => {
    const key = revocationKey(user);
    const others: string[] = [];
    for await (const other of await bucket.keys(ALL)) if (other !== key) others.push(other);
    if (others.length >= REVOCATIONS_MAX && (await forgetOver(bucket, others, now)) === 0) {
      throw new TooManyRevocations(`the tokens of ${others.length} users are revoked already`);
    }
    await bucket.put(key, encodeRevocation({ user, at: now, by: whoIAm() }));
  });
  return askKick(nats, user);
}

/** Removes those that no living token is about, and what cannot be read; says how many. */
async function forgetOver(bucket: KV, keys: readonly string[], now: number): Promise<number> {
  let removed = 0;
  for (const key of keys) {
    const entry = await bucket.get(key);
    const revocation = entry === null ? undefined : decodeRevocation(key, entry.string());
    if (revocation !== undefined && !isOver(revocation, now)) continue;
    await bucket.purge(key);
    removed++;
  }
  if (bucket instanceof Bucket) await bucket.purgeDeletes(0); // Markers count as rows of the table.
  return removed;
}
