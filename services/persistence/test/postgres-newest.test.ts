// The counts of room uses and the look at kept pages on a real PostgreSQL, with the rights of a
// serving process.

import { expect } from "chai";
import { Client } from "pg";
import type { RoomId } from "#shared/protocol/ids.ts";
import { event, valueOf } from "#shared/testing/archive.contract.ts";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import type { PostgresServer } from "#shared/testing/launch-postgres.ts";
import { PostgresArchive } from "../adapters/archive-postgres.ts";
import { migrate } from "../adapters/migrate.ts";
import { STORED_MAX } from "../adapters/postgres-newest.ts";
import { HALF_LIFE_MS, RoomUses } from "../core/room-uses.ts";

const T0 = 1_795_500_000_000;
const room = (name: string): RoomId => name as RoomId;

describe("PostgresNewest", function () {
  this.timeout(60_000);
  let server: PostgresServer;
  let store: PostgresArchive;
  before(async () => {
    server = await launchPostgres({ embedded: true });
    await migrate({ url: server.url, serving: { name: "serving", password: "serving" } });
    const url = new URL(server.url);
    url.username = "serving";
    store = new PostgresArchive({ url: url.href });
  });
  after(async () => {
    await store.close();
    await server.stop();
  });

  it("WU3, room-uses.3: the scores of several processes add up, at any time and in any order", async () => {
    const processes = [new RoomUses(), new RoomUses()];
    const whole = new RoomUses();
    for (let i = 0; i < 40; i++) {
      const name = room(`r${i % 3}`);
      const at = T0 + (i % 3) * HALF_LIFE_MS * i;
      processes[i % 2]!.use(name, at);
      whole.use(name, at);
      if (i % 7 === 0) for (const uses of processes) valueOf(await store.addUses(uses.take(9)));
    }
    // Two at once, each with all rooms.
    const lists = processes.map((uses) => uses.take(9));
    for (const read of await Promise.all(lists.map((list) => store.addUses(list)))) valueOf(read);
    const stored = valueOf(await store.mostUsed(9));
    const expected = whole.take(9);
    expect(stored.map(([name]) => name)).to.deep.equal(expected.map(([name]) => name));
    for (const [i, [, score]] of stored.entries()) {
      expect(score).to.be.closeTo(expected[i]![1], 1e-6);
    }
    expect(valueOf(await store.mostUsed(1))).to.have.length(1);
  });

  it("WU4, postgres-newest.1: the table keeps a bounded number of rooms, those with the highest scores", async () => {
    const client = new Client({ connectionString: server.url });
    await client.connect();
    try {
      await client.query("truncate room_uses");
      await client.query(
        `insert into room_uses select 'low-' || n, n from generate_series(1, ${STORED_MAX + 100}) n`,
      );
      valueOf(await store.addUses([[room("high"), 1e6]]));
      const { rows } = await client.query<{ rooms: number; lowest: number }>(
        "select count(*)::int as rooms, min(score) as lowest from room_uses",
      );
      expect(rows).to.deep.equal([{ rooms: STORED_MAX + 1, lowest: 101 }]);
    } finally {
      await client.end();
    }
  });

  it("WU4: rooms with another head are named, also one that is gone", async () => {
    const events = [1, 2].map((seq) => event(room("a"), seq));
    const more = event(room("b"), 1);
    await store.write({ p: 0, from: 0, to: 1, epoch: 1, events: [...events, more] });
    const heads = [
      [room("a"), 1],
      [room("b"), 1],
      [room("gone"), 1],
    ] as const;
    expect(valueOf(await store.changedRooms(heads)).toSorted()).to.deep.equal(["a", "gone"]);
  });
});
