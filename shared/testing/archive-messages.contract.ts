// Archive contract, third part: messages that change, and the erasure of deleted ones (archive.8,
// archive.9).

import { expect } from "chai";
import { SCAN_MAX } from "../kit/message-view.ts";
import type { ArchiveEvent } from "../ports/archive.ts";
import { encodeEvent } from "../protocol/events.ts";
import type { RoomEvent } from "../protocol/events.ts";
import type { MessagesPage, MessagesQuery } from "../protocol/history.ts";
import type { Seq, UserId } from "../protocol/ids.ts";
import { event, events, general, idOf, valueOf } from "./archive.contract.ts";
import type { ArchiveUnderTest } from "./archive.contract.ts";

const T0 = 1_795_500_000_000;
const ada = "ada" as UserId;
const ben = "ben" as UserId;
const mallory = "mallory" as UserId;

type Draft = { readonly t: RoomEvent["t"]; readonly [key: string]: unknown };

function change(seq: Seq, draft: Draft, sender = ada): ArchiveEvent {
  const { t, ...rest } = draft;
  const head = { t, room: general, seq, id: idOf(seq), from: sender, at: T0 + seq };
  const line = encodeEvent({ ...head, ...rest } as unknown as RoomEvent);
  return { room: general, seq, kind: t, id: idOf(seq), sender, at: T0 + seq, line };
}

const edit = (seq: Seq, target: Seq, text: string): ArchiveEvent =>
  change(seq, { t: "edited", target, body: { text } });
const remove = (seq: Seq, target: Seq, sender = ada): ArchiveEvent =>
  change(seq, { t: "deleted", target }, sender);
const react = (seq: Seq, target: Seq, emoji: string, on: boolean, sender = ada): ArchiveEvent =>
  change(seq, { t: "reacted", target, emoji, on }, sender);
const pin = (seq: Seq, target: Seq, on: boolean): ArchiveEvent =>
  change(seq, { t: "pinned", target, on });
const reply = (seq: Seq, thread: Seq): ArchiveEvent =>
  change(seq, { t: "msg", body: { text: `reply ${seq}` }, thread });

interface Shown {
  readonly seq: Seq;
  readonly body: { readonly text?: string };
  readonly deleted?: object;
  readonly state?: object;
}

const shown = (page: MessagesPage): Shown[] => page.lines.map((line) => JSON.parse(line) as Shown);
const briefly = (page: MessagesPage): string[] =>
  shown(page).map(({ seq, body, state, deleted }) =>
    [seq, body.text ?? "-", ...(deleted ? ["deleted"] : []), state ? JSON.stringify(state) : ""]
      .join(" ")
      .trim(),
  );

export function archiveMessagesContract(name: string, open: () => Promise<ArchiveUnderTest>): void {
  describe(`Archive contract, messages that change: ${name}`, () => {
    describeFolds(open);
    describePages(open);
    describeErasure(open);
  });
}

/** Writes each batch behind the one before, and reads pages of `general`. */
function writer(archive: ArchiveUnderTest) {
  let to = 0;
  return {
    write: async (batch: readonly ArchiveEvent[]) => {
      const outcome = await archive.store.write({
        p: 3,
        from: to,
        to: to + 1,
        epoch: 1,
        events: batch,
      });
      to++;
      return outcome;
    },
    page: async (query: Partial<MessagesQuery> = {}) =>
      valueOf(await archive.other.messages(general, { limit: 50, ...query })),
  };
}

function describeFolds(open: () => Promise<ArchiveUnderTest>): void {
  it("C5: a page of messages has each message with its newest body and its state, and no change as a message", async () => {
    await using archive = await open();
    const { write, page } = writer(archive);
    await write(events(general, 1, 3));
    expect(briefly(await page())).to.deep.equal(["1 hello 1", "2 hello 2", "3 hello 3"]);
    await write([edit(4, 2, "better"), react(5, 2, "👍", true), react(6, 2, ":ok:", true, ben)]);
    await write([edit(7, 2, "best"), react(8, 2, "👍", true, ben), pin(9, 3, true)]);
    const reactions = [
      { emoji: "👍", count: 2, users: ["ada", "ben"] },
      { emoji: ":ok:", count: 1, users: ["ben"] },
    ];
    const edited = { seq: 7, at: T0 + 7 };
    expect(shown(await page()).map(({ state }) => state)).to.deep.equal([
      undefined,
      { edited, reactions },
      { pinned: 9 },
    ]);
    expect(shown(await page())[1]?.body).to.deep.equal({ text: "best" });
    await write([react(10, 2, "👍", false), pin(11, 3, false), react(12, 2, ":ok:", false, ben)]);
    expect(shown(await page()).map(({ state }) => state)).to.deep.equal([
      undefined,
      { edited, reactions: [{ emoji: "👍", count: 1, users: ["ben"] }] },
      undefined,
    ]);
    expect(await page()).to.include({ head: 12, first: 1, last: 12, more: false });
  });

  it("C5: a thread has its replies, its root the count, and the main line no reply", async () => {
    await using archive = await open();
    const { write, page } = writer(archive);
    await write([event(general, 1), reply(2, 1), event(general, 3), reply(4, 1), reply(5, 3)]);
    expect(briefly(await page())).to.deep.equal([
      '1 hello 1 {"replies":2,"lastReply":4}',
      '3 hello 3 {"replies":1,"lastReply":5}',
    ]);
    expect(briefly(await page({ thread: 1 }))).to.deep.equal(["2 reply 2", "4 reply 4"]);
    await write([remove(6, 4)]);
    expect(briefly(await page({ limit: 1, before: 3 }))).to.deep.equal([
      '1 hello 1 {"replies":1,"lastReply":4}',
    ]);
    expect(briefly(await page({ thread: 1 }))).to.deep.equal(["2 reply 2", "4 - deleted"]);
  });

  it("C5: a fold that arrives twice counts once, also beside events that are new", async () => {
    await using archive = await open();
    const { write, page } = writer(archive);
    const first = [event(general, 1), reply(2, 1), edit(3, 1, "better"), react(4, 1, "👍", true)];
    await write(first);
    const before = await page();
    await write(first);
    expect(await page()).to.deep.equal(before);
    await write([...first, reply(5, 1)]);
    expect(shown(await page())[0]?.state).to.deep.include({ replies: 2, lastReply: 5 });
  });
}

function describePages(open: () => Promise<ArchiveUnderTest>): void {
  it("C7: pages go both ways, name the numbers that they cover, and end at the limit", async () => {
    await using archive = await open();
    const { write, page } = writer(archive);
    await write([...events(general, 1, 6), react(7, 1, "👍", true), ...events(general, 8, 9)]);
    const seqs = (of: MessagesPage): Seq[] => shown(of).map(({ seq }) => seq);
    const newest = await page({ limit: 3 });
    expect(seqs(newest)).to.deep.equal([6, 8, 9]);
    expect(newest).to.include({ first: 6, last: 9, more: true, head: 9 });
    const older = await page({ limit: 3, before: newest.first });
    expect(seqs(older)).to.deep.equal([3, 4, 5]);
    const oldest = await page({ limit: 3, before: older.first });
    expect(seqs(oldest)).to.deep.equal([1, 2]);
    expect(oldest).to.include({ first: 1, last: 2, more: false });
    const after = await page({ limit: 2, after: 5 });
    expect(seqs(after)).to.deep.equal([6, 8]);
    expect(after).to.include({ first: 6, last: 8, more: true });
    expect(await page({ limit: 2, after: 8 })).to.include({ first: 9, last: 9, more: false });
    expect(await page({ limit: 2, after: 99 })).to.deep.include({ lines: [], more: false });
    const none = { lines: [], first: 1, last: 0, more: false };
    expect(await page({ limit: 2, before: 0 })).to.deep.include(none);
    const absent = valueOf(await archive.other.messages("nowhere" as typeof general, { limit: 2 }));
    expect(absent).to.deep.include({ lines: [], head: 0, more: false });
  });

  it("C7: pins and threads are pages, too", async () => {
    await using archive = await open();
    const { write, page } = writer(archive);
    await write([...events(general, 1, 4), pin(5, 1, true), pin(6, 3, true), pin(7, 4, true)]);
    await write([remove(8, 4), reply(9, 2), reply(10, 2), reply(11, 2)]);
    const seqs = (of: MessagesPage): Seq[] => shown(of).map(({ seq }) => seq);
    expect(seqs(await page({ pinned: true }))).to.deep.equal([1, 3]);
    const one = await page({ pinned: true, limit: 1 });
    expect([seqs(one), one.first, one.more]).to.deep.equal([[3], 3, true]);
    expect(seqs(await page({ pinned: true, limit: 1, before: one.first }))).to.deep.equal([1]);
    const replies = await page({ thread: 2, limit: 2, after: 0 });
    expect([seqs(replies), replies.last, replies.more]).to.deep.equal([[9, 10], 10, true]);
    expect(seqs(await page({ thread: 2, limit: 2, after: 10 }))).to.deep.equal([11]);
  });

  it("C7: a page reads a bounded number of events, and can be empty and have more", async () => {
    await using archive = await open();
    const { write, page } = writer(archive);
    await write([event(general, 1)]);
    const many = Array.from({ length: SCAN_MAX }, (_, i) => react(2 + i, 1, "👍", i % 2 === 0));
    await write(many.slice(0, 1_000));
    await write(many.slice(1_000));
    const newest = await page();
    expect(newest).to.deep.include({ lines: [], first: 2, more: true });
    expect(briefly(await page({ before: newest.first }))).to.deep.equal(["1 hello 1"]);
  });
}

function describeErasure(open: () => Promise<ArchiveUnderTest>): void {
  const allText = async (archive: ArchiveUnderTest): Promise<string> => {
    const { other } = archive;
    const range = valueOf(await other.range(general, 1, 50));
    const { tail } = valueOf(await other.snapshot(3, general, 0));
    const page = valueOf(await other.messages(general, { limit: 50 }));
    return JSON.stringify([range, tail, page, await archive.quarantine()]);
  };

  for (const [name, split] of [
    ["in one batch", 9],
    ["in a later batch", 4],
  ] as const) {
    it(`C6: a deletion ${name} erases the message and its edits from every read`, async () => {
      await using archive = await open();
      const { write, page } = writer(archive);
      const all = [
        event(general, 1, { text: "secret one" }),
        event(general, 2, { text: "public" }),
        edit(3, 1, "secret two"),
        edit(4, 1, "secret three"),
        remove(5, 1, ben),
      ];
      await write(all.slice(0, split));
      if (split < 5) expect(await allText(archive)).to.include("secret three");
      await write(all.slice(split));
      expect(await allText(archive)).to.include("public");
      expect(await allText(archive)).to.not.include("secret");
      const deleted = { by: ben, at: T0 + 5, seq: 5 };
      expect(shown(await page())[0]).to.deep.include({ seq: 1, id: idOf(1), body: {}, deleted });
      const { lines } = valueOf(await archive.other.range(general, 3, 3));
      expect(JSON.parse(lines[0]!)).to.deep.include({ t: "edited", target: 1, body: {}, deleted });
      // archive.9: the text does not come back, and is no reason for quarantine.
      expect(await write(all)).to.deep.equal({ kind: "ok", quarantined: 0 });
      expect(await write(all.slice(0, 1))).to.deep.equal({ kind: "ok", quarantined: 0 });
      expect(await allText(archive)).to.not.include("secret");
    });
  }

  it("C6: a deletion erases a message in quarantine", async () => {
    await using archive = await open();
    const { write } = writer(archive);
    await archive.refuse(mallory);
    const lost = event(general, 1, { from: mallory, text: "secret" });
    expect(await write([lost, event(general, 2)])).to.deep.equal({ kind: "ok", quarantined: 1 });
    expect(await allText(archive)).to.include("secret");
    await write([remove(3, 1)]);
    expect(await allText(archive)).to.not.include("secret");
  });

  it("C4: a look-up says of a target who sent it, its thread, and whether it was deleted", async () => {
    await using archive = await open();
    const { write } = writer(archive);
    await write([event(general, 1), reply(2, 1), edit(3, 1, "x"), remove(4, 2)]);
    const ask = async (target: Seq) =>
      valueOf(await archive.other.lookup(3, general, ada, idOf(99), target)).target;
    expect(await ask(1)).to.deep.equal({ seq: 1, message: { from: ada, at: T0 + 1 } });
    expect(await ask(2)).to.deep.equal({
      seq: 2,
      message: { from: ada, at: T0 + 2, thread: 1, isDeleted: true },
    });
    expect(await ask(3)).to.deep.equal({ seq: 3 });
    expect(await ask(9)).to.deep.equal({ seq: 9 });
  });
}
