// The search on a real PostgreSQL, with the rights of a serving process only: its contract, and the
// index behind it.

import { expect } from "chai";
import { Client } from "pg";
import { valueOf } from "#shared/testing/archive.contract.ts";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import type { PostgresServer } from "#shared/testing/launch-postgres.ts";
import { make, say, searchContract, searcher } from "#shared/testing/search.contract.ts";
import type { SearchUnderTest } from "#shared/testing/search.contract.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { PostgresArchive } from "../adapters/archive-postgres.ts";
import { migrate } from "../adapters/migrate.ts";
import { TARGETS_MAX, TRANSACTION_BYTES } from "../adapters/postgres-search-index.ts";

/** Roles belong to a whole server, which is not always ours (DATABASE_URL). */
const SERVING = { name: `parley_search_${process.pid}`, password: "serving" };
const general = "general" as RoomId;
const ada = "ada" as UserId;
const CREATED = [
  make(general, 1, { t: "room", kind: "closed" }),
  make(general, 2, { t: "member", user: ada, role: "owner" }),
];

/** Indexes as the runner does, until no room is behind. */
async function indexAll(archive: PostgresArchive): Promise<number> {
  for (let events = 0; ;) {
    const { rooms } = valueOf(await archive.roomsBehind({ after: "", most: 1_000 }));
    if (rooms.length === 0) return events;
    const indexed = valueOf(await archive.indexRooms(rooms.map(({ room }) => room)));
    events += indexed.reduce((sum, room) => sum + room.events, 0);
  }
}

interface Opened extends SearchUnderTest {
  readonly store: PostgresArchive;
}

describe("Search on PostgreSQL", () => {
  let server: PostgresServer;
  let admin: Client;
  let url: string;

  before(async function () {
    this.timeout(60_000);
    server = await launchPostgres();
    admin = new Client({ connectionString: server.url });
    await admin.connect();
    const whole = new URL(server.url);
    whole.username = SERVING.name;
    whole.password = SERVING.password;
    url = whole.href;
    await migrate({ url: server.url, serving: SERVING });
  });

  after(async () => {
    await admin.query(`drop owned by ${SERVING.name}`);
    await admin.query(`drop role ${SERVING.name}`);
    await admin.end();
    await server.stop();
  });

  beforeEach(() =>
    admin.query("truncate search, search_rooms, events, rooms, members, watermarks, message_state"),
  );

  const open = (searchLanguage = "simple"): Promise<Opened> => {
    const store = new PostgresArchive({ url, searchLanguage });
    return Promise.resolve({
      store,
      indexed: async () => void (await indexAll(store)),
      [Symbol.asyncDispose]: () => store.close(),
    });
  };
  searchContract("PostgreSQL", () => open());
  searchContract("PostgreSQL, with a language", () => open("english"));

  it("Q2: the stems of the language of the cluster are found, and words as they stand", async () => {
    await using archive = await open("german");
    const { write, find, places } = searcher(archive);
    await write(
      ...CREATED,
      say(general, 3, "Die Häuser in Zürich"),
      say(general, 4, "Unser Haus brennt"),
      say(general, 5, "Der Tee"),
    );
    expect(await places("Haus")).to.deep.equal(["general#4", "general#3"]);
    expect(await places("häuser")).to.deep.equal(["general#4", "general#3"]);
    expect(await places('"unser haus"')).to.deep.equal(["general#4"]);
    expect(await places("Haus -brennt")).to.deep.equal(["general#3"]);
    expect(await places("die")).to.deep.equal(["general#3"]);
    const [, older] = (await find("Haus")).messages;
    expect(older?.highlights).to.deep.equal([[4, 10]]);
    await archive.store.requireLanguage();
    await using other = await open("klingon");
    await other.store.requireLanguage().then(
      () => expect.fail("it knows Klingon"),
      (error: Error) => expect(error.message).to.contain("klingon"),
    );
  });

  it("Q6: the index is made again after its numbers are removed, and brings no deleted text back", async () => {
    await using archive = await open();
    const { write, places } = searcher(archive);
    await write(
      ...CREATED,
      say(general, 3, "green tea"),
      say(general, 4, "black tea"),
      make(general, 5, { t: "edited", target: 3, body: { text: "green milk" } }),
      make(general, 6, { t: "deleted", target: 4 }),
    );
    const rows = async (): Promise<unknown[]> =>
      (await admin.query("select room, seq, tsv::text from search order by room, seq")).rows;
    const before = await rows();
    expect(before).to.have.length(1);
    await admin.query("delete from search_rooms");
    expect(await indexAll(archive.store)).to.equal(6);
    expect(await rows()).to.deep.equal(before);
    await admin.query("truncate search, search_rooms");
    expect(await indexAll(archive.store)).to.equal(6);
    expect(await rows()).to.deep.equal(before);
    expect(await places("tea")).to.deep.equal([]);
    expect(await places("milk")).to.deep.equal(["general#3"]);
    // Another language counts as no index.
    await using german = await open("german");
    expect(await indexAll(german.store)).to.equal(6);
    expect(await indexAll(german.store)).to.equal(0);
  });

  it("Q6: two indexers of one room index each event once, and never an older text", async () => {
    await using archive = await open();
    await using other = await open();
    const { write, places } = searcher({ ...archive, indexed: () => Promise.resolve() });
    const edits = Array.from({ length: 60 }, (_, i) =>
      make(general, i + 4, { t: "edited", target: 3, body: { text: `text ${i}` } }),
    );
    await write(...CREATED, say(general, 3, "green tea"), ...edits);
    const turns = await Promise.all([1, 2].map(() => archive.store.indexRooms([general])));
    const more = await other.store.indexRooms([general]);
    const events = [...turns, more].flatMap((read) => valueOf(read).map((room) => room.events));
    expect(events.toSorted((a, b) => a - b)).to.deep.equal([0, 0, 63]);
    expect(await places("text 59")).to.deep.equal(["general#3"]);
    expect(await places("tea")).to.deep.equal([]);
  });

  it("Q6: a transaction of the index has bounded bytes, and the rest of a room follows", async () => {
    await using archive = await open();
    const { write, places } = searcher({ ...archive, indexed: () => Promise.resolve() });
    const other = "other" as RoomId;
    const long = "tea ".repeat(4_000);
    const messages = 300;
    for (let n = 0; n < messages; n += 100) {
      await write(
        ...(n === 0 ? [...CREATED, make(other, 1, { t: "room", kind: "open" })] : []),
        ...Array.from({ length: 100 }, (_, i) => say(general, n + i + 3, `m${n + i} ${long}`)),
      );
    }
    await write(say(other, 2, "one more"));
    const turn = async () => valueOf(await archive.store.indexRooms([general, other]));
    const [first, whole] = await turn();
    const bytes = (first?.events ?? 0) * long.length;
    expect(bytes).to.be.within(TRANSACTION_BYTES / 4, TRANSACTION_BYTES);
    expect(first).to.include({ room: general, to: first?.events, head: messages + 2 });
    expect(whole).to.include({ room: other, to: 2, head: 2, events: 2 });
    expect(await indexAll(archive.store)).to.equal(messages + 2 - (first?.events ?? 0));
    expect(await places(`m${messages - 1}`)).to.deep.equal([`general#${messages + 2}`]);
    // Each of these edits names a message that no event of its transaction has.
    for (let n = 0; n < messages; n += 100) {
      const edits = Array.from({ length: 100 }, (_, i) =>
        make(general, messages + n + i + 3, {
          t: "edited",
          target: n + i + 3,
          body: { text: `e${n + i}` },
        }),
      );
      await write(...edits);
    }
    expect(await indexAll(archive.store)).to.equal(messages);
    for (const n of [0, TARGETS_MAX - 1, TARGETS_MAX, messages - 1]) {
      expect(await places(`e${n}`)).to.deep.equal([`general#${n + 3}`]);
    }
  });

  it("Q4: a deleted message is left out although the index still has it", async () => {
    await using archive = await open();
    const { write, places } = searcher(archive);
    await write(...CREATED, say(general, 3, "green tea"));
    const behind = searcher({ ...archive, indexed: () => Promise.resolve() });
    await archive.store.write({
      p: 3,
      from: 1,
      to: 2,
      epoch: 1,
      events: [make(general, 4, { t: "deleted", target: 3 })],
    });
    expect(await behind.places("tea")).to.deep.equal([]);
    const { rowCount } = await admin.query("select from search");
    expect(rowCount).to.equal(1);
    expect(await places("tea")).to.deep.equal([]);
  });
});
