// NewestPages: which page answers which query, compared with the store, and its bounds.

import { expect } from "chai";
import * as fc from "fast-check";
import { MemoryArchive } from "#shared/adapters/archive-memory.ts";
import type { Read } from "#shared/ports/archive.ts";
import { encodeEvent } from "#shared/protocol/events.ts";
import type { MessagesPage, MessagesQuery } from "#shared/protocol/history.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { event, valueOf } from "#shared/testing/archive.contract.ts";
import { NEWEST_EVENTS, NEWEST_ROOMS_MAX, NewestPages } from "../adapters/newest-pages.ts";

const ROOM = "general" as RoomId;

/** An archive that counts its reads. */
class Store {
  readonly archive = new MemoryArchive();
  reads = 0;
  #to = 0;
  #head = 0;

  async add(count: number, text = "a text"): Promise<void> {
    if (count === 0) return;
    const events = Array.from({ length: count }, () => event(ROOM, ++this.#head, { text }));
    await this.write(events);
  }

  async delete(target: number): Promise<void> {
    const plain = event(ROOM, ++this.#head);
    const { seq, id, sender: from, at } = plain;
    const line = encodeEvent({ t: "deleted", room: ROOM, seq, id, from, at, target });
    await this.write([{ ...plain, kind: "deleted", line }]);
  }

  async write(events: ReturnType<typeof event>[]): Promise<void> {
    const batch = { p: 0, from: this.#to, to: ++this.#to, epoch: 1, events };
    expect((await this.archive.write(batch)).kind).to.equal("ok");
  }

  messages(room: RoomId, query: MessagesQuery): Promise<Read<MessagesPage>> {
    this.reads++;
    return this.archive.messages(room, query);
  }
}

async function bench(count: number): Promise<{ store: Store; pages: NewestPages }> {
  const store = new Store();
  await store.add(count);
  return { store, pages: new NewestPages(store) };
}

describe("NewestPages", () => {
  it("WU1, newest-pages.1: answers from memory while the reader needs no newer event; a newer one is read", async () => {
    const { store, pages } = await bench(60);
    const ask = async (atLeast: number): Promise<MessagesPage> =>
      valueOf(await pages.messages(ROOM, { limit: 50, atLeast }));
    expect((await ask(60)).head).to.equal(60);
    expect((await ask(60)).head).to.equal(60);
    expect((await ask(12)).head).to.equal(60);
    expect(store.reads).to.equal(1);
    await store.add(1);
    expect((await ask(60)).head).to.equal(60);
    expect((await ask(61)).head).to.equal(61);
    expect(store.reads).to.equal(2);
    expect([pages.hits, pages.misses]).to.deep.equal([3, 2]);
  });

  it("WU1, C6: a reader who knows of a deletion never gets the text from a kept page", async () => {
    const { store, pages } = await bench(0);
    await store.add(3, "a secret");
    const text = async (atLeast: number): Promise<string> =>
      valueOf(await pages.messages(ROOM, { limit: 50, atLeast })).lines.join();
    expect(await text(3)).to.include("a secret");
    for (const target of [1, 2, 3]) await store.delete(target);
    expect(await text(6)).not.to.include("a secret");
    expect(await text(3)).not.to.include("a secret");
  });

  it("newest-pages.1: a query without the event that its reader needs reads the store", async () => {
    const { store, pages } = await bench(5);
    for (const query of [
      {},
      { after: 2, atLeast: 5 },
      { before: 3, atLeast: 5 },
      { pinned: true },
    ]) {
      const all = { limit: 50, ...query } as MessagesQuery;
      for (let i = 0; i < 2; i++) await pages.messages(ROOM, all);
    }
    expect(store.reads).to.equal(8);
    expect(pages.size).to.equal(0);
  });

  it("newest-pages.2: every answer equals an answer of the store as of its head", async () => {
    const step = fc.oneof(
      fc.record({ add: fc.integer({ min: 1, max: 70 }) }),
      fc.record({ erase: fc.integer({ min: 1, max: 60 }) }),
      fc.record({
        limit: fc.integer({ min: 1, max: 120 }),
        behind: fc.integer({ min: 0, max: 3 }),
        above: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const store = new Store();
        const pages = new NewestPages(store);
        let head = 0;
        const erased = new Set<number>();
        for (const one of steps) {
          if ("add" in one) {
            await store.add(one.add);
            head += one.add;
          } else if ("erase" in one) {
            if (one.erase > head || erased.has(one.erase)) continue;
            erased.add(one.erase);
            await store.delete(one.erase);
            erased.add(++head);
          } else {
            const atLeast = Math.max(0, head - one.behind);
            const before = one.above === undefined ? undefined : head + one.above;
            const query = { limit: one.limit, before, atLeast };
            const page = valueOf(await pages.messages(ROOM, query));
            expect(page.head).to.be.at.least(atLeast);
            if (page.head < head) continue; // Compared when it was read.
            expect(page).to.deep.equal(valueOf(await store.archive.messages(ROOM, query)));
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it("newest-pages.3: parallel queries of one room are one read", async () => {
    const { store, pages } = await bench(9);
    const query = { limit: 5, atLeast: 9 };
    const all = await Promise.all(Array.from({ length: 8 }, () => pages.messages(ROOM, query)));
    for (const read of all) expect(valueOf(read).lines).to.have.length(5);
    expect(store.reads).to.equal(1);
  });

  it("newest-pages.1: a reader with fewer rights gets no message behind its bound", async () => {
    const { store, pages } = await bench(9);
    await pages.messages(ROOM, { limit: 5, atLeast: 9 });
    const page = valueOf(await pages.messages(ROOM, { limit: 5, before: 8, atLeast: 7 }));
    expect(page).to.include({ last: 7, head: 9 });
    expect(store.reads).to.be.greaterThan(1);
  });

  it("WU4, newest-pages.4: keeps a bounded number of rooms and bytes; a room without an event has none", async () => {
    const pages = new NewestPages(new Store(), 100_000);
    const page = (head: number, text: string): MessagesPage => ({
      lines: [text],
      first: 1,
      last: head,
      more: false,
      head,
    });
    for (let n = 0; n < NEWEST_ROOMS_MAX + 9; n++) pages.keep(`r${n}` as RoomId, page(1, ""), 0);
    expect(pages.size).to.be.at.most(NEWEST_ROOMS_MAX);
    for (let n = 0; n < 20; n++) pages.keep(`s${n}` as RoomId, page(1, "x".repeat(9_000)), 0);
    expect(pages.accounted.bytes).to.be.at.most(pages.accounted.bytesMax);
    expect(pages.has("s19" as RoomId)).to.equal(true);
    expect(pages.has("s0" as RoomId)).to.equal(false);
    pages.keep("empty" as RoomId, page(0, ""), 0);
    expect(pages.has("empty" as RoomId)).to.equal(false);
    pages.keep("huge" as RoomId, page(1, "x".repeat(200_000)), 0);
    expect(pages.has("huge" as RoomId)).to.equal(false);
  });

  it("T12, newest-pages.5: forgets all pages, also one whose read began before", async () => {
    const { store, pages } = await bench(9);
    const query = { limit: NEWEST_EVENTS, atLeast: 9 };
    await pages.messages(ROOM, query);
    const under = pages.messages("other" as RoomId, { limit: 9, atLeast: 0 });
    const late = pages.clears;
    pages.clear();
    await under;
    pages.keep(ROOM, valueOf(await store.archive.messages(ROOM, query)), late);
    expect(pages.size).to.equal(0);
  });
});
