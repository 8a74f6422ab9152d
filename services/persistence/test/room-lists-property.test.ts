// Room lists: any history in any batches gives the same lists on PostgreSQL and in memory, at any
// read positions, also when batches are written again.

import { expect } from "chai";
import * as fc from "fast-check";
import { Pool } from "pg";
import { MemoryArchive } from "#shared/adapters/archive-memory.ts";
import type { ArchiveEvent } from "#shared/ports/archive.ts";
import type { RoomListStore } from "#shared/ports/room-lists.ts";
import type { Mentions, RoomEvent } from "#shared/protocol/events.ts";
import type { RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { UNREAD_EVENTS_MAX, UNREAD_MAX } from "#shared/protocol/limits.ts";
import type { ListedRoom } from "#shared/protocol/room-list.ts";
import { archived, idOf, valueOf } from "#shared/testing/archive.contract.ts";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import type { PostgresServer } from "#shared/testing/launch-postgres.ts";
import { PostgresArchive } from "../adapters/archive-postgres.ts";
import { migrate } from "../adapters/migrate.ts";
import { readRooms } from "../adapters/postgres-room-list.ts";

const USERS = ["ada", "ben", "cat"] as UserId[];

interface Draft {
  readonly kind: "msg" | "edited" | "deleted" | "reacted" | "member" | "many";
  readonly user: UserId;
  readonly back: number;
  readonly isIn: boolean;
  readonly mentions: Mentions | undefined;
}

const mentions = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  { weight: 3, arbitrary: fc.uniqueArray(fc.constantFrom(...USERS), { maxLength: 3 }) },
  fc.constant("@room" as const),
);
const draft: fc.Arbitrary<Draft> = fc.record({
  kind: fc.constantFrom(
    "msg",
    "msg",
    "msg",
    "msg",
    "edited",
    "deleted",
    "reacted",
    "member",
    "many",
  ),
  user: fc.constantFrom(...USERS),
  back: fc.integer({ min: 1, max: 12 }),
  isIn: fc.integer({ min: 0, max: 3 }).map((n) => n > 0),
  mentions,
});

const OF_ADA = { user: "ada" as UserId, isIn: true, mentions: undefined };
/** It reaches every bound, which few random histories do: more events and messages than count. */
const FULL: Draft[] = [
  { ...OF_ADA, kind: "msg", back: 1 },
  { ...OF_ADA, kind: "many", back: 1 },
  { ...OF_ADA, kind: "msg", back: 1 },
  { ...OF_ADA, kind: "many", back: 2 },
  { ...OF_ADA, kind: "many", back: 2 },
  { ...OF_ADA, kind: "msg", back: 1, mentions: "@room" },
];

/** What an owner could have decided. `many` fills the window of events that are counted. */
function eventsOf(room: RoomId, drafts: readonly Draft[]): ArchiveEvent[] {
  const messages: { seq: Seq; user: UserId }[] = [];
  const events: ArchiveEvent[] = [];
  const add = (user: UserId, content: object): Seq => {
    const seq = events.length + 1;
    const head = { room, seq, id: idOf(seq), from: user, at: 1_000 + seq };
    events.push(archived({ ...content, ...head } as RoomEvent));
    return seq;
  };
  for (const user of USERS) add(user, { t: "member", user, role: "member" });
  for (const { kind, user, back, isIn, mentions: named } of drafts) {
    const message = messages.at(-back);
    const body = { text: `text ${events.length + 1}` };
    const plain = (): void => {
      messages.push({ user, seq: add(user, { t: "msg", body, mentions: named }) });
    };
    if (kind === "member") add(user, { t: kind, user, role: isIn ? "member" : "none" });
    else if (kind === "msg" || message === undefined) plain();
    else if (kind === "many") {
      const isLong = back === 1;
      for (let n = 0; n < (isLong ? UNREAD_EVENTS_MAX - 20 : UNREAD_MAX - 10); n++) {
        if (isLong) add(user, { t: "reacted", target: message.seq, emoji: "👍", on: true });
        else plain();
      }
    } else if (kind === "edited") {
      add(message.user, { t: kind, target: message.seq, body, mentions: named });
    } else if (kind === "deleted") {
      messages.splice(messages.indexOf(message), 1);
      add(message.user, { t: kind, target: message.seq });
    } else add(user, { t: kind, target: message.seq, emoji: "👍", on: isIn });
  }
  return events;
}

describe("Room lists, on PostgreSQL and in memory", function () {
  let server: PostgresServer;
  let postgres: PostgresArchive;
  let p = 0;

  before(async function () {
    this.timeout(60_000);
    server = await launchPostgres();
    await migrate({ url: server.url });
    postgres = new PostgresArchive({ url: server.url });
  });
  after(async () => {
    await postgres.close();
    await server.stop();
  });

  it("U2, U3, U4, U9: give the same for any history, cut into any batches, of which some are written twice", async function () {
    this.timeout(240_000);
    const reached = { capped: 0, mentioned: 0, cut: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.array(draft, { minLength: 1, maxLength: 60, size: "max" }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 60, maxLength: 60 }),
        fc.array(fc.nat({ max: 6 }), { minLength: 60, maxLength: 60 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }),
        async (drafts, sizes, agains, parts) => {
          const room = `room-${++p}` as RoomId;
          const memory = new MemoryArchive();
          const events = eventsOf(room, drafts);
          let [at, from] = [0, 0];
          for (let n = 0; at < events.length; n++) {
            const first = Math.max(0, at - (agains[n] === 0 ? 5 : 0)); // Some come again.
            const end = n === 59 ? events.length : at + (sizes[n] ?? 1);
            const batch = { p, from, to: ++from, epoch: 1, events: events.slice(first, end) };
            for (const store of [memory, postgres]) {
              expect(await store.write(batch)).to.deep.equal({ kind: "ok", quarantined: 0 });
            }
            at = end;
          }
          const reads = USERS.map((user, i) => {
            return [room, user, Math.floor((parts[i] ?? 0) * events.length)] as const;
          });
          for (const user of USERS) {
            const listed = async (store: RoomListStore): Promise<ListedRoom | undefined> => {
              const { rooms } = valueOf(await store.rooms({ user, limit: 200 }));
              return rooms.find((one) => one.room === room);
            };
            for (const said of [[], reads]) {
              for (const store of [memory, postgres]) valueOf(await store.putReads(said));
              const shown = await listed(postgres);
              expect(shown, `${user} in ${room}`).to.deep.equal(await listed(memory));
              if (shown?.unread === UNREAD_MAX) reached.capped++;
              if ((shown?.mentions ?? 0) > 0) reached.mentioned++;
              if ((shown?.head ?? 0) > UNREAD_EVENTS_MAX) reached.cut++;
            }
          }
        },
      ),
      {
        numRuns: Number(process.env["RUNS"] ?? 12),
        endOnFailure: true,
        examples: [[FULL, Array(60).fill(40), Array(60).fill(1), [0, 0, 0]]],
      },
    );
    for (const [what, count] of Object.entries(reached)) expect(count, what).to.be.above(0);
  });

  it("postgres-room-list.3: PostgreSQL keeps one plan, also for a user with few rooms among users with many", async () => {
    await using pool = open(server.url);
    await pool.query(`insert into rooms (room, head, last_at)
      select 'full-' || n, 1, n from generate_series(1, 2000) n`);
    await pool.query(`insert into members (room, member, role, seq)
      select 'full-' || n, 'busy-' || m, 'member', 1
      from generate_series(1, 2000) n, generate_series(1, 5) m`);
    await pool.query(`insert into members (room, member, role, seq)
      values ('full-1', 'calm', 'member', 1)`);
    await pool.query("analyze members, rooms");
    for (let n = 0; n < 8; n++) {
      expect((await readRooms(pool, { user: "calm" as UserId, limit: 50 })).rooms).to.have.length(
        1,
      );
    }
    const { rows } = await pool.query<{ kept: string }>(
      "select generic_plans as kept from pg_prepared_statements where name = 'room-list'",
    );
    expect(rows).to.deep.equal([{ kept: "3" }]);
  });
});

function open(url: string): Pool & AsyncDisposable {
  const pool = new Pool({ connectionString: url, max: 1 });
  pool.on("error", () => {}); // The server can end before the socket of an ended connection.
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.end() });
}
