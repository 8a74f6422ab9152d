// Recent lines of one room: which ones are in memory, in which category they are counted, and which
// are dropped.

import { expect } from "chai";
import { stringBytes } from "#shared/kit/memory-account.ts";
import { RANGE_BYTES_MAX, RANGE_EVENTS_MAX } from "#shared/protocol/limits.ts";
import type { Seq } from "#shared/protocol/ids.ts";
import { PLACE_BYTES, RecentBlock } from "../core/recent-block.ts";
import type { BlockOwner } from "../core/recent-block.ts";
import { Recent, TAIL_EVENTS } from "../core/recent.ts";
import { RoomMemory } from "../core/room-memory.ts";
import type { MemoryCategory } from "../core/room-memory.ts";
import { GENERAL } from "./partition-fixture.ts";

const OWNER: BlockOwner = {
  id: GENERAL,
  onArchived: () => undefined,
  forgetIds: () => true,
  forgetLines: () => undefined,
};
const NOT_HERE = { kind: "not-here" } as const;

/** Lines `first` to `last`, each of `size` characters. */
function texts(first: Seq, last: Seq, size = 20): string[] {
  return Array.from({ length: last + 1 - first }, (_, i) => `${first + i}`.padEnd(size, "."));
}

function lines(first: Seq, last: Seq): object {
  return { kind: "lines", first, lines: texts(first, last) };
}

class RecentFixture {
  readonly memory = new RoomMemory(1 << 24);
  readonly recent = new Recent(this.memory, OWNER);

  add(first: Seq, last: Seq): RecentBlock {
    return this.recent.add({ first, lines: texts(first, last), logSeq: 100 + first });
  }

  /** The memory in the categories `unarchived` and `tails`. */
  get held(): [number, number] {
    const { account } = this.memory;
    return [account.usedBy("unarchived"), account.usedBy("tails")];
  }
}

/** The memory of a block with `count` lines of 20 characters. */
const cost = (count: number): number => PLACE_BYTES + count * stringBytes("x".repeat(20));

describe("Recent block", () => {
  const block = (
    category: MemoryCategory = "unarchived",
  ): { block: RecentBlock; memory: RoomMemory } => {
    const memory = new RoomMemory(1 << 20);
    const run = { first: 5, lines: ["ab", "\u20ac"], logSeq: 9 };
    return { block: new RecentBlock(OWNER, run, memory, category), memory };
  };
  const text = stringBytes("ab") + stringBytes("\u20ac");

  it("recent-block.1: costs its place and its texts, then its place, then nothing", () => {
    const made = block();
    const used = (): number[] => [made.block.bytes, made.memory.account.usedBy("unarchived")];
    expect(used()).to.deep.equal([PLACE_BYTES + text, PLACE_BYTES + text]);
    expect([made.block.textBytes, made.block.last, made.block.count]).to.deep.equal([text, 6, 2]);
    expect(made.block.lines).to.deep.equal(["ab", "\u20ac"]);
    for (let twice = 0; twice < 2; twice++) made.block.giveUp();
    expect(used()).to.deep.equal([PLACE_BYTES, PLACE_BYTES]);
    expect([made.block.textBytes, made.block.lines]).to.deep.equal([0, undefined]);
    for (let twice = 0; twice < 2; twice++) made.block.drop();
    expect(used()).to.deep.equal([0, 0]);
  });

  it("recent-block.1: a dropped block keeps no text", () => {
    const made = block();
    made.block.drop();
    expect([made.block.lines, made.block.textBytes]).to.deep.equal([undefined, 0]);
    expect(made.memory.account.used).to.equal(0);
  });

  it("recent-block.1: a rewritten line counts with its new text, and only a line whose text is here is rewritten", () => {
    const made = block();
    const used = (): number => made.memory.account.usedBy("unarchived") - PLACE_BYTES;
    made.block.rewrite(6, (line) => `${line}, longer`);
    for (const seq of [4, 7]) made.block.rewrite(seq, () => "of no line");
    const longer = ["ab", "\u20ac, longer"];
    const bytes = stringBytes("ab") + stringBytes("\u20ac, longer");
    expect(made.block.lines).to.deep.equal(longer);
    expect([made.block.textBytes, used()]).to.deep.equal([bytes, bytes]);
    made.block.rewrite(5, () => "");
    expect(made.block.lines).to.deep.equal(["", longer[1]]);
    expect(used()).to.equal(made.block.textBytes);
    expect(made.block.textBytes).to.equal(bytes - stringBytes("ab") + stringBytes(""));
    made.block.giveUp();
    made.block.rewrite(5, () => "of a dropped text");
    expect([made.block.lines, made.block.textBytes, used()]).to.deep.equal([undefined, 0, 0]);
  });

  it("recent-block.1: moves to another category with all its memory, and is dropped there", () => {
    const { block: moved, memory } = block();
    moved.move("tails");
    const held = (): number[] => [
      memory.account.usedBy("unarchived"),
      memory.account.usedBy("tails"),
    ];
    expect(held()).to.deep.equal([0, PLACE_BYTES + text]);
    moved.giveUp();
    expect(held()).to.deep.equal([0, PLACE_BYTES]);
    moved.drop();
    expect(held()).to.deep.equal([0, 0]);
    moved.move("replay");
    expect(memory.account.used).to.equal(0);
  });
});

describe("Recent", () => {
  it("recent.1: blocks are contiguous", () => {
    const fixture = new RecentFixture();
    fixture.add(3, 4);
    fixture.add(5, 5);
    expect(() => fixture.add(7, 7)).to.throw();
    expect(() => fixture.add(5, 5)).to.throw();
  });

  it("recent.1: finds the block of a line, to rewrite it, and names its oldest line", () => {
    const fixture = new RecentFixture();
    expect(fixture.recent.first).to.equal(undefined);
    fixture.add(3, 4);
    fixture.add(5, 7);
    expect(fixture.recent.first).to.equal(3);
    for (const seq of [2, 6, 8]) fixture.recent.rewrite(seq, (line) => line.toUpperCase() + "!");
    const expected = texts(3, 7).with(3, `${texts(6, 6)[0]}!`);
    expect(fixture.recent.range(3, 7)).to.deep.equal({ kind: "lines", first: 3, lines: expected });
  });

  it("O9: a range begins and ends at any line, over several blocks", () => {
    const fixture = new RecentFixture();
    for (const [first, last] of [
      [3, 4],
      [5, 5],
      [6, 9],
    ] as const)
      fixture.add(first, last);
    for (let first = 3; first <= 9; first++) {
      for (let last = first; last <= 9; last++) {
        expect(fixture.recent.range(first, last), `${first}-${last}`).to.deep.equal(
          lines(first, last),
        );
      }
    }
    expect(fixture.recent.range(2, 9)).to.deep.equal(NOT_HERE);
    expect(fixture.recent.range(10, 12)).to.deep.equal(NOT_HERE);
    expect(fixture.recent.range(9, 12)).to.deep.equal(lines(9, 9));
    expect(new RecentFixture().recent.range(1, 1)).to.deep.equal(NOT_HERE);
  });

  it("O9: a range has at most RANGE_EVENTS_MAX lines", () => {
    const fixture = new RecentFixture();
    fixture.add(1, RANGE_EVENTS_MAX - 1);
    fixture.add(RANGE_EVENTS_MAX, RANGE_EVENTS_MAX + 9);
    expect(fixture.recent.range(1, RANGE_EVENTS_MAX + 9)).to.deep.equal(lines(1, RANGE_EVENTS_MAX));
  });

  it("O9: a range has at most RANGE_BYTES_MAX of text, but always one line", () => {
    const fixture = new RecentFixture();
    const half = RANGE_BYTES_MAX / 4; // Two bytes per unit.
    fixture.recent.add({ first: 1, lines: texts(1, 2, half), logSeq: 1 });
    fixture.recent.add({ first: 3, lines: texts(3, 3, 1), logSeq: 2 });
    fixture.recent.add({ first: 4, lines: texts(4, 4, RANGE_BYTES_MAX), logSeq: 3 });
    const count = (first: Seq): number => {
      const answer = fixture.recent.range(first, 9);
      return answer.kind === "lines" ? answer.lines.length : -1;
    };
    expect([1, 2, 3, 4].map(count)).to.deep.equal([2, 2, 1, 1]);
  });

  it("recent.2: dropped texts are read from the log, or from the archive if they came from there", () => {
    const fixture = new RecentFixture();
    fixture.recent.addTail(1, texts(1, 2));
    const [third, fourth] = [fixture.add(3, 4), fixture.add(5, 6)];
    third.giveUp();
    expect(fixture.recent.range(4, 6)).to.deep.equal({ kind: "in-log", logSeq: 103 });
    expect(fixture.recent.range(2, 6)).to.deep.equal(lines(2, 2));
    expect(fixture.recent.range(5, 6)).to.deep.equal(lines(5, 6));
    fourth.giveUp();
    expect(fixture.recent.range(6, 6)).to.deep.equal({ kind: "in-log", logSeq: 105 });
    const [tail] = fixture.recent.takeAll();
    tail?.giveUp();
    const other = new RecentFixture();
    other.recent.adopt(tail!);
    expect(other.recent.range(1, 1)).to.deep.equal(NOT_HERE);
  });

  it("recent.3: archived lines move to the tails, and TAIL_EVENTS of them stay", () => {
    const fixture = new RecentFixture();
    for (let first = 1; first <= 2 * TAIL_EVENTS; first += 2) fixture.add(first, first + 1);
    expect(fixture.held).to.deep.equal([TAIL_EVENTS * cost(2), 0]);
    fixture.recent.trim(4);
    expect(fixture.held[0]).to.equal((TAIL_EVENTS - 2) * cost(2));
    expect(fixture.held[1], "blocks far below the head are dropped").to.equal(0);
    // The last block is archived only in part, so it does not count.
    fixture.recent.trim(2 * TAIL_EVENTS - 1);
    expect(fixture.held).to.deep.equal([cost(2), (TAIL_EVENTS / 2 - 1) * cost(2)]);
    expect(fixture.recent.range(TAIL_EVENTS, 999)).to.deep.equal(NOT_HERE);
    expect(fixture.recent.range(TAIL_EVENTS + 1, 999)).to.deep.equal(
      lines(TAIL_EVENTS + 1, 2 * TAIL_EVENTS),
    );
    fixture.recent.trim(2 * TAIL_EVENTS);
    expect(fixture.held).to.deep.equal([0, (TAIL_EVENTS / 2) * cost(2)]);
  });

  it("recent.3: a tail of TAIL_EVENTS lines stays, and a longer one loses its oldest line", () => {
    for (const [count, kept] of [
      [TAIL_EVENTS, TAIL_EVENTS],
      [TAIL_EVENTS + 1, TAIL_EVENTS],
    ] as const) {
      const fixture = new RecentFixture();
      for (let seq = 1; seq <= count; seq++) fixture.add(seq, seq);
      fixture.recent.trim(count);
      expect(fixture.held).to.deep.equal([0, kept * cost(1)]);
    }
  });

  it("recent.3: drops a tail as a whole, and keeps unarchived lines", () => {
    const fixture = new RecentFixture();
    fixture.recent.addTail(1, texts(1, 3));
    fixture.add(4, 5);
    fixture.add(6, 7);
    fixture.recent.trim(5);
    expect(fixture.held).to.deep.equal([cost(2), cost(3) + cost(2)]);
    fixture.recent.giveUpTail();
    expect(fixture.held).to.deep.equal([cost(2), 0]);
    fixture.recent.giveUpTail();
    expect(fixture.recent.range(5, 7)).to.deep.equal(NOT_HERE);
    expect(fixture.recent.range(6, 7)).to.deep.equal(lines(6, 7));
  });

  it("recent.4: drops places up to a sequence number, whole blocks only", () => {
    const fixture = new RecentFixture();
    for (const first of [1, 3, 5]) fixture.add(first, first + 1);
    fixture.recent.forgetUpTo(1);
    expect(fixture.recent.range(1, 1)).to.deep.equal(lines(1, 1));
    fixture.recent.forgetUpTo(5);
    expect(fixture.recent.range(4, 4)).to.deep.equal(NOT_HERE);
    expect(fixture.recent.range(5, 6)).to.deep.equal(lines(5, 6));
    expect(fixture.held).to.deep.equal([cost(2), 0]);
    fixture.recent.trim(6);
    expect(fixture.held).to.deep.equal([0, cost(2)]);
    fixture.recent.clear();
    expect(fixture.held).to.deep.equal([0, 0]);
    expect(fixture.recent.range(5, 6)).to.deep.equal(NOT_HERE);
  });

  it("recent.3: counts archived blocks from zero after all blocks were taken out", () => {
    const fixture = new RecentFixture();
    fixture.recent.addTail(1, texts(1, 3));
    const blocks = fixture.recent.takeAll();
    expect(blocks.map(({ first, last }) => [first, last])).to.deep.equal([[1, 3]]);
    expect(fixture.recent.takeAll()).to.deep.equal([]);
    fixture.add(9, 9);
    fixture.recent.giveUpTail();
    expect(fixture.recent.range(9, 9)).to.deep.equal(lines(9, 9));
  });

  it("room-memory.1: under pressure drops the rest of a tail whose oldest places were dropped", () => {
    const fixture = new RecentFixture();
    fixture.recent.addTail(1, texts(1, 3));
    fixture.add(4, 5);
    fixture.recent.trim(5);
    fixture.recent.forgetUpTo(3);
    expect(fixture.held).to.deep.equal([0, cost(2)]);
    fixture.memory.account.bytesMax = 1;
    fixture.memory.shed();
    expect(fixture.held).to.deep.equal([0, 0]);
  });

  it("room-memory.1: under pressure drops the least recently used tail first, and only as many as necessary", () => {
    const memory = new RoomMemory(1 << 24);
    const tails = [1, 2, 3].map(() => new Recent(memory, OWNER));
    for (const recent of tails) recent.addTail(1, texts(1, 3));
    const at = (): boolean[] => tails.map((recent) => recent.range(1, 1).kind === "lines");
    tails[0]!.range(1, 1); // Used again: now the second tail is the least recently used.
    memory.account.bytesMax = 2 * cost(3) + 100;
    memory.account.add("rooms", 50);
    memory.shed();
    expect(memory.account.usedBy("tails")).to.equal(2 * cost(3));
    expect(tails[1]!.range(1, 1)).to.deep.equal(NOT_HERE);
    expect(at()).to.deep.equal([true, false, true]);
  });
});
