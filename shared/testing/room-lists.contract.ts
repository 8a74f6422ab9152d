// Room lists contract: unread counts, mentions, read positions and the search for rooms, in memory
// and on a real PostgreSQL.

import { expect } from "chai";
import type { ArchiveEvent } from "../ports/archive.ts";
import { encodeEvent } from "../protocol/events.ts";
import type { RoomEvent } from "../protocol/events.ts";
import type { RoomId, Seq, UserId } from "../protocol/ids.ts";
import { UNREAD_EVENTS_MAX, UNREAD_MAX } from "../protocol/limits.ts";
import type { ListedRoom, RoomsPage } from "../protocol/room-list.ts";
import { dev, event, events, general, idOf, valueOf } from "./archive.contract.ts";
import type { ArchiveUnderTest } from "./archive.contract.ts";

const T0 = 1_795_500_000_000;
const ada = "ada" as UserId;
const ben = "ben" as UserId;
const eve = "eve" as UserId;
const USERS = [ada, ben, eve];

type Draft = { readonly t: RoomEvent["t"]; readonly [key: string]: unknown };

function make(room: RoomId, seq: Seq, draft: Draft, sender = ben, at = T0 + seq): ArchiveEvent {
  const { t, ...rest } = draft;
  const head = { t, room, seq, id: idOf(seq), from: sender, at };
  const line = encodeEvent({ ...head, ...rest } as unknown as RoomEvent);
  return { room, seq, kind: t, id: idOf(seq), sender, at, line };
}

const member = (room: RoomId, seq: Seq, user: UserId, role = "member"): ArchiveEvent =>
  make(room, seq, { t: "member", user, role });
const say = (room: RoomId, seq: Seq, more: object = {}, sender = ben): ArchiveEvent =>
  make(room, seq, { t: "msg", body: { text: `hello ${seq}` }, ...more }, sender);

/** Writes each batch behind the one before, and reads the list of `ada`. */
function writer(archive: ArchiveUnderTest) {
  let to = 0;
  const list = async (user = ada, limit = 50, after?: string): Promise<RoomsPage> =>
    valueOf(await archive.other.rooms({ user, limit, ...(after !== undefined && { after }) }));
  return {
    list,
    write: async (...batch: readonly ArchiveEvent[]): Promise<void> => {
      const range = { p: 3, from: to, to: ++to, epoch: 1 };
      const outcome = await archive.store.write({ ...range, events: batch });
      expect(outcome.kind).to.equal("ok");
    },
    read: async (seq: Seq, user = ada, room: RoomId = general): Promise<void> => {
      valueOf(await archive.store.putReads([[room, user, seq]]));
    },
    /** [read, unread, mentions] of `general`. */
    counts: async (user = ada): Promise<number[] | undefined> => {
      const { rooms } = await list(user);
      const found = rooms.find(({ room }) => room === general);
      return found && [found.read, found.unread, found.mentions];
    },
  };
}

export function roomListsContract(name: string, open: () => Promise<ArchiveUnderTest>): void {
  describe(`Room lists contract: ${name}`, () => {
    describeLists(open);
    describeCounts(open);
    describeReads(open);
    describeFinds(open);
  });
}

function describeLists(open: () => Promise<ArchiveUnderTest>): void {
  it("U4: a list has the rooms whose member the user is, newest activity first, each with its last message", async () => {
    await using archive = await open();
    const { write, list } = writer(archive);
    await write(
      make(general, 1, { t: "room", kind: "closed", title: "Plans" }),
      member(general, 2, ada, "owner"),
      say(general, 3, { body: { text: "x".repeat(119) + "😀😀" } }),
      make(general, 4, { t: "reacted", target: 3, emoji: "👍", on: true }, ada),
      make(dev, 1, { t: "member", user: ada, role: "reader" }, ben, T0 + 9),
      event("nowhere" as RoomId, 1),
    );
    const text = "x".repeat(119) + "😀";
    const last = { seq: 3, from: ben, at: T0 + 3, text };
    const counts = { read: 0, unread: 0, mentions: 0 };
    const plans = { room: general, kind: "closed", title: "Plans", role: "owner", head: 4 };
    const expected: ListedRoom[] = [
      { room: dev, kind: "open", role: "reader", head: 1, at: T0 + 9, ...counts },
      { ...plans, at: T0 + 4, ...counts, unread: 1, last } as ListedRoom,
    ];
    expect(await list()).to.deep.equal({ rooms: expected });
    expect(await list(ben)).to.deep.equal({ rooms: [] });
    await write(make(general, 5, { t: "member", user: ada, role: "none", banned: true }));
    expect((await list()).rooms.map(({ room }) => room)).to.deep.equal([dev]);
  });

  it("U4: the last message shows the newest edit and is never a deleted one", async () => {
    await using archive = await open();
    const { write, list } = writer(archive);
    const lastNow = async () => (await list()).rooms[0]?.last?.text;
    await write(member(general, 1, ada), say(general, 2), say(general, 3));
    await write(make(general, 4, { t: "edited", target: 3, body: { text: "better" } }));
    expect(await lastNow()).to.equal("better");
    await write(make(general, 5, { t: "deleted", target: 3 }));
    expect(await lastNow()).to.equal("hello 2");
    await write(make(general, 6, { t: "deleted", target: 2 }));
    expect((await list()).rooms[0]).to.not.have.property("last");
  });

  it("U4: the last message has the names of its files, also after an edit", async () => {
    await using archive = await open();
    const { write, list } = writer(archive);
    const files = ["plan.pdf", "photo.png"];
    const attachments = files.map((name, i) => {
      return { id: idOf(100 + i), name, type: "image/png", bytes: 9 };
    });
    await write(member(general, 1, ada), make(general, 2, { t: "msg", body: {}, attachments }));
    expect((await list()).rooms[0]?.last).to.deep.include({ seq: 2, text: "", files });
    await write(make(general, 3, { t: "edited", target: 2, body: { text: "the plan" } }));
    expect((await list()).rooms[0]?.last).to.deep.include({ text: "the plan", files });
  });

  it("U5: pages follow each other by time and id", async () => {
    await using archive = await open();
    const { write, list } = writer(archive);
    const rooms = ["e", "a", "d", "b", "c"].map((room) => room as RoomId);
    await write(
      ...rooms.map((room, i) =>
        make(room, 1, { t: "member", user: ada, role: "member" }, ben, T0 + (i < 2 ? 1 : 2)),
      ),
    );
    const seen: RoomId[] = [];
    let after: string | undefined;
    do {
      const page = await list(ada, 2, after);
      seen.push(...page.rooms.map(({ room }) => room));
      after = page.next;
    } while (after !== undefined);
    expect(seen).to.deep.equal(["b", "c", "d", "a", "e"]);
  });
}

function describeCounts(open: () => Promise<ArchiveUnderTest>): void {
  it("U2: unread counts the messages of others behind the read position, no changes and no deleted ones", async () => {
    await using archive = await open();
    const { write, counts, read } = writer(archive);
    await write(
      say(general, 1),
      member(general, 2, ada),
      say(general, 3),
      say(general, 4, {}, ada),
    );
    expect(await counts()).to.deep.equal([0, 1, 0]); // Nothing from before the membership.
    await write(
      make(general, 5, { t: "edited", target: 3, body: { text: "x" } }),
      make(general, 6, { t: "reacted", target: 3, emoji: "👍", on: true }),
      say(general, 7, { thread: 3 }),
      say(general, 8),
    );
    expect(await counts()).to.deep.equal([0, 3, 0]);
    await read(3);
    expect(await counts()).to.deep.equal([3, 2, 0]);
    await write(make(general, 9, { t: "deleted", target: 8 }));
    expect(await counts()).to.deep.equal([3, 1, 0]);
  });

  it("U3: mentions counts the unread messages that name the user, or everyone", async () => {
    await using archive = await open();
    const { write, counts, read } = writer(archive);
    await write(member(general, 1, ada), member(general, 2, ben));
    const batch = [
      say(general, 3, { mentions: [ada, ada, "eve"] }),
      say(general, 4, { mentions: "@room" }),
      say(general, 5, { mentions: [ben] }),
      say(general, 6, { body: { mentions: [ada] } }),
      say(general, 7, { mentions: "@room" }, ada),
      say(general, 8, { mentions: [ada] }, ada),
    ];
    await write(...batch);
    expect(await counts()).to.deep.equal([0, 4, 2]);
    expect(await counts(ben)).to.deep.equal([0, 2, 1]);
    await write(...batch); // room-lists.1
    expect(await counts()).to.deep.equal([0, 4, 2]);
    await write(
      make(general, 9, { t: "deleted", target: 4 }),
      say(general, 10, { mentions: [ada] }),
    );
    expect(await counts()).to.deep.equal([0, 4, 2]);
    await read(3);
    expect(await counts()).to.deep.equal([3, 3, 1]);
    // Mentions beside a change of a member, which takes another statement.
    await write(member(general, 11, ada, "owner"), say(general, 12, { mentions: [ada] }));
    expect(await counts()).to.deep.equal([3, 4, 2]);
  });

  it("U9: an edit with mentions replaces those of its message, and one without leaves them", async () => {
    await using archive = await open();
    const { write, counts, read } = writer(archive);
    const edit = (seq: Seq, target: Seq, mentions?: unknown, sender = ben): ArchiveEvent =>
      make(general, seq, { t: "edited", target, body: { text: "x" }, mentions }, sender);
    await write(
      ...USERS.map((user, i) => member(general, i + 1, user)),
      say(general, 4, { mentions: [ada, eve] }),
      say(general, 5),
      say(general, 6, { mentions: "@room" }),
    );
    const both = async () => [await counts(), await counts(eve)].map((all) => all?.[2]);
    expect(await both()).to.deep.equal([2, 2]);
    const batch = [edit(7, 4, [ben, eve]), edit(8, 5, [ada]), edit(9, 5), edit(10, 5, [ada, "x"])];
    await write(...batch);
    expect(await both()).to.deep.equal([2, 2]);
    await write(edit(11, 6, [ada]), edit(12, 6, []));
    expect(await both()).to.deep.equal([1, 1]);
    await write(edit(13, 5, "@room"));
    expect(await both()).to.deep.equal([1, 2]);
    expect((await counts(ben))?.[2]).to.equal(0); // Its own messages.
    // Lines that come again bring no mention back.
    await write(say(general, 4, { mentions: [ada, eve] }), ...batch);
    expect(await both()).to.deep.equal([1, 2]);
    await read(5, eve);
    expect((await counts(eve))?.[2]).to.equal(0);
    await write(edit(14, 5, [eve]), edit(15, 4, ["\u0000"]), edit(16, 4, 7));
    expect(await both()).to.deep.equal([0, 0]);
    await write(make(general, 17, { t: "deleted", target: 6 }), edit(18, 4, [ada]));
    expect(await both()).to.deep.equal([1, 0]);
  });

  it("U9: a message and edits of it in one batch mention whom the last of them names", async () => {
    await using archive = await open();
    const { write, counts } = writer(archive);
    const edit = (seq: Seq, target: Seq, mentions: unknown): ArchiveEvent =>
      make(general, seq, { t: "edited", target, body: { text: "x" }, mentions });
    await write(
      ...USERS.map((user, i) => member(general, i + 1, user)),
      say(general, 4, { mentions: [ada] }),
      edit(5, 4, [eve]),
      say(general, 6, { mentions: [eve] }),
      edit(7, 6, [eve, ada]),
      edit(8, 6, [ada]),
    );
    expect([await counts(), await counts(eve)]).to.deep.equal([
      [0, 2, 1],
      [0, 2, 1],
    ]);
    const found = valueOf(await archive.store.messages(general, { limit: 5 }));
    const shown = found.lines.map((line) => (JSON.parse(line) as { mentions: unknown }).mentions);
    expect(shown).to.deep.equal([[eve], [ada]]);
    for (const [seq, mentions] of [
      [4, [eve]],
      [6, [ada]],
    ] as const) {
      const known = valueOf(await archive.store.lookup(3, general, ada, idOf(999), seq));
      expect(known.target?.message?.mentions).to.deep.equal(mentions);
    }
    await write(make(general, 9, { t: "deleted", target: 6 }));
    const [first, last] = valueOf(await archive.store.messages(general, { limit: 5 })).lines;
    expect(first).to.include(`"mentions":["eve"]`);
    expect(last).to.not.include("mentions");
    const erased = valueOf(await archive.store.lookup(3, general, ada, idOf(999), 6));
    expect(erased.target?.message)
      .to.include({ isDeleted: true })
      .and.not.have.property("mentions");
  });

  it("U2: both counts end at their bound, and only the newest events count", async () => {
    await using archive = await open();
    const { write, counts } = writer(archive);
    const many = Array.from({ length: UNREAD_MAX + 5 }, (_, i) =>
      say(general, 2 + i, { mentions: [ada] }),
    );
    await write(member(general, 1, ada), ...many);
    expect(await counts()).to.deep.equal([0, UNREAD_MAX, UNREAD_MAX]);
    const next = many.length + 2;
    const reactions = Array.from({ length: UNREAD_EVENTS_MAX - 1 }, (_, i) =>
      make(general, next + i, { t: "reacted", target: 2, emoji: "👍", on: true }),
    );
    await write(...reactions);
    expect(await counts()).to.deep.equal([0, 1, 1]);
  });

  for (const cuts of [[], [3], [2, 4], [1, 2, 3, 4, 5]]) {
    it(`U2: a member who came back counts from the return on, batches cut at ${cuts.join(", ")}`, async () => {
      await using archive = await open();
      const { write, counts } = writer(archive);
      const all = [
        member(general, 1, ada),
        member(general, 2, ada, "moderator"),
        member(general, 3, ada, "none"),
        member(general, 4, ada),
        member(general, 5, ada, "owner"),
        ...events(general, 6, 7, { from: ben }),
      ];
      const ends = [...cuts, all.length];
      for (const [i, end] of ends.entries()) await write(...all.slice(ends[i - 1] ?? 0, end));
      expect(await counts()).to.deep.equal([0, 2, 0]);
      const { rooms } = valueOf(await archive.other.rooms({ user: ada, limit: 5 }));
      expect(rooms[0]).to.include({ role: "owner", head: 7 });
      // The messages between the first line and the return do not count.
      await write(member(general, 8, ada, "none"), say(general, 9), member(general, 10, ada));
      expect(await counts()).to.deep.equal([0, 0, 0]);
      await write(member(general, 11, ada, "reader"), say(general, 12));
      expect(await counts()).to.deep.equal([0, 1, 0]);
    });
  }
}

function describeReads(open: () => Promise<ArchiveUnderTest>): void {
  it("U1: a read position only grows, and only a member has one", async () => {
    await using archive = await open();
    const { write, counts, read } = writer(archive);
    await write(member(general, 1, ada), ...events(general, 2, 6, { from: ben }));
    await read(4);
    await read(2);
    expect(await counts()).to.deep.equal([4, 2, 0]);
    const said = [5, 6, 3].map((seq) => [general, ada, seq] as const);
    const others = [
      [general, ben, 6],
      [general, ben, 7],
      [dev, ada, 1],
    ] as const;
    // room-lists.3: what the archive lacks can make a user a member.
    expect(valueOf(await archive.store.putReads([...said, ...others.slice(0, 1)]))).to.deep.equal(
      [],
    );
    expect(valueOf(await archive.store.putReads([...said, ...others.slice(1)]))).to.deep.equal(
      others.slice(1),
    );
    expect(await counts()).to.deep.equal([6, 0, 0]);
    expect(await counts(ben)).to.equal(undefined);
    await write(member(general, 7, ben), ...events(general, 8, 8, { from: ada }));
    expect(await counts(ben)).to.deep.equal([0, 1, 0]);
    await Promise.all([archive.store, archive.other].map((one) => one.putReads(said)));
    expect(await counts()).to.deep.equal([6, 0, 0]);
  });
}

function describeFinds(open: () => Promise<ArchiveUnderTest>): void {
  it("U7: a search finds open rooms by title and id, in the order of ids, without archived ones and bans", async () => {
    await using archive = await open();
    const { write } = writer(archive);
    const room = (id: string, more: object) => make(id as RoomId, 1, { t: "room", ...more });
    await write(
      room("alpha", { kind: "open", title: "Tea time", topic: "All about tea" }),
      room("beta-TEA", { kind: "open" }),
      room("gamma", { kind: "closed", title: "Secret tea" }),
      room("delta", { kind: "open", title: "Old tea", archived: true }),
      room("tea-4", { kind: "open", title: "Tea" }),
      event("tea-without-settings" as RoomId, 1),
      make("beta-TEA" as RoomId, 2, { t: "member", user: ada, role: "owner" }),
      make("tea-4" as RoomId, 2, { t: "member", user: ada, role: "none", banned: true }),
    );
    const find = async (text: string, limit = 5, after?: RoomId) =>
      valueOf(
        await archive.other.findRooms({
          user: ada,
          text,
          limit,
          ...(after !== undefined && { after }),
        }),
      );
    const alpha = { room: "alpha", title: "Tea time", topic: "All about tea", role: "member" };
    const beta = { room: "beta-TEA", role: "owner", head: 2, at: T0 + 2 };
    const all = [{ ...alpha, head: 1, at: T0 + 1 }, beta];
    expect(await find("tEa")).to.deep.equal({ rooms: all });
    expect(await find("tea", 1)).to.deep.equal({ rooms: all.slice(0, 1), next: "alpha" });
    expect(await find("tea", 1, "alpha" as RoomId)).to.deep.equal({ rooms: [beta] });
    expect(await find("")).to.deep.equal({ rooms: all });
    expect(await find("%")).to.deep.equal({ rooms: [] });
  });
}
