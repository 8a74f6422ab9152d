// PostgresCopy: replaces the archive of some partitions by that of another server, where each of
// two regions has an archive of its own (docs/decisions/037-both-regions-serve.md).
//
// Owns: one snapshot of the source, and one transaction of the target. Does not own: when a region
// takes another archive (services/region/runtime/promotion.ts).
//
//   postgres-copy.1. The target has all rows of the snapshot for these partitions and no others, or
//        it is unchanged. Rows of other partitions are not touched, and their writers do not wait.
//        A table that both servers have and that has a column `room` is copied by its rooms, so a
//        table of a later migration is not forgotten.
//   postgres-copy.2. The watermarks are deleted and inserted. A write of an archive runner that
//        waits for the old row then finds none, and writes nothing.

import { Client } from "pg";
import type { Partition, RoomId } from "../protocol/ids.ts";
import { PartitionMap } from "../protocol/partition-map.ts";
import { RestoreError } from "./postgres-restore.ts";

export interface CopiedPartitions {
  readonly ps: readonly Partition[];
  /** The number of partitions of the cluster. */
  readonly of: number;
}

export interface CopyCounts {
  readonly rooms: number;
  readonly events: number;
}

/** A part of a table: rows whose `key` column is one of the keys. */
interface Part {
  readonly table: string;
  readonly key: "partition" | "room";
  readonly keys: readonly (string | number)[];
}

const CONNECT_TIMEOUT_MS = 5_000;
/** Rooms in one statement. */
const ROOMS_MAX = 1_000;
/** A line is at most 17 KiB, so one step holds at most 9 MiB. */
const ROWS_MAX = 500;

/** Rejects when a server cannot be reached, or when the target has no tables. */
export async function copyArchive(
  { from, to }: { readonly from: string; readonly to: string },
  { ps, of }: CopiedPartitions,
): Promise<CopyCounts> {
  const [source, target] = [clientOf(from), clientOf(to)];
  try {
    await source.connect();
    await target.connect();
    await source.query("begin isolation level repeatable read read only");
    await target.query("begin");
    const counts = await new Copy(source, target).run({ ps, of });
    await target.query("commit");
    return counts;
  } finally {
    // Without a commit the server rolls back.
    await Promise.all([source.end(), target.end()]);
  }
}

class Copy {
  readonly #source: Client;
  readonly #target: Client;

  constructor(source: Client, target: Client) {
    this.#source = source;
    this.#target = target;
  }

  async run({ ps, of }: CopiedPartitions): Promise<CopyCounts> {
    const map = new PartitionMap(of);
    const isTheirs = (room: string): boolean => ps.includes(map.partitionOf(room as RoomId));
    const hasSource = await hasTables(this.#source);
    if (!(await hasTables(this.#target))) {
      if (!hasSource) return { rooms: 0, events: 0 };
      throw new RestoreError("the archive of this region has no tables: start persistence first");
    }
    const partitions = { key: "partition", keys: ps } as const;
    // Ends the writes that are under way in these partitions.
    await this.#target.query("select from watermarks where partition = any($1) for update", [ps]);
    const tables = await tablesOfRooms(this.#target);
    for (const part of partsOf(tables, await roomsOf(this.#target, isTheirs))) {
      await this.#remove(part);
    }
    await this.#remove({ table: "quarantine", ...partitions });
    await this.#remove({ table: "watermarks", ...partitions }); // postgres-copy.2
    if (!hasSource) return { rooms: 0, events: 0 };
    const rooms = await roomsOf(this.#source, isTheirs);
    let events = 0;
    const known = await tablesOfRooms(this.#source);
    for (const part of partsOf(
      tables.filter((table) => known.includes(table)),
      rooms,
    )) {
      const count = await this.#copy(part);
      if (part.table === "events") events += count;
    }
    await this.#copy({ table: "quarantine", ...partitions });
    await this.#copy({ table: "watermarks", ...partitions });
    return { rooms: rooms.length, events };
  }

  async #remove({ table, key, keys }: Part): Promise<void> {
    await this.#target.query(`delete from ${table} where ${key} = any($1)`, [keys]);
  }

  /** Returns the number of rows. */
  async #copy({ table, key, keys }: Part): Promise<number> {
    const columns = await this.#columnsOf(table);
    const insert = `insert into ${table} (${columns})
      select ${columns} from json_populate_recordset(null::${table}, $1::json)`;
    const rows = `select row_to_json(t)::text as row from ${table} t where ${key} = any($1)`;
    await this.#source.query(`declare part no scroll cursor for ${rows}`, [keys]);
    let count = 0;
    for (;;) {
      const step = await this.#source.query<{ row: string }>(`fetch ${ROWS_MAX} from part`);
      if (step.rows.length === 0) break;
      count += step.rows.length;
      await this.#target.query(insert, [`[${step.rows.map(({ row }) => row).join(",")}]`]);
    }
    await this.#source.query("close part");
    return count;
  }

  /** Without those that the server numbers itself. */
  async #columnsOf(table: string): Promise<string> {
    const { rows } = await this.#target.query<{ name: string }>(
      `select attname as name from pg_attribute where attrelid = $1::regclass
       and attnum > 0 and not attisdropped and attidentity = '' order by attnum`,
      [table],
    );
    return rows.map(({ name }) => name).join(", ");
  }
}

function partsOf(tables: readonly string[], rooms: readonly string[]): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < rooms.length; at += ROOMS_MAX) {
    const keys = rooms.slice(at, at + ROOMS_MAX);
    for (const table of tables) parts.push({ table, key: "room", keys });
  }
  return parts;
}

/** The tables with rows of rooms. Quarantine is copied by its partition. */
async function tablesOfRooms(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select relname as name from pg_class join pg_attribute on attrelid = pg_class.oid
     where attname = 'room' and not attisdropped and relkind in ('r', 'p') and not relispartition
       and relnamespace = current_schema()::regnamespace and relname <> 'quarantine' order by 1`,
  );
  return rows.map(({ name }) => name);
}

async function roomsOf(client: Client, isTheirs: (room: string) => boolean): Promise<string[]> {
  const { rows } = await client.query<{ room: string }>("select room from rooms");
  return rows.map(({ room }) => room).filter((room) => isTheirs(room));
}

/** False before persistence ran for the first time. */
async function hasTables(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ yes: boolean }>(
    "select to_regclass('watermarks') is not null as yes",
  );
  return rows[0]?.yes === true;
}

function clientOf(url: string): Client {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: "parley-copy",
  });
  client.on("error", () => {}); // The current statement then rejects and reports the error.
  return client;
}
