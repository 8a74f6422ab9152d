// PageWarmer on a scripted store: what is read ahead, in which parts, and what is stored.

import { expect } from "chai";
import type { Read } from "#shared/ports/archive.ts";
import type { MessagesPage, MessagesQuery } from "#shared/protocol/history.ts";
import type { RoomId, Seq } from "#shared/protocol/ids.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import type { RoomScore } from "../core/room-uses.ts";
import { NewestPages } from "../adapters/newest-pages.ts";
import { BATCH_ROOMS, LOOK_MS, PageWarmer, QUEUE_MAX, SAVE_MS } from "../runtime/page-warmer.ts";
import type { WarmReport, WarmStore } from "../runtime/page-warmer.ts";

const ROOMS = 100;
const room = (n: number): RoomId => `room-${n}` as RoomId;

class Store implements WarmStore {
  readonly heads = new Map<RoomId, Seq>();
  /** The rooms of each statement that read pages ahead. */
  readonly batches: (readonly RoomId[])[] = [];
  readonly saved: (readonly RoomScore[])[] = [];
  used: RoomScore[] = [];
  isAway = false;
  single = 0;

  #answer<T>(value: () => T): Promise<Read<T>> {
    if (this.isAway) return Promise.resolve({ kind: "unavailable", reason: "away" });
    return Promise.resolve({ kind: "ok", value: value() });
  }

  #page(name: RoomId): MessagesPage {
    const head = this.heads.get(name) ?? 0;
    const lines = [`{"seq":${head},"from":"ada"}`];
    return { head, first: 1, last: head, more: false, lines };
  }

  messages(name: RoomId, _query: MessagesQuery): Promise<Read<MessagesPage>> {
    this.single++;
    return this.#answer(() => this.#page(name));
  }

  newestPages(rooms: readonly RoomId[]): ReturnType<WarmStore["newestPages"]> {
    this.batches.push(rooms);
    return this.#answer(() => rooms.map((name) => [name, this.#page(name)] as const));
  }

  changedRooms(heads: readonly (readonly [RoomId, Seq])[]): Promise<Read<readonly RoomId[]>> {
    return this.#answer(() =>
      heads.filter(([name, head]) => this.heads.get(name) !== head).map(([name]) => name),
    );
  }

  mostUsed(limit: number): Promise<Read<readonly RoomScore[]>> {
    return this.#answer(() => this.used.slice(0, limit));
  }

  addUses(scores: readonly RoomScore[]): Promise<Read<void>> {
    if (!this.isAway) this.saved.push(scores);
    return this.#answer(() => undefined);
  }
}

function fixture(rooms = ROOMS, serves: (name: RoomId) => boolean = () => true) {
  const [store, clock] = [new Store(), new FakeClock()];
  for (let n = 0; n < 300; n++) store.heads.set(room(n), 3);
  store.used = Array.from({ length: 300 }, (_, n) => [room(n), -n] as const);
  const pages = new NewestPages(store);
  const reports: WarmReport[] = [];
  const onReport = (report: WarmReport): void => void reports.push(report);
  const warmer = new PageWarmer({ store, pages, clock, rooms, serves, onReport });
  const read = (n: number, atLeast = 3) => warmer.messages(room(n), { limit: 9, atLeast });
  return { store, clock, pages, warmer, reports, read };
}

/** Lets the promises of this turn settle. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe("PageWarmer", () => {
  it("WU2, page-warmer.1: a start reads the pages of the most used rooms, in few statements, and readers need none", async () => {
    const { store, warmer, reports, read } = fixture();
    await warmer.start();
    expect(store.batches.length).to.equal(Math.ceil(ROOMS / BATCH_ROOMS));
    expect(store.batches.flat()).to.deep.equal(Array.from({ length: ROOMS }, (_, n) => room(n)));
    expect(reports).to.deep.equal([{ kind: "warmed", rooms: ROOMS }]);
    for (let n = 0; n < ROOMS; n++) await read(n);
    expect(store.single).to.equal(0);
    await read(ROOMS);
    expect(store.single).to.equal(1);
    await warmer.stop();
  });

  it("WU2: without rooms to read ahead it reads and stores nothing", async () => {
    const { store, clock, warmer, read } = fixture(0);
    await warmer.start();
    warmer.onWake(room(1));
    await read(1);
    clock.advance(SAVE_MS);
    await warmer.stop();
    expect([store.batches.length, store.saved.length]).to.deep.equal([0, 0]);
  });

  it("WU2, T12: only rooms that this process answers for are read ahead", async () => {
    const { store, warmer } = fixture(4, (name) => name !== room(2));
    await warmer.start();
    expect(store.batches).to.deep.equal([[room(0), room(1), room(3)]]);
  });

  it("WU2, page-warmer.2: a room that wakes without a known read is not read ahead", async () => {
    const { store, pages, warmer, read } = fixture();
    store.used = [];
    await warmer.start();
    warmer.onWake(room(7));
    await settle();
    expect(store.batches.length).to.equal(0);
    await read(7);
    pages.dropUpTo(room(7), 3);
    warmer.onWake(room(7));
    await settle();
    expect(store.batches).to.deep.equal([[room(7)]]);
    await warmer.stop();
  });

  it("WU2, page-warmer.2: a room that wakes is read ahead once, with those that wake meanwhile; beyond the bound none waits", async () => {
    const { store, pages, warmer, read } = fixture(300);
    await warmer.start();
    store.batches.length = 0;
    for (let n = 0; n < 300; n++) pages.dropUpTo(room(n), 3);
    warmer.onWake(room(200));
    for (let n = 0; n < QUEUE_MAX + 5; n++) warmer.onWake(room(n));
    warmer.onWake(room(0));
    await settle();
    expect(store.batches.map((rooms) => rooms.length)).to.deep.equal([1, BATCH_ROOMS, BATCH_ROOMS]);
    // The first of them is read, and not waiting, when the others come.
    expect(warmer.skipped).to.equal(6);
    await read(200);
    await read(QUEUE_MAX - 1);
    expect(store.single).to.equal(0);
    warmer.onWake(room(200));
    await settle();
    expect(store.batches).to.have.length(3);
    await warmer.stop();
  });

  it("WU5, page-warmer.3: an archive that is away ends the work of the start; later it is not asked again for it", async () => {
    const { store, clock, warmer, reports } = fixture();
    store.isAway = true;
    await warmer.start();
    store.isAway = false;
    clock.advance(10 * SAVE_MS);
    await settle();
    expect(store.batches).to.deep.equal([]);
    expect(reports).to.deep.equal([{ kind: "unavailable", reason: "away" }]);
    await warmer.stop();
  });

  it("WU3, page-warmer.4: scores are stored once a minute and at the end, in one statement each, and not lost while the archive is away", async () => {
    const { store, clock, warmer, read } = fixture();
    store.used = [];
    await warmer.start();
    for (let i = 0; i < 50; i++) await read(i % 5);
    expect(store.saved).to.deep.equal([]);
    store.isAway = true;
    clock.advance(SAVE_MS);
    await settle();
    store.isAway = false;
    clock.advance(SAVE_MS);
    await settle();
    expect(store.saved.map((list) => list.length)).to.deep.equal([5]);
    clock.advance(SAVE_MS);
    await settle();
    expect(store.saved).to.have.length(1);
    await read(7);
    await warmer.stop();
    expect(store.saved[1]?.map(([name]) => name)).to.deep.equal([room(7)]);
    expect(clock.armed).to.equal(0);
  });

  it("WU4, C6, page-warmer.5: the page of a room with a newer event leaves the memory, the others stay", async () => {
    const { store, clock, pages, warmer, read } = fixture();
    await warmer.start();
    store.heads.set(room(4), 4);
    store.heads.delete(room(5));
    await read(6);
    clock.advance(LOOK_MS);
    await settle();
    expect(pages.size).to.equal(ROOMS - 2);
    expect([4, 5, 6].map((n) => pages.has(room(n)))).to.deep.equal([false, false, true]);
    store.isAway = true;
    store.heads.set(room(6), 4);
    clock.advance(LOOK_MS);
    await settle();
    expect(pages.has(room(6))).to.equal(true);
    await warmer.stop();
  });
});
