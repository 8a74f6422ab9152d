// PostgresNames: the display names of users.
//
//   postgres-names.1. The condition of the update keeps the newest name (ports/names.1), also when
//        two processes write at once.

import type { Pool } from "pg";
import type { UserId } from "#shared/protocol/ids.ts";
import type { NamedUser, SaidName } from "#shared/protocol/names.ts";
import { textArray } from "./pg-arrays.ts";

/** $1 users. */
const NAMES = {
  name: "names",
  text: `select member, name from user_names where member = any($1::text[]) and name <> ''`,
};

/** $1 user, $2 name, $3 time. */
const PUT_NAME = {
  name: "put-name",
  text: `insert into user_names as known (member, name, at) values ($1, $2, $3)
    on conflict (member) do update set name = excluded.name, at = excluded.at
    where known.at <= excluded.at and (known.name, known.at) <> (excluded.name, excluded.at)`,
};

export async function readNames(
  db: Pick<Pool, "query">,
  users: readonly UserId[],
): Promise<readonly NamedUser[]> {
  const values = [textArray(users)];
  const { rows } = await db.query<{ member: UserId; name: string }>({ ...NAMES, values });
  return rows.map(({ member, name }) => [member, name]);
}

export async function putName(
  db: Pick<Pool, "query">,
  { user, name, at }: SaidName,
): Promise<undefined> {
  await db.query({ ...PUT_NAME, values: [user, name, at] });
}
