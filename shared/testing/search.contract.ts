// Search contract: what a search for messages finds, in memory and on a real PostgreSQL.

import { expect } from "chai";
import type { ArchiveEvent, ArchiveStore } from "../ports/archive.ts";
import type { SearchStore } from "../ports/search.ts";
import { encodeEvent } from "../protocol/events.ts";
import type { RoomEvent } from "../protocol/events.ts";
import type { RoomId, Seq, UserId } from "../protocol/ids.ts";
import type { FoundMessages, SearchQuery } from "../protocol/search.ts";
import { dev, general, idOf, valueOf } from "./archive.contract.ts";

const T0 = 1_795_500_000_000;
const ada = "ada" as UserId;
const ben = "ben" as UserId;

export interface SearchUnderTest extends AsyncDisposable {
  readonly store: Pick<ArchiveStore, "write"> & SearchStore;
  /** Resolves when the index has everything that was written. */
  indexed(): Promise<void>;
}

type Draft = { readonly t: RoomEvent["t"]; readonly [key: string]: unknown };

export function make(
  room: RoomId,
  seq: Seq,
  draft: Draft,
  sender = ben,
  at = T0 + seq,
): ArchiveEvent {
  const { t, ...rest } = draft;
  const head = { t, room, seq, id: idOf(seq), from: sender, at };
  const line = encodeEvent({ ...head, ...rest } as unknown as RoomEvent);
  return { room, seq, kind: t, id: idOf(seq), sender, at, line };
}

export const say = (room: RoomId, seq: Seq, text: string, more: object = {}, sender = ben) =>
  make(room, seq, { t: "msg", body: { text }, ...more }, sender);

/** Writes each batch behind the one before, and searches as `ada`. */
export function searcher(archive: SearchUnderTest) {
  let to = 0;
  const find = async (text: string, more: Partial<SearchQuery> = {}): Promise<FoundMessages> => {
    const query = { user: ada, text, order: "newest", limit: 20, ...more } as const;
    return valueOf(await archive.store.search(query));
  };
  return {
    find,
    write: async (...batch: readonly ArchiveEvent[]): Promise<void> => {
      const range = { p: 3, from: to, to: ++to, epoch: 1 };
      const outcome = await archive.store.write({ ...range, events: batch });
      expect(outcome.kind).to.equal("ok");
      await archive.indexed();
    },
    /** `room#seq` of each message. */
    places: async (text: string, more: Partial<SearchQuery> = {}): Promise<string[]> => {
      const { messages } = await find(text, more);
      return messages.map(({ room, seq }) => `${room}#${seq}`);
    },
  };
}

export function searchContract(name: string, open: () => Promise<SearchUnderTest>): void {
  describe(`Search contract: ${name}`, () => {
    describeWords(open);
    describeRights(open);
    describeChanges(open);
    describePages(open);
  });
}

/** `general` has ada as its owner. */
const created = (kind = "closed"): ArchiveEvent[] => [
  make(general, 1, { t: "room", kind }),
  make(general, 2, { t: "member", user: ada, role: "owner" }),
];

function describeWords(open: () => Promise<SearchUnderTest>): void {
  it("Q1: finds the messages with all words, newest first, with the words as ranges of an excerpt", async () => {
    await using archive = await open();
    const { write, find, places } = searcher(archive);
    const long = `${"x ".repeat(200)}green tea ${"y ".repeat(200)}`;
    await write(
      ...created(),
      say(general, 3, "Green TEA, please"),
      say(general, 4, "black tea", { thread: 3 }),
      say(general, 5, long, {}, ada),
      say(general, 6, "café 😀 tea-time"),
    );
    expect(await places("tea green")).to.deep.equal(["general#5", "general#3"]);
    expect(await places("tea")).to.deep.equal([6, 5, 4, 3].map((n) => `general#${n}`));
    expect(await places("teapot")).to.deep.equal([]);
    const { messages } = await find("black");
    const found = { room: general, seq: 4, from: ben, at: T0 + 4, thread: 3, text: "black tea" };
    expect(messages).to.deep.equal([{ ...found, highlights: [[0, 5]] }]);
    const [cut] = (await find("green", { from: ada })).messages;
    expect(cut?.cut).to.equal(true);
    expect(cut?.text).to.have.length(240);
    const [[start, end] = [0, 0]] = cut?.highlights ?? [];
    expect(cut?.text.slice(start, end)).to.equal("green");
  });

  it("Q1: phrases, begins and excluded words; signs are no syntax error", async () => {
    await using archive = await open();
    const { write, places } = searcher(archive);
    await write(
      ...created(),
      say(general, 3, "green tea"),
      say(general, 4, "tea, green"),
      say(general, 5, "the greenhouse"),
    );
    expect(await places('"green tea"')).to.deep.equal(["general#3"]);
    expect(await places("green*")).to.deep.equal([5, 4, 3].map((n) => `general#${n}`));
    expect(await places("green -house -greenhouse")).to.deep.equal(["general#4", "general#3"]);
    expect(await places('tea "green')).to.deep.equal(["general#4", "general#3"]);
    expect(await places("-tea")).to.deep.equal([]);
    for (const text of ["", "'", "!&|<->():*", "\\ ' :*", "'tea", "tea & !green | (", "tea\\"]) {
      expect((await places(text)).length, text).to.be.at.most(2);
    }
  });

  it("Q2: finds Chinese and Japanese words within sentences, and single characters", async () => {
    await using archive = await open();
    const { write, find, places } = searcher(archive);
    await write(
      ...created(),
      say(general, 3, "我们明天去喝绿茶吧"),
      say(general, 4, "茶叶很绿"),
      say(general, 5, "用iPhone手机打电话"),
      say(general, 6, "お茶をください"),
    );
    expect(await places("绿茶")).to.deep.equal(["general#3"]);
    expect(await places("喝绿茶")).to.deep.equal(["general#3"]);
    expect(await places("茶")).to.deep.equal([6, 4, 3].map((n) => `general#${n}`));
    expect(await places("绿")).to.deep.equal(["general#4", "general#3"]);
    expect(await places("iphone 手机")).to.deep.equal(["general#5"]);
    expect(await places("ください")).to.deep.equal(["general#6"]);
    const [message] = (await find("喝绿茶")).messages;
    expect(message?.highlights).to.deep.equal([[5, 8]]);
  });

  it("Q1: from, has, before and after narrow a search, also without words", async () => {
    await using archive = await open();
    const { write, places } = searcher(archive);
    await write(
      ...created(),
      say(general, 3, "tea at https://example.org/menu"),
      say(general, 4, "tea for @ada", { mentions: [ada] }),
      say(general, 5, "tea", {}, ada),
    );
    expect(await places("tea", { from: ada })).to.deep.equal(["general#5"]);
    expect(await places("", { from: ada })).to.deep.equal(["general#5"]);
    expect(await places("", { has: "link" })).to.deep.equal(["general#3"]);
    expect(await places("tea", { has: "mention" })).to.deep.equal(["general#4"]);
    await write(
      make(general, 6, { t: "edited", target: 4, body: { text: "tea" }, mentions: [] }),
      make(general, 7, { t: "edited", target: 5, body: { text: "tea" }, mentions: [ben] }, ada),
    );
    expect(await places("tea", { has: "mention" })).to.deep.equal(["general#5"]);
    await write(make(general, 8, { t: "edited", target: 5, body: { text: "tea two" } }, ada));
    expect(await places("tea", { has: "mention" })).to.deep.equal(["general#5"]);
    expect(await places("tea", { before: T0 + 5 })).to.deep.equal(["general#4", "general#3"]);
    expect(await places("tea", { after: T0 + 3, before: T0 + 5 })).to.deep.equal(["general#4"]);
    expect(await places("")).to.deep.equal([]);
  });
}

function describeRights(open: () => Promise<SearchUnderTest>): void {
  it("Q3: searches the rooms whose member the user is, and one that was named", async () => {
    await using archive = await open();
    const { write, places } = searcher(archive);
    await write(...created(), say(general, 3, "tea"), say(dev, 1, "tea"), say(dev, 2, "tea again"));
    expect(await places("tea")).to.deep.equal(["general#3"]);
    expect(await places("tea", { user: ben })).to.deep.equal([]);
    expect(await places("tea", { room: dev, upTo: 1 })).to.deep.equal(["dev#1"]);
    await write(make(dev, 3, { t: "member", user: ada, role: "member" }));
    expect(await places("tea")).to.have.members(["general#3", "dev#1", "dev#2"]);
    await write(make(general, 4, { t: "member", user: ada, role: "none" }), say(general, 5, "tea"));
    expect(await places("tea")).to.have.members(["dev#1", "dev#2"]);
    await write(make(dev, 4, { t: "member", user: ada, role: "none", banned: true }));
    expect(await places("tea")).to.deep.equal([]);
  });
}

function describeChanges(open: () => Promise<SearchUnderTest>): void {
  it("Q4: a message is found by its newest text, and not at all when it is deleted", async () => {
    await using archive = await open();
    const { write, places, find } = searcher(archive);
    await write(...created(), say(general, 3, "green tea"), say(general, 4, "black tea"));
    await write(make(general, 5, { t: "edited", target: 3, body: { text: "green coffee" } }));
    expect(await places("tea")).to.deep.equal(["general#4"]);
    expect((await find("coffee")).messages[0]?.text).to.equal("green coffee");
    await write(make(general, 6, { t: "deleted", target: 4 }));
    expect(await places("tea")).to.deep.equal([]);
    // All in one batch.
    await write(
      say(general, 7, "white tea"),
      make(general, 8, { t: "edited", target: 7, body: { text: "white milk" } }),
      say(general, 9, "red tea"),
      make(general, 10, { t: "deleted", target: 9 }),
      make(general, 11, { t: "deleted", target: 3 }),
    );
    expect(await places("tea")).to.deep.equal([]);
    expect(await places("milk")).to.deep.equal(["general#7"]);
    expect(await places("coffee")).to.deep.equal([]);
    expect(await places("", { from: ben })).to.deep.equal(["general#7"]);
  });
}

function describePages(open: () => Promise<SearchUnderTest>): void {
  it("Q5: pages continue behind the cursor, without a gap and without a repeat", async () => {
    await using archive = await open();
    const { write, find } = searcher(archive);
    const some = Array.from({ length: 12 }, (_, i) =>
      say(general, i + 3, `tea ${"tea ".repeat(i % 3)}`),
    );
    await write(...created(), ...some, make(dev, 1, { t: "member", user: ada, role: "member" }));
    await write(...[2, 3, 4].map((seq) => say(dev, seq, "tea")));
    for (const order of ["newest", "best"] as const) {
      const all = await find("tea", { order });
      expect(all.next).to.equal(undefined);
      const paged: FoundMessages["messages"][number][] = [];
      let cursor: string | undefined;
      do {
        const page = await find("tea", { order, limit: 4, cursor });
        paged.push(...page.messages);
        cursor = page.next;
      } while (cursor !== undefined);
      expect(paged).to.deep.equal(all.messages);
      expect(paged).to.have.length(15);
    }
    const [best] = (await find("tea", { order: "best", limit: 1 })).messages;
    expect(best?.text.match(/tea/g)).to.have.length(3);
  });
}
