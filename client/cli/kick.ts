// Kick: `parley kick` revokes a user's tokens and closes the user's connections.
//
// The revocation is stored first. A connection that opens between the two steps with an old token
// is closed when its gateway receives the revocation, within two seconds (E6).

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
import { askKick, operatorName } from "./control.ts";
import { withBucket } from "./settings.ts";

const ALL = "revoked.>";

export class TooManyRevocations extends Error {
  override readonly name = "TooManyRevocations";
}

/**
 * Resolves with the number of connections that were closed at once. Rejects with
 * TooManyRevocations, and with NatsUnreachable.
 */
export async function kick(nats: NatsAccess, user: UserId, now = Date.now()): Promise<number> {
  await withBucket(nats, async (bucket) => {
    const key = revocationKey(user);
    const others: string[] = [];
    for await (const other of await bucket.keys(ALL)) if (other !== key) others.push(other);
    if (others.length >= REVOCATIONS_MAX && (await removeExpired(bucket, others, now)) === 0) {
      throw new TooManyRevocations(
        `the tokens of ${others.length} users are revoked already, and no more fit: each ends 31 ` +
          "days after its kick",
      );
    }
    await bucket.put(key, encodeRevocation({ user, at: now, by: operatorName() }));
  });
  return askKick(nats, user);
}

/** Removes revocations that no valid token can match, and unreadable ones; returns their number. */
async function removeExpired(bucket: KV, keys: readonly string[], now: number): Promise<number> {
  let removed = 0;
  for (const key of keys) {
    const entry = await bucket.get(key);
    const revocation = entry === null ? undefined : decodeRevocation(key, entry.string());
    if (revocation !== undefined && !isOver(revocation, now)) continue;
    await bucket.purge(key);
    removed++;
  }
  // Delete markers count as rows of the table.
  if (bucket instanceof Bucket) await bucket.purgeDeletes(0);
  return removed;
}
