// PostgresNewest: what the pages that are read ahead need of the archive beside the pages: the
// rooms with newer events, and how often the pages of each room are read.
//
// Owns: the statements on `room_uses`. Does not own: the pages (postgres-messages.ts).
//
//   postgres-newest.1. The scores of a process are added to the stored ones in one statement, all
//        or none. A statement before it removes the rooms beyond the STORED_MAX highest scores.

import type { Pool } from "pg";
import type { RoomId, Seq } from "#shared/protocol/ids.ts";
import type { RoomScore } from "../core/room-uses.ts";
import { int8Array, textArray } from "./pg-arrays.ts";

/** More than a process reads ahead, so that a room below them can rise again. */
export const STORED_MAX = 8_192;

/** $1 rooms, $2 heads. */
const CHANGED = {
  name: "changed-rooms",
  text: `select kept.room from unnest($1::text[], $2::bigint[]) as kept (room, head)
    left join rooms r on r.room = kept.room where r.head is distinct from kept.head`,
};

const MOST_USED = {
  name: "most-used-rooms",
  text: "select room, score from room_uses order by score desc, room limit $1",
};

/**
 * Scores are logarithms (base 2) of sums. Rooms in order, so that two processes cannot wait for
 * each other. PostgreSQL refuses to compute 2^-2000.
 */
const ADD_USES = {
  name: "add-room-uses",
  text: `insert into room_uses as u (room, score)
    select room, score from unnest($1::text[], $2::float8[]) as n (room, score) order by room
    on conflict (room) do update set score = greatest(u.score, excluded.score)
      + ln(1 + power(2::float8, greatest(-60, -abs(u.score - excluded.score)))) / ln(2::float8)`,
};

const CUT_USES = {
  name: "cut-room-uses",
  text: `delete from room_uses where room in (
      select room from room_uses order by score desc, room offset ${STORED_MAX}
    )`,
};

/** Each rejects when PostgreSQL does. */
export async function changedRooms(
  pool: Pool,
  heads: readonly (readonly [RoomId, Seq])[],
): Promise<RoomId[]> {
  const values = [textArray(heads.map(([room]) => room)), int8Array(heads.map(([, h]) => h))];
  const { rows } = await pool.query<{ room: RoomId }>({ ...CHANGED, values });
  return rows.map(({ room }) => room);
}

export async function mostUsed(pool: Pool, limit: number): Promise<RoomScore[]> {
  const values = [limit];
  const { rows } = await pool.query<{ room: RoomId; score: number }>({ ...MOST_USED, values });
  return rows.map(({ room, score }) => [room, score] as const);
}

/** postgres-newest.1. */
export async function addUses(pool: Pool, scores: readonly RoomScore[]): Promise<void> {
  await pool.query(CUT_USES);
  const values = [textArray(scores.map(([room]) => room)), scores.map(([, score]) => score)];
  await pool.query({ ...ADD_USES, values });
}
