// PostgresInvites: the invites of rooms in the transaction of a batch, and as a part of snapshots.
//
//   postgres-invites.1. A revocation and a count only grow, so a batch that is written twice
//        changes nothing.

import type { PoolClient } from "pg";
import type { StateChanges } from "#shared/kit/state-changes.ts";
import { INVITES_MAX } from "#shared/protocol/limits.ts";
import { int8Array, textArray } from "./pg-arrays.ts";

/** The invites of `wanted.room` that are in force behind the room's last event. */
export const INVITES = `(select json_agg(json_build_array(
    invite, hash, role, until, uses, used) order by invite) from (
    select * from invites i where i.room = wanted.room and not revoked and used < uses
    and until > coalesce(r.last_at, 0) order by invite limit ${INVITES_MAX}
  ) as open)`;

const PUT_INVITES = {
  name: "put-invites",
  text: `insert into invites (room, invite, hash, role, until, uses)
    select c.room, c.invite::uuid, c.hash, c.role, c.until, c.uses
    from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
      as c (room, invite, hash, role, until, uses)
    on conflict do nothing`,
};

const END_INVITES = {
  name: "end-invites",
  text: `update invites i set used = greatest(i.used, c.used), revoked = i.revoked or c.revoked = 1
    from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
      as c (room, invite, used, revoked)
    where i.room = c.room and i.invite = c.invite::uuid`,
};

/** Rejects when PostgreSQL does. */
export async function mergeInvites(client: PoolClient, changes: StateChanges): Promise<void> {
  const { invites } = changes;
  if (invites.length === 0) return;
  const made = invites.flatMap(({ room, invite, made: terms }) =>
    terms === undefined ? [] : [{ room, invite, ...terms }],
  );
  if (made.length > 0) {
    await client.query({
      ...PUT_INVITES,
      values: [
        textArray(made.map(({ room }) => room)),
        textArray(made.map(({ invite }) => invite)),
        textArray(made.map(({ hash }) => hash)),
        textArray(made.map(({ role }) => role)),
        int8Array(made.map(({ until }) => until)),
        int8Array(made.map(({ uses }) => uses)),
      ],
    });
  }
  await client.query({
    ...END_INVITES,
    values: [
      textArray(invites.map(({ room }) => room)),
      textArray(invites.map(({ invite }) => invite)),
      int8Array(invites.map(({ used }) => used)),
      int8Array(invites.map(({ isRevoked }) => Number(isRevoked))),
    ],
  });
}
