// The serving role on a real PostgreSQL: what it may do, and what PostgreSQL refuses.

import { expect } from "chai";
import { mkdtemp, cp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Client, DatabaseError } from "pg";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import type { PostgresServer } from "#shared/testing/launch-postgres.ts";
import { event, valueOf } from "#shared/testing/archive.contract.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { PartitionMap } from "#shared/protocol/partition-map.ts";
import { PostgresArchive } from "../adapters/archive-postgres.ts";
import { claimPartitions, migrate, SchemaError } from "../adapters/migrate.ts";
import { RestoreArchive } from "#shared/adapters/postgres-restore.ts";

const ROLE = "parley_serving";
const PASSWORD = "it's a secret";
const ROOM = "general" as RoomId;
const FOLDER = new URL("../migrations/", import.meta.url);
const INSUFFICIENT_PRIVILEGE = "42501";

function as(role: string, { url }: PostgresServer): string {
  const whole = new URL(url);
  whole.username = role;
  return whole.href;
}

async function connected(url: string): Promise<Client & AsyncDisposable> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

/** The code of PostgreSQL's refusal; undefined when the statement succeeded. */
async function refusal(client: Client, sql: string): Promise<string | undefined> {
  return client.query(sql).then(
    () => undefined,
    (error: unknown) => (error instanceof DatabaseError ? error.code : String(error)),
  );
}

async function complaint(doing: Promise<unknown>): Promise<string> {
  return doing.then(
    () => "",
    (error: unknown) => String(error),
  );
}

describe("Serving role", function () {
  this.timeout(60_000);
  let server: PostgresServer;
  let serving: string;

  before(async () => {
    server = await launchPostgres({ embedded: true });
    serving = as(ROLE, server);
    await migrate({ url: server.url, serving: { name: ROLE, password: PASSWORD } });
  });
  after(() => server.stop());

  it("X6: the role cannot create, alter or drop anything, nor change or remove archived data", async () => {
    await using client = await connected(serving);
    for (const sql of [
      "create table own (n int)",
      "create index on events (sender)",
      "create function own() returns int language sql return 1",
      "create schema own",
      "create role own",
      `alter role ${ROLE} superuser`,
      "alter table events add column own int",
      "alter table rooms disable trigger all",
      "drop table rooms",
      "drop table events_3",
      "truncate watermarks",
      "delete from events",
      "delete from rooms",
      "delete from quarantine",
      "update events set at = 0",
      "update events set sender = 'eve', line = '{}'",
      "update quarantine set reason = ''",
      "insert into events_3 select * from events",
      "insert into migrations (name, sha256) values ('003-own.sql', '')",
      "update cluster set partitions = 1",
    ]) {
      expect(await refusal(client, sql), sql).to.equal(INSUFFICIENT_PRIVILEGE);
    }
  });

  it("X6: the role may read every table of the schema but those of webhooks", async () => {
    await using client = await connected(serving);
    const { rows } = await client.query(
      `select relname from pg_class where relnamespace = 'public'::regnamespace
        and relkind in ('r', 'p') and not relispartition and not has_table_privilege(oid, 'select')
        and relname not like 'webhook%'`,
    );
    expect(rows).to.deep.equal([]);
  });

  it("X6: the role has the rights to serve and to restore", async () => {
    await claimPartitions(serving, 16);
    const store = new PostgresArchive({ url: serving });
    const batch = { p: 0, from: 0, to: 1, epoch: 1, events: [event(ROOM, 1)] };
    const unread = [{ entry: 1, text: "odd", reason: "it is odd" }];
    expect(await store.write({ ...batch, unread })).to.include({ kind: "ok" });
    expect(valueOf(await store.watermark(0, 7))).to.include({ seq: 1, epoch: 1 });
    expect(valueOf(await store.range(ROOM, 1, 9)).lines).to.have.length(1);
    // A line can become a tombstone and nothing else.
    await using client = await connected(serving);
    for (const table of ["events", "quarantine"]) {
      for (const line of ["''", "'{}'", "line", `'{"deleted":{"by":"ada"},"body":{"text":"x"}}'`]) {
        const sql = `update ${table} set line = ${line}`;
        expect(await refusal(client, sql), sql).to.be.oneOf([INSUFFICIENT_PRIVILEGE, "22P02"]);
      }
      const tombstone = `update ${table} set line = '{"body":{},"deleted":{"by":"ada"}}' where false`;
      expect(await refusal(client, tombstone)).to.equal(undefined);
    }
    await store.close();
    await using archive = await RestoreArchive.open(serving);
    await archive.declareLost([{ p: 0, from: 1, to: 5 }], {
      map: new PartitionMap(1),
      born: "again",
    });
    expect((await archive.ends(1))[0]).to.include({ seq: 5 });
  });

  it("X6: the role of webhooks reads events and owns its rows; no role reads the secrets but this one", async () => {
    const name = "parley_webhooks";
    await migrate({ url: server.url, webhooks: { name, password: PASSWORD } });
    await using client = await connected(as(name, server));
    for (const sql of [
      "select line from events",
      "select secret from webhooks",
      "delete from webhook_left",
      "update webhook_cursors set skip = 0",
      "delete from webhook_feed",
      "begin; lock table webhooks in share row exclusive mode; rollback",
    ]) {
      expect(await refusal(client, sql), sql).to.equal(undefined);
    }
    for (const sql of [
      "update events set line = '{}'",
      "delete from events",
      "select * from members",
      "insert into webhook_feed values (0, 1, now(), '{}', '{}', '{}')",
      "create table x ()",
    ]) {
      expect(await refusal(client, sql), sql).to.equal(INSUFFICIENT_PRIVILEGE);
    }
    await using archive = await connected(serving);
    expect(await refusal(archive, "select secret from webhooks")).to.equal(INSUFFICIENT_PRIVILEGE);
    expect(await refusal(archive, "select from webhooks")).to.equal(undefined);
  });

  it("X6: granting again changes nothing but the password, which is stored hashed", async () => {
    await using owner = await connected(server.url);
    const rights = async (): Promise<unknown> => {
      const sql = "select relname, relacl::text from pg_class where relacl is not null order by 1";
      return (await owner.query(sql)).rows;
    };
    const hash = async (): Promise<string> => {
      const sql = "select rolpassword from pg_authid where rolname = $1";
      return (await owner.query<{ rolpassword: string }>(sql, [ROLE])).rows[0]!.rolpassword;
    };
    const [rightsBefore, hashBefore] = [await rights(), await hash()];
    expect(hashBefore).to.match(/^SCRAM-SHA-256\$/);
    await migrate({ url: server.url, serving: { name: ROLE } });
    expect(await hash()).to.equal(hashBefore);
    await migrate({ url: server.url, serving: { name: ROLE, password: "another" } });
    expect(await hash()).to.not.equal(hashBefore);
    expect(await rights()).to.deep.equal(rightsBefore);
  });

  it("migrate.3, X6: starts with a complete schema, and otherwise names the job to run first", async () => {
    expect(await migrate({ url: serving })).to.deep.equal([]);
    const newer = await mkdtemp(join(tmpdir(), "parley-migrations-"));
    await cp(FOLDER, newer, { recursive: true });
    await writeFile(join(newer, "900-newer.sql"), "create table newer (n int);");
    const folder = pathToFileURL(`${newer}/`);
    expect(await complaint(migrate({ url: serving, folder })))
      .to.contain(SchemaError.name)
      .and.contain("run services/persistence/dist/migrate-main.js as the schema's owner");
    // The job runs, and the process starts.
    expect(await migrate({ url: server.url, folder, serving: { name: ROLE } })).to.deep.equal([
      "900-newer.sql",
    ]);
    expect(await migrate({ url: serving, folder })).to.deep.equal([]);
    await rm(newer, { recursive: true });
  });

  it("X6: a role that owns the tables, or may act as their owner, is refused and gets no rights", async () => {
    await using owner = await connected(server.url);
    await owner.query("create role deputy login in role postgres");
    await owner.query("create role maker login");
    await owner.query("grant create on schema public to maker");
    for (const name of ["postgres", "deputy", "maker"]) {
      const message = await complaint(migrate({ url: server.url, serving: { name } }));
      expect(message).to.contain(`the role ${name} may change the schema`);
    }
    const { rows } = await owner.query("select has_table_privilege('maker', 'events', 'select')");
    expect(rows).to.deep.equal([{ has_table_privilege: false }]);
    const unknown = await complaint(migrate({ url: server.url, serving: { name: "absent" } }));
    expect(unknown).to.contain('role "absent" does not exist');
  });
});
