// Recent lines of one room: what is at hand, what is kept in which line of the account, what goes.

import { expect } from "chai";
import { stringBytes } from "#shared/kit/memory-account.ts";
import { RANGE_BYTES_MAX, RANGE_EVENTS_MAX } from "#shared/protocol/limits.ts";
import type { Seq } from "#shared/protocol/ids.ts";
import { PLACE_BYTES, RecentBlock } from "../core/recent-block.ts";
import type { BlockOwner } from "../core/recent-block.ts";
import { Recent, TAIL_EVENTS } from "../core/recent.ts";
import { RoomMemory } from "../core/room-memory.ts";
import type { RoomLine } from "../core/room-memory.ts";
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

class Story {
  readonly memory = new RoomMemory(1 << 24);
  readonly recent = new Recent(this.memory, OWNER);

  add(first: Seq, last: Seq): RecentBlock {
    return this.recent.add({ first, lines: texts(first, last), logSeq: 100 + first });
  }

  /** What the lines of the account hold: `unarchived` and `tails`. */
  get held(): [number, number] {
    const { account } = this.memory;
    return [account.usedBy("unarchived"), account.usedBy("tails")];
  }
}

/** What a block of `count` lines of 20 characters costs. */
const cost = (count: number): number => PLACE_BYTES + count * stringBytes("x".repeat(20));

describe("Recent block", () => {
  const block = (line: RoomLine = "unarchived"): { block: RecentBlock; memory: RoomMemory } => {
    const memory = new RoomMemory(1 << 20);
    const run = { first: 5, lines: ["ab", "\u20ac"], logSeq: 9 };
    return { block: new RecentBlock(OWNER, run, memory, line), memory };
  };
  const text = stringBytes("ab") + stringBytes("\u20ac");

  it("recent-block.1: it costs its place and its text, then its place, then nothing", () => {
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

  it("recent-block.1: one that is dropped keeps no text", () => {
    const made = block();
    made.block.drop();
    expect([made.block.lines, made.block.textBytes]).to.deep.equal([undefined, 0]);
    expect(made.memory.account.used).to.equal(0);
  });

  it("recent-block.1: it moves to another line of the account with all that it costs, and is dropped there", () => {
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
    const story = new Story();
    story.add(3, 4);
    story.add(5, 5);
    expect(() => story.add(7, 7)).to.throw();
    expect(() => story.add(5, 5)).to.throw();
  });

  it("O9: a range begins and ends anywhere, over several blocks", () => {
    const story = new Story();
    for (const [first, last] of [
      [3, 4],
      [5, 5],
      [6, 9],
    ] as const)
      story.add(first, last);
    for (let first = 3; first <= 9; first++) {
      for (let last = first; last <= 9; last++) {
        expect(story.recent.range(first, last), `${first}-${last}`).to.deep.equal(
          lines(first, last),
        );
      }
    }
    expect(story.recent.range(2, 9)).to.deep.equal(NOT_HERE);
    expect(story.recent.range(10, 12)).to.deep.equal(NOT_HERE);
    expect(story.recent.range(9, 12)).to.deep.equal(lines(9, 9));
    expect(new Story().recent.range(1, 1)).to.deep.equal(NOT_HERE);
  });

  it("O9: a range has RANGE_EVENTS_MAX lines at the most", () => {
    const story = new Story();
    story.add(1, RANGE_EVENTS_MAX - 1);
    story.add(RANGE_EVENTS_MAX, RANGE_EVENTS_MAX + 9);
    expect(story.recent.range(1, RANGE_EVENTS_MAX + 9)).to.deep.equal(lines(1, RANGE_EVENTS_MAX));
  });

  it("O9: a range has RANGE_BYTES_MAX of text at the most, but one line in any case", () => {
    const story = new Story();
    const half = RANGE_BYTES_MAX / 4; // Two bytes a unit.
    story.recent.add({ first: 1, lines: texts(1, 2, half), logSeq: 1 });
    story.recent.add({ first: 3, lines: texts(3, 3, 1), logSeq: 2 });
    story.recent.add({ first: 4, lines: texts(4, 4, RANGE_BYTES_MAX), logSeq: 3 });
    const count = (first: Seq): number => {
      const answer = story.recent.range(first, 9);
      return answer.kind === "lines" ? answer.lines.length : -1;
    };
    expect([1, 2, 3, 4].map(count)).to.deep.equal([2, 2, 1, 1]);
  });

  it("recent.2: lines whose text was given up are in the log, or left to the archive that they came from", () => {
    const story = new Story();
    story.recent.addTail(1, texts(1, 2));
    const [third, fourth] = [story.add(3, 4), story.add(5, 6)];
    third.giveUp();
    expect(story.recent.range(4, 6)).to.deep.equal({ kind: "in-log", logSeq: 103 });
    expect(story.recent.range(2, 6)).to.deep.equal(lines(2, 2));
    expect(story.recent.range(5, 6)).to.deep.equal(lines(5, 6));
    fourth.giveUp();
    expect(story.recent.range(6, 6)).to.deep.equal({ kind: "in-log", logSeq: 105 });
    const [tail] = story.recent.takeAll();
    tail?.giveUp();
    const other = new Story();
    other.recent.adopt(tail!);
    expect(other.recent.range(1, 1)).to.deep.equal(NOT_HERE);
  });

  it("recent.3: archived lines move to the tails, and TAIL_EVENTS of them stay", () => {
    const story = new Story();
    for (let first = 1; first <= 2 * TAIL_EVENTS; first += 2) story.add(first, first + 1);
    expect(story.held).to.deep.equal([TAIL_EVENTS * cost(2), 0]);
    story.recent.trim(4);
    expect(story.held[0]).to.equal((TAIL_EVENTS - 2) * cost(2));
    expect(story.held[1], "far behind the last ones").to.equal(0);
    story.recent.trim(2 * TAIL_EVENTS - 1); // Half of a block is no block.
    expect(story.held).to.deep.equal([cost(2), (TAIL_EVENTS / 2 - 1) * cost(2)]);
    expect(story.recent.range(TAIL_EVENTS, 999)).to.deep.equal(NOT_HERE);
    expect(story.recent.range(TAIL_EVENTS + 1, 999)).to.deep.equal(
      lines(TAIL_EVENTS + 1, 2 * TAIL_EVENTS),
    );
    story.recent.trim(2 * TAIL_EVENTS);
    expect(story.held).to.deep.equal([0, (TAIL_EVENTS / 2) * cost(2)]);
  });

  it("recent.3: a tail that is one line longer than TAIL_EVENTS loses it, and one that is as long stays", () => {
    for (const [count, kept] of [
      [TAIL_EVENTS, TAIL_EVENTS],
      [TAIL_EVENTS + 1, TAIL_EVENTS],
    ] as const) {
      const story = new Story();
      for (let seq = 1; seq <= count; seq++) story.add(seq, seq);
      story.recent.trim(count);
      expect(story.held).to.deep.equal([0, kept * cost(1)]);
    }
  });

  it("recent.3: a tail that is given up goes as a whole, and unarchived lines stay", () => {
    const story = new Story();
    story.recent.addTail(1, texts(1, 3));
    story.add(4, 5);
    story.add(6, 7);
    story.recent.trim(5);
    expect(story.held).to.deep.equal([cost(2), cost(3) + cost(2)]);
    story.recent.giveUpTail();
    expect(story.held).to.deep.equal([cost(2), 0]);
    story.recent.giveUpTail();
    expect(story.recent.range(5, 7)).to.deep.equal(NOT_HERE);
    expect(story.recent.range(6, 7)).to.deep.equal(lines(6, 7));
  });

  it("recent.4: places go up to a number, whole blocks alone", () => {
    const story = new Story();
    for (const first of [1, 3, 5]) story.add(first, first + 1);
    story.recent.forgetUpTo(1);
    expect(story.recent.range(1, 1)).to.deep.equal(lines(1, 1));
    story.recent.forgetUpTo(5);
    expect(story.recent.range(4, 4)).to.deep.equal(NOT_HERE);
    expect(story.recent.range(5, 6)).to.deep.equal(lines(5, 6));
    expect(story.held).to.deep.equal([cost(2), 0]);
    story.recent.trim(6);
    expect(story.held).to.deep.equal([0, cost(2)]);
    story.recent.clear();
    expect(story.held).to.deep.equal([0, 0]);
    expect(story.recent.range(5, 6)).to.deep.equal(NOT_HERE);
  });

  it("recent.3: what was archived is counted anew after all blocks were taken out", () => {
    const story = new Story();
    story.recent.addTail(1, texts(1, 3));
    const blocks = story.recent.takeAll();
    expect(blocks.map(({ first, last }) => [first, last])).to.deep.equal([[1, 3]]);
    expect(story.recent.takeAll()).to.deep.equal([]);
    story.add(9, 9);
    story.recent.giveUpTail();
    expect(story.recent.range(9, 9)).to.deep.equal(lines(9, 9));
  });

  it("room-memory.1: what is left of a tail whose oldest places went is still given up under pressure", () => {
    const story = new Story();
    story.recent.addTail(1, texts(1, 3));
    story.add(4, 5);
    story.recent.trim(5);
    story.recent.forgetUpTo(3);
    expect(story.held).to.deep.equal([0, cost(2)]);
    story.memory.account.bytesMax = 1;
    story.memory.shed();
    expect(story.held).to.deep.equal([0, 0]);
  });

  it("room-memory.1: a tail is given up under pressure, the least recently used first, and only while there is one", () => {
    const memory = new RoomMemory(1 << 24);
    const stories = [1, 2, 3].map(() => new Recent(memory, OWNER));
    for (const recent of stories) recent.addTail(1, texts(1, 3));
    const at = (): boolean[] => stories.map((recent) => recent.range(1, 1).kind === "lines");
    stories[0]!.range(1, 1); // Used again: the second one is the oldest now.
    memory.account.bytesMax = 2 * cost(3) + 100;
    memory.account.add("rooms", 50);
    memory.shed();
    expect(memory.account.usedBy("tails")).to.equal(2 * cost(3));
    expect(stories[1]!.range(1, 1)).to.deep.equal(NOT_HERE);
    expect(at()).to.deep.equal([true, false, true]);
  });
});
