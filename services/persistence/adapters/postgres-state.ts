// PostgresState: the settings and the stored members of rooms, as parts of statements and as
// columns.
//
//   postgres-state.1. A value is replaced only by one of a line with a higher number (D3).

import type { Pool } from "pg";
import { cutMembers, SNAPSHOT_MEMBERS_MAX } from "#shared/kit/archived-members.ts";
import type { StateChanges } from "#shared/kit/state-changes.ts";
import type { RoomSettings } from "#shared/protocol/events.ts";
import type { MembersPage, RoomSnapshotState, StoredMember } from "#shared/protocol/history.ts";
import type { RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { RoomKind } from "#shared/protocol/roles.ts";
import { int8Array, textArray } from "./pg-arrays.ts";

/** The columns of `rooms` that a `room` line sets. */
export interface SettingsRow {
  readonly kind: RoomKind | null;
  readonly title: string | null;
  readonly settings: Omit<RoomSettings, "kind" | "title"> | null;
  /** 0: no `room` line. */
  readonly settings_seq: Seq | null;
}

export const IS_STORED = `(role <> 'none' or banned or muted_until > 0)`;

/** $n… rooms, numbers, kinds, titles, settings: one room of the batch in each row. */
export function settingsTable(n: number): string {
  return `unnest($${n}::text[], $${n + 1}::bigint[], $${n + 2}::text[], $${n + 3}::text[],
    $${n + 4}::text[]) as s (room, seq, kind, title, settings)`;
}

/**
 * $n… rooms, users, roles, muted until, banned, numbers, first numbers, since. `where` limits the
 * rows. `since_seq` is sinceOf of state-changes.ts. The rows before are those of the statement's
 * snapshot: the row lock on the watermark keeps other writers of these rooms away.
 */
export function mergeMembers(n: number, where = ""): string {
  return `insert into members as m (room, member, role, muted_until, banned, seq, since_seq)
    select c.room, c.member, c.role, c.muted_until, c.banned = 1, c.seq,
      case when c.role = 'none' or c.banned = 1 then 0 when c.since > 0 then c.since
        when old.role <> 'none' and not old.banned
          then case when old.since_seq > 0 then old.since_seq else old.seq end
        else c.first end
    from unnest($${n}::text[], $${n + 1}::text[], $${n + 2}::text[], $${n + 3}::bigint[],
      $${n + 4}::bigint[], $${n + 5}::bigint[], $${n + 6}::bigint[], $${n + 7}::bigint[])
      as c (room, member, role, muted_until, banned, seq, first, since)
    left join members old on old.room = c.room and old.member = c.member
    ${where}
    on conflict (room, member) do update set role = excluded.role,
      muted_until = excluded.muted_until, banned = excluded.banned, seq = excluded.seq,
      since_seq = excluded.since_seq
    where m.seq < excluded.seq`;
}

export function settingsColumns({ settings }: StateChanges): Buffer[] {
  return [
    textArray(settings.map(({ room }) => room)),
    int8Array(settings.map(({ seq }) => seq)),
    textArray(settings.map((change) => change.settings.kind)),
    textArray(settings.map((change) => change.settings.title ?? "")),
    textArray(settings.map((change) => jsonOf(change.settings))),
  ];
}

export function memberColumns({ members }: StateChanges): Buffer[] {
  return [
    textArray(members.map(({ room }) => room)),
    textArray(members.map(({ user }) => user)),
    textArray(members.map(({ role }) => role)),
    int8Array(members.map(({ mutedUntil }) => mutedUntil)),
    int8Array(members.map(({ banned }) => Number(banned))),
    int8Array(members.map(({ seq }) => seq)),
    int8Array(members.map(({ first }) => first)),
    int8Array(members.map(({ since }) => since)),
  ];
}

function jsonOf({ kind: _kind, title: _title, ...rest }: RoomSettings): string {
  return JSON.stringify(rest);
}

/** Undefined for a room without settings and members. `members`: one more than fit, if any. */
export function stateOf(
  row: SettingsRow,
  members: readonly StoredMember[],
): RoomSnapshotState | undefined {
  const { kind, title, settings, settings_seq: seq } = row;
  const page = cutMembers(members);
  if (seq === null || seq === 0 || kind === null) {
    return members.length === 0 ? undefined : page;
  }
  const named = { kind, ...(title !== null && title !== "" && { title }), ...settings };
  return { settings: named, ...page };
}

const MEMBERS = {
  name: "members",
  text: `select member, role, muted_until, banned from members
    where room = $1 and member > $2 and ${IS_STORED} order by member limit $3`,
};

interface MemberRow {
  readonly member: UserId;
  readonly role: StoredMember[1];
  readonly muted_until: number;
  readonly banned: boolean;
}

/** The stored members behind `after`. Rejects when PostgreSQL does. */
export async function readMembers(pool: Pool, room: RoomId, after: UserId): Promise<MembersPage> {
  const values = [room, after, SNAPSHOT_MEMBERS_MAX + 1];
  const { rows } = await pool.query<MemberRow>({ ...MEMBERS, values });
  return cutMembers(rows.map((row) => [row.member, row.role, row.muted_until, row.banned]));
}
