// The archive of one home, copied to another server.

import { expect } from "chai";
import { Client } from "pg";
import { copyArchive } from "#shared/adapters/postgres-copy.ts";
import { partitionOf } from "#shared/protocol/ids.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { events } from "#shared/testing/archive.contract.ts";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import { until } from "#shared/testing/wait.ts";
import { PostgresArchive } from "../../services/persistence/adapters/archive-postgres.ts";
import { migrate } from "../../services/persistence/adapters/migrate.ts";

const OF = 2;
const NAMES = ["general", "dev", "ops", "random", "help"] as RoomId[];
const roomsOf = (p: number): RoomId[] => NAMES.filter((room) => partitionOf(room, OF) === p);

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<Record<string, unknown>>(text);
  await client.end();
  return rows;
}

async function fill(url: string, p: number, count: number): Promise<void> {
  const store = new PostgresArchive({ url });
  const list = roomsOf(p).flatMap((room) => events(room, 1, count));
  await store.write({ p, from: 0, to: count, epoch: 3, events: list, isReleased: true });
  await store.close();
}

describe("Copy of an archive", function () {
  this.timeout(60_000);

  it("T14, postgres-copy.1, postgres-copy.2: a home has the rows of the source, and the other home its own", async () => {
    await using server = await launchPostgres();
    const urlOf = (name: string): string => {
      const url = new URL(server.url);
      url.pathname = `/${name}`;
      return url.href;
    };
    const [from, to, empty] = [urlOf("copy_from"), urlOf("copy_to"), urlOf("copy_empty")];
    for (const name of ["copy_from", "copy_to", "copy_empty"]) {
      await query(server.url, `drop database if exists ${name}`);
      await query(server.url, `create database ${name}`);
    }
    for (const url of [from, to]) await migrate({ url });
    await fill(from, 0, 700); // More than one step.
    await fill(from, 1, 2);
    await query(from, "update rooms set born = 'recreated', title = 'A \"title\" \\ é'");
    await query(
      from,
      `insert into quarantine (partition, log_seq, room, seq, line, reason)
       values (0, 3, 'general', 4, '{"a": "\\u0041"}', 'a reason'), (1, 1, null, null, 'x', 'y')`,
    );
    await fill(to, 0, 900); // The target has more, and its own other home.
    await fill(to, 1, 5);
    // Every table with rows of rooms, also one of a later migration.
    const named = (await query(
      from,
      `select table_name as name from information_schema.columns join pg_class on relname = table_name
       where column_name = 'room' and table_schema = 'public' and not relispartition
         and table_name <> 'quarantine' order by 1`,
    )) as { name: string }[];
    const tables = [...named.map(({ name }) => name), "watermarks"];
    expect(tables).to.include.members(["events", "rooms", "members"]);
    await query(from, `insert into members select room, 'ada', 'owner', 0, false, 1 from rooms`);
    await query(to, `insert into members select room, 'eve', 'owner', 0, false, 1 from rooms`);
    const dump = async (url: string, p: number): Promise<unknown[]> => {
      const rooms = roomsOf(p).map((room) => `'${room}'`);
      const all = await Promise.all(
        tables.map((table) => {
          const key = table === "watermarks" ? `partition = ${p}` : `room in (${rooms.join()})`;
          return query(url, `select * from ${table} where ${key} order by 1, 2`);
        }),
      );
      const columns = "partition, log_seq, room, seq, line, reason, at";
      return [...all, await query(url, `select ${columns} from quarantine where partition = ${p}`)];
    };
    const other = await dump(to, 1);
    // A writer that waits for the row of the partition writes nothing afterwards.
    const stale = new Client({ connectionString: to });
    await stale.connect();
    await stale.query("begin");
    await stale.query("select from watermarks where partition = 0 for update");
    const copying = copyArchive({ from, to }, { ps: [0], of: OF });
    const waiting = query(
      to,
      "with moved as (update watermarks set seq = 901 where partition = 0 returning 1) select * from moved",
    );
    const isWaiting = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = 'copy_to'`;
    await until(async () => (await query(server.url, isWaiting)).length === 2, {
      withinMs: 20_000,
      what: "the copy and the writer to wait for the row",
    });
    await stale.query("commit");
    await stale.end();
    const counts = await copying;
    await waiting;
    expect(counts).to.deep.equal({ rooms: roomsOf(0).length, events: roomsOf(0).length * 700 });
    expect(await dump(to, 0)).to.deep.equal(await dump(from, 0));
    expect(await dump(to, 1)).to.deep.equal(other);

    // Without tables: nothing to copy from removes, and nothing can be copied to.
    const refused = await copyArchive({ from, to: empty }, { ps: [0], of: OF }).catch(String);
    expect(refused).to.include("has no tables");
    expect(await copyArchive({ from: empty, to }, { ps: [0], of: OF })).to.deep.equal({
      rooms: 0,
      events: 0,
    });
    expect((await dump(to, 0)).flat()).to.deep.equal([]);
    expect(await dump(to, 1)).to.deep.equal(other);
  });
});
