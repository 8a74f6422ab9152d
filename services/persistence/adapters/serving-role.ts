// ServingRole: the PostgreSQL role of the processes that serve, and its rights.
//
// Owns: the rights of that role. Does not own: the schema (migrations/), the decision when to grant
// (the job services/persistence/migrate-main.ts, as the schema's owner).
//
//   serving-role.1. The role reads and writes rows as the archive does. It has no right to delete a
//        row of the archive (the index of the search and `mentions` are made from it, and the
//        counts of `room_uses` are hints), to change the keys of an archived event, or to create,
//        alter or drop anything. It can replace the line of an event and of a quarantined text by
//        a tombstone only, because a deletion erases them (a trigger of migration 005).
//   serving-role.2. A role that owns the tables, or may act as their owner, is refused: grants
//        would not restrict it.
//   serving-role.3. Granting again changes nothing, and adds the rights on tables of new
//        migrations. It revokes no right that an older version, still running, may need.

import type { Client } from "pg";

export interface ServingRole {
  readonly name: string;
  /**
   * With a password the role is created if it does not exist, and gets this password; else it must
   * exist.
   */
  readonly password?: string | undefined;
}

/**
 * For each table: what the archive does to its rows (postgres-*.ts). A new table needs an entry
 * here.
 */
const RIGHTS: Readonly<Record<string, string>> = {
  watermarks: "select, insert, update",
  events: "select, insert, update (line)",
  rooms: "select, insert, update",
  members: "select, insert, update",
  mentions: "select, insert, delete",
  message_state: "select, insert, update",
  reactions: "select, insert, update",
  invites: "select, insert, update",
  attachments: "select, insert, update, delete",
  attachment_uses: "select, insert, delete",
  user_names: "select, insert, update",
  search: "select, insert, update, delete",
  search_rooms: "select, insert, update",
  room_uses: "select, insert, update, delete",
  quarantine: "select, insert, update (line)",
  webhooks: "select (webhook)",
  webhook_feed: "insert",
  cluster: "select, insert",
  migrations: "select",
};

/** The role of services/webhooks: it reads events, and does what it likes with its own tables. */
const WEBHOOK_RIGHTS: Readonly<Record<string, string>> = {
  webhooks: "select, insert, delete",
  webhook_cursors: "select, insert, update, delete",
  webhook_left: "select, insert, update, delete",
  webhook_feed: "select, delete",
  events: "select",
  quarantine: "select",
  watermarks: "select",
};

/**
 * Utility statements accept no parameters: the names are passed as settings, and `format` quotes
 * them.
 */
const MAKE_ROLE = `do $$
declare
  role constant text := current_setting('parley.role');
  password constant text := current_setting('parley.password');
begin
  if password = '' then return; end if;
  if not exists (select from pg_roles where rolname = role) then
    execute format('create role %I', role);
  end if;
  execute format('alter role %I login password %L', role, password);
end $$`;

const GRANT = `do $$
declare
  role constant text := current_setting('parley.role');
  rights record;
begin
  -- PostgreSQL 14 and older let every role create tables in \`public\`.
  execute format('revoke create on schema %I from public', current_schema());
  execute format('grant usage on schema %I to %I', current_schema(), role);
  for rights in select * from json_each_text(current_setting('parley.rights')::json) loop
    execute format('grant %s on table %I to %I', rights.value, rights.key, role);
  end loop;
end $$`;

/**
 * The tables that the role owns or may act as owner of, and the schema when it may create in it
 * (serving-role.2).
 */
const TOO_MUCH = `select tablename as what from pg_tables
  where schemaname = current_schema() and pg_has_role($1::name, tableowner, 'member')
  union all select 'schema ' || current_schema()
  where has_schema_privilege($1::name, current_schema()::text, 'create')`;

/** `client` is connected as the owner of the schema. */
export function grantServing(client: Client, role: ServingRole): Promise<void> {
  return grant(client, role, RIGHTS);
}

/** The same for services/webhooks. */
export function grantWebhooks(client: Client, role: ServingRole): Promise<void> {
  return grant(client, role, WEBHOOK_RIGHTS);
}

/** In one transaction. */
async function grant(
  client: Client,
  { name, password = "" }: ServingRole,
  rights: Readonly<Record<string, string>>,
): Promise<void> {
  await client.query("begin");
  try {
    await client.query(
      `select set_config('parley.role', $1, true), set_config('parley.password', $2, true),
        set_config('parley.rights', $3, true)`,
      [name, password, JSON.stringify(rights)],
    );
    await client.query(MAKE_ROLE);
    await client.query(GRANT);
    const { rows } = await client.query<{ what: string }>(TOO_MUCH, [name]);
    if (rows.length > 0) {
      const what = rows.map((row) => row.what).join(", ");
      throw new Error(`the role ${name} may change the schema (${what}); serve with another role`);
    }
    await client.query("commit");
  } catch (error: unknown) {
    await client.query("rollback");
    throw error;
  }
}
