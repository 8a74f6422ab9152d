// Shedding: in which order a node's memory asks its holders, how long, and when it tries again.

import { expect } from "chai";
import { DEDUPE_WINDOW_MS, TAKE_OVER_IDS_MS } from "#shared/protocol/limits.ts";
import type { LogSeq, RoomId, Seq } from "#shared/protocol/ids.ts";
import { PLACE_BYTES, RecentBlock } from "../core/recent-block.ts";
import type { BlockOwner } from "../core/recent-block.ts";
import { IDLE_MS, IDLE_SHORT_MS, RoomMemory } from "../core/room-memory.ts";
import type { Backlog, IdHolder, IdsToForget, Tail } from "../core/room-memory.ts";
import { UnarchivedLines } from "../core/unarchived.ts";
import { T0 } from "./partition-fixture.ts";

const MAX = 16_000;
/** Shedding ends at this value. */
const LOW = 15_000;
const OLD = { before: T0 - TAKE_OVER_IDS_MS, now: T0 };
const YOUNG = { before: Infinity, now: T0 };
const ALL = { before: Infinity, now: Infinity };

/** A memory whose holders record each request and free the configured bytes. */
class SheddingFixture {
  readonly memory = new RoomMemory(MAX);
  readonly asked: unknown[] = [];
  /** The bytes that each request frees, by its name. */
  readonly gives = new Map<string, number>();

  constructor(used: number) {
    this.memory.wall = T0;
    this.memory.account.add("rooms", used);
  }

  #ask(name: string, detail?: unknown): void {
    this.asked.push(detail === undefined ? name : [name, detail]);
    this.memory.account.add("rooms", -(this.gives.get(name) ?? 0));
  }

  tail(name: string): Tail {
    return { giveUpTail: () => this.#ask(name) };
  }

  ids(name: string): IdHolder {
    return { forgetArchivedIds: (ids) => this.#ask(name, ids) };
  }

  backlog(name: string, size: number): Backlog {
    const ask = (what: string, isEnough: () => boolean, detail?: unknown): void => {
      if (!isEnough()) this.#ask(`${name} ${what}`, detail);
    };
    return {
      size,
      giveUpTexts: (isEnough) => ask("texts", isEnough),
      giveUpIds: (kind, ids, isEnough) => ask(`${kind} ids`, isEnough, ids),
      giveUpPlaces: (isEnough) => ask("places", isEnough),
    };
  }

  /** The requests of one more attempt. */
  shed(): unknown[] {
    this.asked.length = 0;
    this.memory.shed();
    return [...this.asked];
  }
}

describe("Shedding", () => {
  it("room-memory.1: sheds nothing at the bound, and above it down to 15/16 of it", () => {
    const fixture = new SheddingFixture(MAX);
    for (const name of ["a", "b", "c"]) fixture.memory.useTail(fixture.tail(name));
    expect(fixture.shed()).to.deep.equal([]);
    expect(fixture.memory.isFull).to.equal(false);
    fixture.memory.account.add("rooms", 1);
    fixture.gives.set("a", 1_000);
    fixture.gives.set("b", 1);
    expect(fixture.shed(), "b reaches LOW_WATER exactly").to.deep.equal(["a", "b"]);
    expect(fixture.memory.account.used).to.equal(LOW);
    fixture.memory.account.add("rooms", 1_001);
    expect(fixture.shed(), "each tail once").to.deep.equal(["c"]);
  });

  it("room-memory.1: sheds the least recently used tail first, and no removed tail", () => {
    const fixture = new SheddingFixture(MAX + 1);
    const [a, b, c] = ["a", "b", "c"].map((name) => fixture.tail(name)) as [Tail, Tail, Tail];
    for (const tail of [a, b, c, a]) fixture.memory.useTail(tail);
    fixture.memory.removeTail(c);
    expect(fixture.shed()).to.deep.equal(["b", "a"]);
  });

  it("room-memory.1: sheds tails, texts, archived ids, old ids, places, and then all other ids", () => {
    const fixture = new SheddingFixture(2 * MAX);
    const { memory } = fixture;
    memory.useTail(fixture.tail("tail"));
    for (const name of ["x", "y"]) memory.addIds(fixture.ids(name));
    memory.addBacklog(fixture.backlog("small", 1));
    memory.addBacklog(fixture.backlog("large", 3));
    memory.addBacklog(fixture.backlog("middle", 2));
    const backlogs = (what: string, detail?: object): unknown[] =>
      ["large", "middle", "small"].map((name) =>
        detail === undefined ? `${name} ${what}` : [`${name} ${what}`, detail],
      );
    const archived = (ids: IdsToForget): unknown[] => ["x", "y"].map((name) => [name, ids]);
    expect(fixture.shed()).to.deep.equal([
      "tail",
      ...backlogs("texts"),
      ...archived(OLD),
      ...archived(YOUNG),
      ...backlogs("old ids", OLD),
      ...backlogs("places"),
      ...archived(YOUNG),
      ...backlogs("young ids", YOUNG),
      ...archived(ALL),
      ...backlogs("all ids", ALL),
    ]);
  });

  it("room-memory.1: asks the holder that dropped ids most recently last, and stops when it is sufficient", () => {
    const fixture = new SheddingFixture(MAX + 1);
    const { memory } = fixture;
    for (const name of ["x", "y", "z"]) memory.addIds(fixture.ids(name));
    fixture.gives.set("x", 2_000);
    expect(fixture.shed()).to.deep.equal([["x", OLD]]);
    memory.account.add("rooms", 2_000);
    fixture.gives.set("y", 2_000);
    expect(fixture.shed()).to.deep.equal([["y", OLD]]);
    memory.account.add("rooms", 2_000);
    expect(fixture.shed()[0]).to.deep.equal(["z", OLD]);
  });

  it("room-memory.1: does not ask removed holders", () => {
    const fixture = new SheddingFixture(2 * MAX);
    const { memory } = fixture;
    const [ids, backlog] = [fixture.ids("x"), fixture.backlog("b", 1)];
    memory.addIds(ids);
    memory.addBacklog(backlog);
    memory.removeIds(ids);
    memory.removeBacklog(backlog);
    expect(fixture.shed()).to.deep.equal([]);
  });

  it("room-memory.2: is full when the memory after shedding exceeds the bound", () => {
    const fixture = new SheddingFixture(MAX + 1);
    fixture.memory.useTail(fixture.tail("tail"));
    fixture.gives.set("tail", 1);
    expect(fixture.memory.isFull).to.equal(false);
    fixture.memory.account.add("rooms", 1);
    expect(fixture.memory.isFull).to.equal(true);
  });

  it("room-memory.5: tries again one second after an insufficient attempt, for any clock", () => {
    for (const ms of [1_000, -1_000]) {
      const fixture = new SheddingFixture(2 * MAX);
      fixture.memory.addBacklog(fixture.backlog("b", 1));
      expect(fixture.shed()).to.not.deep.equal([]);
      fixture.memory.wall = T0 + ms - Math.sign(ms);
      expect(fixture.shed()).to.deep.equal([]);
      fixture.memory.wall = T0 + ms;
      expect(fixture.shed()).to.not.deep.equal([]);
    }
    const enough = new SheddingFixture(MAX + 1);
    const tail = enough.tail("tail");
    for (let n = 0; n < 2; n++) {
      enough.memory.useTail(tail);
      enough.gives.set("tail", 1);
      expect(enough.shed(), "a sufficient attempt").to.deep.equal(["tail"]);
      enough.memory.account.add("rooms", 1);
    }
  });

  it("room-memory.4: passivates sooner above a quarter of the bound, and keeps ids for one minute above half of it", () => {
    const memory = new RoomMemory(MAX);
    memory.account.add("rooms", MAX / 4);
    memory.account.add("ids", MAX / 2);
    expect([memory.idleMs, memory.idWindowMs]).to.deep.equal([IDLE_MS, DEDUPE_WINDOW_MS]);
    memory.account.add("rooms", 1);
    memory.account.add("ids", 1);
    expect([memory.idleMs, memory.idWindowMs]).to.deep.equal([IDLE_SHORT_MS, TAKE_OVER_IDS_MS]);
  });
});

describe("Unarchived lines", () => {
  const enough = (after: number): (() => boolean) => {
    let left = after;
    return () => left-- <= 0;
  };
  const never = (): boolean => false;

  /** Blocks of one line each. The rooms take turns, and the entries are 1, 2, 3, … */
  class UnarchivedFixture {
    readonly memory = new RoomMemory(1 << 24);
    readonly lines = new UnarchivedLines(this.memory);
    readonly blocks: RecentBlock[] = [];
    readonly calls: unknown[] = [];
    readonly owners: BlockOwner[];
    /** Rooms with ids that are too young. */
    readonly young = new Set<string>();

    constructor(rooms: number, blocks: number) {
      this.owners = Array.from({ length: rooms }, (_, n): BlockOwner => {
        const id = `r${n}` as RoomId;
        return {
          id,
          onArchived: () => undefined,
          forgetIds: (seq) => {
            this.calls.push(`${id} ids ${seq}`);
            return !this.young.has(id);
          },
          forgetLines: (seq) => this.calls.push(`${id} lines ${seq}`),
        };
      });
      this.add(blocks);
    }

    add(count: number): void {
      for (let i = 0; i < count; i++) {
        const n = this.blocks.length;
        const first = 1 + Math.floor(n / this.owners.length);
        const owner = this.owners[n % this.owners.length]!;
        const run = { first, lines: ["x"], logSeq: n + 1 };
        const block = new RecentBlock(owner, run, this.memory, "unarchived");
        this.blocks.push(block);
        this.lines.add(block);
      }
    }

    /** Entries whose texts are in memory. */
    get texts(): LogSeq[] {
      return this.blocks.filter((block) => block.lines !== undefined).map(({ logSeq }) => logSeq);
    }

    archived(watermark: LogSeq): [string, Seq][] {
      return [...this.lines.archivedUpTo(watermark)].map(([{ id }, seq]) => [id, seq]);
    }
  }

  const all: IdsToForget = { before: Infinity, now: Infinity };

  it("unarchived.1: a watermark settles the blocks up to it, each room with its newest sequence number", () => {
    const log = new UnarchivedFixture(2, 5);
    expect(log.archived(0)).to.deep.equal([]);
    expect(log.archived(3)).to.deep.equal([
      ["r0", 2],
      ["r1", 1],
    ]);
    expect(log.lines.size).to.equal(2);
    expect(log.archived(3)).to.deep.equal([]);
    expect(log.archived(99)).to.deep.equal([
      ["r1", 2],
      ["r0", 3],
    ]);
    expect(log.lines.size).to.equal(0);
  });

  it("unarchived.2: drops texts from the oldest block on, each once, and keeps the newest", () => {
    const log = new UnarchivedFixture(1, 5);
    log.lines.giveUpTexts(enough(2));
    expect(log.texts).to.deep.equal([3, 4, 5]);
    log.lines.giveUpTexts(enough(1));
    expect(log.texts).to.deep.equal([4, 5]);
    log.archived(4);
    log.add(2);
    log.lines.giveUpTexts(enough(1));
    expect(log.texts, "archived blocks keep their texts").to.deep.equal([4, 6, 7]);
    log.lines.giveUpTexts(never);
    expect(log.texts).to.deep.equal([4, 7]);
    const one = new UnarchivedFixture(1, 1);
    one.lines.giveUpTexts(never);
    expect(one.texts).to.deep.equal([1]);
    const none = new UnarchivedFixture(1, 0);
    none.lines.giveUpTexts(never);
    none.add(2);
    none.lines.giveUpTexts(never);
    expect(none.texts).to.deep.equal([2]);
  });

  it("recent.4: drops places from the oldest block on, informs each room once, keeps the newest, and settles the dropped ones later", () => {
    const log = new UnarchivedFixture(2, 6);
    log.lines.giveUpPlaces(enough(3));
    expect(log.calls).to.deep.equal(["r0 lines 2", "r1 lines 1"]);
    expect(log.blocks.map(({ bytes }) => bytes > 0)).to.deep.equal([
      false,
      false,
      false,
      true,
      true,
      true,
    ]);
    expect(log.memory.account.used).to.equal(3 * (PLACE_BYTES + 33));
    log.lines.giveUpPlaces(never);
    expect(log.lines.size).to.equal(1);
    // The watermark still settles dropped blocks: r0 up to entry 5, r1 up to entry 4.
    expect(log.archived(3)).to.deep.equal([]);
    expect(log.archived(4)).to.deep.equal([["r1", 2]]);
    expect(log.archived(5)).to.deep.equal([["r0", 3]]);
    expect(log.archived(5)).to.deep.equal([]);
    expect(log.archived(6)).to.deep.equal([["r1", 3]]);
  });

  it("room-memory.1: drops ids in runs of 16, 32, … blocks, each room once per run, and continues where it stopped", () => {
    const log = new UnarchivedFixture(1, 100);
    log.lines.giveUpIds("old", all, enough(2));
    expect(log.calls).to.deep.equal(["r0 ids 16", "r0 ids 48"]);
    log.calls.length = 0;
    log.lines.giveUpIds("old", all, never);
    expect(log.calls).to.deep.equal(["r0 ids 64", "r0 ids 96", "r0 ids 100"]);
    log.calls.length = 0;
    log.lines.giveUpIds("old", all, never);
    expect(log.calls).to.deep.equal([]);
    log.add(1);
    log.lines.giveUpIds("old", all, never);
    expect(log.calls).to.deep.equal(["r0 ids 101"]);
    log.calls.length = 0;
    log.lines.giveUpIds("young", all, enough(1));
    expect(log.calls, "another kind begins at the oldest block").to.deep.equal(["r0 ids 16"]);
  });

  it("room-memory.1: stops after a run with ids that are too young, asks all its rooms, and tries that run again", () => {
    const log = new UnarchivedFixture(2, 64);
    log.young.add("r0");
    for (let twice = 0; twice < 2; twice++) {
      log.calls.length = 0;
      log.lines.giveUpIds("old", all, never);
      expect(log.calls).to.deep.equal(["r0 ids 8", "r1 ids 8"]);
    }
    log.young.clear();
    log.young.add("r1");
    log.calls.length = 0;
    log.lines.giveUpIds("old", all, never);
    expect(log.calls).to.deep.equal(["r0 ids 8", "r1 ids 8"]);
    log.archived(10);
    log.calls.length = 0;
    log.lines.giveUpIds("old", all, never);
    expect(log.calls, "from the first unarchived block on").to.deep.equal([
      "r0 ids 13",
      "r1 ids 13",
    ]);
  });

  it("unarchived.3: drops the ids of lines whose places were dropped, each room once for each kind", () => {
    const log = new UnarchivedFixture(2, 6);
    log.lines.giveUpPlaces(enough(3));
    log.calls.length = 0;
    log.lines.giveUpIds("young", all, enough(1));
    expect(log.calls).to.deep.equal(["r0 ids 2"]);
    log.calls.length = 0;
    log.lines.giveUpIds("young", all, never);
    expect(log.calls).to.deep.equal(["r1 ids 1", "r1 ids 3", "r0 ids 3"]);
    log.calls.length = 0;
    log.lines.giveUpIds("young", all, never);
    expect(log.calls, "dropped already").to.deep.equal([]);
    log.young.add("r0");
    for (let twice = 0; twice < 2; twice++) {
      log.calls.length = 0;
      log.lines.giveUpIds("old", all, enough(3));
      expect(log.calls[0], "too young before").to.equal("r0 ids 2");
    }
    log.archived(3);
    log.young.clear();
    log.calls.length = 0;
    log.lines.giveUpIds("all", all, never);
    expect(log.calls, "archived: the room itself drops them").to.deep.equal([
      "r1 ids 3",
      "r0 ids 3",
    ]);
  });

  it("unarchived.1: continues at the same blocks after its list was cut", () => {
    const log = new UnarchivedFixture(1, 4_000);
    log.lines.giveUpTexts(enough(3_000));
    log.lines.giveUpIds("old", all, enough(8)); // 16 + 32 + … = 4,080.
    log.lines.giveUpIds("young", all, enough(1));
    expect(log.archived(2_500)).to.deep.equal([["r0", 2_500]]);
    expect(log.lines.size).to.equal(1_500);
    log.lines.giveUpTexts(enough(1));
    expect(log.texts[0]).to.equal(3_002);
    log.calls.length = 0;
    log.lines.giveUpIds("old", all, never);
    expect(log.calls).to.deep.equal([]);
    log.lines.giveUpIds("young", all, enough(1));
    expect(log.calls).to.deep.equal(["r0 ids 2516"]);
    log.add(1);
    log.lines.giveUpIds("old", all, never);
    expect(log.calls.at(-1)).to.equal("r0 ids 4001");
    expect(log.archived(4_001)).to.deep.equal([["r0", 4_001]]);
  });

  it("room-memory.1: is asked by the memory until its end", () => {
    const log = new UnarchivedFixture(1, 3);
    log.memory.account.bytesMax = 10;
    log.lines.end();
    log.memory.shed();
    expect(log.texts).to.deep.equal([1, 2, 3]);
    const other = new UnarchivedFixture(1, 3);
    other.memory.account.bytesMax = 10;
    other.memory.shed();
    expect(other.texts).to.deep.equal([3]);
  });
});
