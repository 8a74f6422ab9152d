// Room list item, ROOMS: how long the list of a user's rooms takes, on a real PostgreSQL with
// 10,000 rooms, 200 of which are the user's. It measures the statement as persistence runs it,
// without bus and gateway, for a user who has read almost everything and for one whose rooms all
// have more unread messages than are counted: first while no message was changed, then while every
// second one was.

import { Client } from "pg";
import type { UserId } from "#shared/protocol/ids.ts";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import { PostgresArchive } from "../../../services/persistence/adapters/archive-postgres.ts";
import { migrate } from "../../../services/persistence/adapters/migrate.ts";
import { atMost } from "../item.ts";
import type { Item, ItemResult } from "../item.ts";

const ROOMS = 10_000;
const OWN = 200;
/** The default page of a list. */
const PAGE = 50;
/** Events of a room that is not the user's, and of one that is. */
const EVENTS = 20;
const OWN_EVENTS = 400;
/** Other members of each room. */
const MEMBERS = 10;
const RUNS = 200;
const TARGET_MS = 20;

const READER = "reader" as UserId;
const ABSENT = "absent" as UserId;

export const ROOM_LIST: Item = {
  id: "ROOMS",
  title: `room list: ${ROOMS.toLocaleString("en")} rooms, ${OWN} of one's own, one page`,
  async play({ say }): Promise<ItemResult> {
    const server = await launchPostgres();
    try {
      await migrate({ url: server.url });
      await fill(server.url);
      await using archive = open(server.url);
      const reader = await measure(archive.store, READER, OWN);
      const absent = await measure(archive.store, ABSENT, OWN);
      const first = await measure(archive.store, ABSENT, PAGE);
      say(`  ${OWN} rooms, read up to 3 messages ago: ${textOf(reader)}`);
      say(`  ${OWN} rooms, ${OWN_EVENTS} unread messages in each: ${textOf(absent)}`);
      say(`  the first ${PAGE} of them, the default page: ${textOf(first)}`);
      await change(server.url);
      const changed = await measure(archive.store, READER, OWN);
      const most = await measure(archive.store, ABSENT, OWN);
      say(`  every second message changed, read up to 3 messages ago: ${textOf(changed)}`);
      say(`  every second message changed, all unread: ${textOf(most)}`);
      return {
        legs: [],
        verdicts: [
          atMost("list of 200 rooms, few unread, median", reader.p50, TARGET_MS, "ms"),
          atMost("list of 200 rooms, all unread, median", absent.p50, TARGET_MS, "ms"),
          atMost("default page of 50, all unread, median", first.p50, TARGET_MS, "ms"),
          atMost("list of 200 rooms, changed messages, median", changed.p50, TARGET_MS, "ms"),
        ],
      };
    } finally {
      await server.stop();
    }
  },
};

interface Times {
  readonly p50: number;
  readonly p99: number;
  readonly unread: number;
}

function textOf({ p50, p99, unread }: Times): string {
  return `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${unread} unread in all`;
}

function open(url: string): AsyncDisposable & { readonly store: PostgresArchive } {
  const store = new PostgresArchive({ url });
  return { store, [Symbol.asyncDispose]: () => store.close() };
}

async function measure(store: PostgresArchive, user: UserId, limit: number): Promise<Times> {
  const times: number[] = [];
  let unread = 0;
  for (let run = 0; run < RUNS; run++) {
    const began = performance.now();
    const read = await store.rooms({ user, limit });
    times.push(performance.now() - began);
    if (read.kind !== "ok") throw new Error(read.reason);
    if (read.value.rooms.length !== limit) throw new Error("the list is not complete");
    unread = read.value.rooms.reduce((sum, room) => sum + room.unread, 0);
  }
  const sorted = times.slice(RUNS / 10).sort((a, b) => a - b); // The first ones open connections.
  const at = (share: number): number => sorted[Math.floor(share * sorted.length)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), unread };
}

/** Every second message gets a state; one in 16 of them is deleted. */
async function change(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`insert into message_state (room, seq, edited_seq, body, deleted_seq)
      select room, seq, case when seq % 3 = 0 then seq + 1 else 0 end,
        case when seq % 3 = 0 then '{"text":"edited"}' end,
        case when seq % 32 = 3 then seq + 2 else 0 end
      from events where kind = 'msg' and seq % 2 = 1`);
    await client.query("vacuum analyze message_state");
  } finally {
    await client.end();
  }
}

/** Fills the tables as persistence would, by statements of the server: that takes seconds. */
async function fill(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const events = `case when r <= ${OWN} then ${OWN_EVENTS} else ${EVENTS} end`;
    await client.query(`insert into rooms (room, born, head, last_at, kind, title, settings_seq)
      select 'room-' || r, '', ${events}, 1795500000000 + r, 'closed', 'Room ' || r, 1
      from generate_series(1, ${ROOMS}) r`);
    // By time and not by room, so that the rows of a room lie apart, as they do in use.
    await client.query(`insert into events (room, seq, kind, id, sender, at, line)
      select room, seq, kind, uuidv7(), sender, 1795500000000 + seq,
        json_build_object('t', kind, 'room', room, 'seq', seq, 'from', sender,
          'at', 1795500000000 + seq, 'body', json_build_object('text', repeat('hello ', 20)))::text
      from (
        select 'room-' || r as room, seq, case when seq % 8 = 0 then 'reacted' else 'msg' end as kind,
          'member-' || (r + seq) % ${MEMBERS} as sender
        from generate_series(1, ${ROOMS}) r, generate_series(1, ${events}) seq
      ) as e order by seq, room`);
    await client.query(`insert into members (room, member, role, seq, since_seq)
      select 'room-' || r, 'member-' || m, 'member', 1, 1
      from generate_series(1, ${ROOMS}) r, generate_series(0, ${MEMBERS - 1}) m`);
    await client.query(`insert into members (room, member, role, seq, since_seq, read_seq)
      select 'room-' || r, who, 'member', 1, 1, case when who = '${READER}' then ${OWN_EVENTS - 3} else 0 end
      from generate_series(1, ${OWN}) r, unnest(array['${READER}', '${ABSENT}']) as who`);
    await client.query(`insert into mentions (member, room, seq)
      select member, room, n from members, generate_series(2, 390, 40) n
      where member in ('${READER}', '${ABSENT}')`);
    await client.query("vacuum analyze");
  } finally {
    await client.end();
  }
}
