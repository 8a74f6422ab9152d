// Feed, by example: one input, and exactly its effects. The bench performs none of them.

import { expect } from "chai";
import { unreachable } from "#shared/kit/assert.ts";
import type { Seq } from "#shared/protocol/ids.ts";
import { blockLast } from "#shared/protocol/lines.ts";
import { RANGE_EVENTS_MAX } from "#shared/protocol/limits.ts";
import {
  FETCH_RETRY_BASE_MS,
  FETCHES_PER_FEED_MAX,
  READER_TIMEOUT_MS,
  RING_BYTES_MAX,
} from "../core/bounds.ts";
import { Feed } from "../core/feed.ts";
import type { FeedEffect, FeedInput } from "../core/feed-io.ts";
import { SharedBound } from "../core/shared-bound.ts";
import { blockOf } from "./feed-bench.ts";

class Bench {
  now = 0;
  readonly total = new SharedBound(1e9);
  readonly feed = new Feed<string>({ factor: 10, gapMaxMs: 50 }, this.total);

  step(input: FeedInput<string>): string[] {
    return this.feed.step(input, this.now).map(inWords);
  }

  join(member: string, head: Seq, from: { after?: Seq; tail?: number } = {}): string[] {
    return this.step({ kind: "join", member, head, tail: 0, ...from });
  }

  out(first: Seq, last = first, size = 1): string[] {
    return this.step({ kind: "out", block: blockOf(first, last, size) });
  }

  /** The owner repeats its head. */
  head(head: Seq): string[] {
    return this.step({ kind: "out", block: { first: head, count: 0, bytes: new Uint8Array() } });
  }

  fetched(first: Seq, last?: Seq): string[] {
    const block = last === undefined ? undefined : blockOf(first, last);
    return this.step({ kind: "fetched", first, block });
  }

  /** Flushes at once and returns the written lines. */
  flush(costMs = 0): string[] {
    return [...this.step({ kind: "flush" }), ...this.step({ kind: "flushed", costMs })];
  }

  turn(member: string): string[] {
    return this.step({ kind: "turn", member });
  }

  written(member: string): string[] {
    return this.step({ kind: "chunk-written", member });
  }

  leave(member: string): string[] {
    return this.step({ kind: "leave", member });
  }

  wakeAt(now: number): string[] {
    this.now = now;
    return this.step({ kind: "wake" });
  }
}

function inWords(effect: FeedEffect<string>): string {
  switch (effect.kind) {
    case "flush-soon":
      return "flush-soon";
    case "write":
      return `write ${effect.from}-${effect.to} to ${effect.members.join()}`;
    case "chunk":
      return `chunk ${effect.blocks[0]!.first}-${blockLast(effect.blocks.at(-1)!)} to ${effect.member}`;
    case "joined":
      return `joined ${effect.member} ${effect.head} from ${effect.from}`;
    case "caught-up":
      return `caught-up ${effect.member} ${effect.seq}`;
    case "removed":
      return `removed ${effect.member} after ${effect.seq}: ${effect.reason}`;
    case "fetch":
    case "share-fetch": {
      const { kind, first, last, head, member } = effect;
      return `${kind} ${first}-${last} of ${head}${member === undefined ? "" : ` for ${member}`}`;
    }
    case "request-turn":
    case "end-turn":
    case "starved":
      return `${effect.kind} ${effect.member}`;
    default:
      return unreachable(effect);
  }
}

describe("Feed steps: heads and gaps", () => {
  it("O10: a head only grows, from an owner's answer, a broadcast or a join", () => {
    const bench = new Bench();
    expect([bench.feed.isOpen, bench.feed.head, bench.feed.wakeAt]).to.deep.equal([
      false,
      0,
      undefined,
    ]);
    expect(bench.step({ kind: "head", head: 4 })).to.deep.equal([]);
    expect(bench.head(9)).to.deep.equal([]);
    expect(bench.head(7)).to.deep.equal([]);
    expect(bench.step({ kind: "head", head: 5 })).to.deep.equal([]);
    expect([bench.feed.head, bench.feed.last]).to.deep.equal([9, 0]);
    expect(bench.join("ada", 3)).to.deep.equal([
      "joined ada 3 from 4",
      "caught-up ada 3",
      "fetch 4-9 of 9",
    ]);
    expect([bench.feed.isOpen, bench.feed.head, bench.feed.last]).to.deep.equal([true, 9, 3]);
    expect(bench.join("bob", 2)).to.deep.equal(["joined bob 3 from 4", "caught-up bob 3"]);
    expect(bench.feed.head).to.equal(9);
    expect(bench.step({ kind: "head", head: 12 }), "one fetch at a time").to.deep.equal([]);
    expect(bench.fetched(4, 9)).to.deep.equal(["fetch 10-12 of 12", "flush-soon"]);
    expect(bench.fetched(10, 14), "more than the requested range").to.deep.equal([]);
    expect([bench.feed.head, bench.feed.last]).to.deep.equal([14, 14]);
  });

  it("O9: a gap is fetched up to the reorder buffer, at most RANGE_EVENTS_MAX at a time", () => {
    const bench = new Bench();
    bench.join("ada", 0);
    expect(bench.out(3_000)).to.deep.equal([`fetch 1-${RANGE_EVENTS_MAX} of 3000`]);
    expect(bench.fetched(1, 1_000)[0]).to.equal("fetch 1001-2000 of 3000");
    expect(bench.out(1_500)).to.deep.equal([]);
    expect(bench.fetched(1_001, 1_400)[0]).to.equal("fetch 1401-1499 of 3000");
  });

  it("O9: a fetch of a gap ignores the bound of fetches", () => {
    const bench = new Bench();
    bench.join("ada", 100_000);
    for (let n = 0; n < FETCHES_PER_FEED_MAX; n++) {
      bench.join(`reader-${n}`, 100_000, { after: n * 2_000 });
      expect(bench.turn(`reader-${n}`)[0]).to.match(/^fetch/);
    }
    expect(bench.out(100_005)).to.deep.equal(["fetch 100001-100004 of 100005"]);
  });

  it("O9: without members a gap is skipped, and older lines are dropped", () => {
    const bench = new Bench();
    bench.join("ada", 0);
    bench.out(1);
    expect(bench.flush()).to.deep.equal(["write 1-1 to ada"]);
    expect(bench.leave("ada")).to.deep.equal([]);
    expect(bench.leave("ada")).to.deep.equal([]);
    expect(bench.out(100)).to.deep.equal([]);
    expect([bench.feed.last, bench.feed.head, bench.total.bytes]).to.deep.equal([100, 100, 0]);
    expect([bench.feed.read(1, 100), bench.feed.ringBytes]).to.deep.equal([[], 0]);
    expect(bench.out(101)).to.deep.equal(["flush-soon"]);
    expect(bench.flush()).to.deep.equal([]);
    expect(bench.feed.read(101, 101)).to.have.length(1);
  });

  it("O9: the first join of an empty feed jumps to its head and keeps newer lines", () => {
    const bench = new Bench();
    bench.join("ada", 0);
    bench.out(1, 5);
    bench.flush();
    bench.leave("ada");
    expect(bench.join("bob", 5, { after: 3 })).to.deep.equal([
      "joined bob 5 from 4",
      "request-turn bob",
    ]);
    expect(bench.turn("bob"), "the ring has them").to.deep.equal(["chunk 4-5 to bob"]);
    bench.leave("bob");
    expect(bench.join("eve", 8)).to.deep.equal(["joined eve 8 from 9", "caught-up eve 8"]);
    expect([bench.feed.last, bench.feed.ringBytes]).to.deep.equal([8, 0]);
  });

  it("O9: with members the same head is a gap, and live members receive its lines too", () => {
    const bench = new Bench();
    bench.join("ada", 10);
    expect(bench.join("bob", 12, { after: 10 })).to.deep.equal([
      "joined bob 12 from 11",
      "fetch 11-12 of 12",
    ]);
    expect(bench.feed.wakeAt, "bob's patience").to.equal(READER_TIMEOUT_MS);
    expect(bench.fetched(11, 12)).to.deep.equal(["flush-soon"]);
    expect(bench.step({ kind: "flush" })).to.deep.equal(["write 11-12 to ada"]);
    expect(bench.step({ kind: "flushed", costMs: 0 })).to.deep.equal(["request-turn bob"]);
    expect(bench.turn("bob")).to.deep.equal(["chunk 11-12 to bob"]);
    expect(bench.written("bob")).to.deep.equal(["end-turn bob", "caught-up bob 12"]);
  });

  it("O7: a head that arrived before the first join delays nothing", () => {
    const bench = new Bench();
    bench.head(10);
    bench.out(8);
    expect(bench.join("ada", 5).at(-1)).to.equal("fetch 6-7 of 10");
    const empty = new Bench();
    empty.head(10);
    expect(empty.total.bytes).to.equal(0);
    expect(empty.join("ada", 5).at(-1)).to.equal("fetch 6-10 of 10");
    empty.out(12);
    expect(empty.total.bytes).to.be.greaterThan(0);
    empty.feed.end();
    expect(empty.total.bytes).to.equal(0);
  });
});

describe("Feed steps: flushing", () => {
  it("L5: one flush is requested, and another after it ends with new lines", () => {
    const bench = new Bench();
    bench.join("ada", 0);
    bench.join("bob", 0);
    expect([bench.feed.members, bench.feed.readers]).to.deep.equal([2, 0]);
    expect(bench.step({ kind: "flush" }), "no line arrived").to.deep.equal([]);
    expect(bench.out(1)).to.deep.equal(["flush-soon"]);
    expect(bench.feed.wakeAt, "it is requested already").to.equal(undefined);
    expect(bench.out(2)).to.deep.equal([]);
    expect(bench.step({ kind: "flush" })).to.deep.equal(["write 1-2 to ada,bob"]);
    expect(bench.out(3), "one is in progress").to.deep.equal([]);
    expect(bench.feed.wakeAt).to.equal(undefined);
    expect(bench.step({ kind: "flush" })).to.deep.equal([]);
    expect(bench.step({ kind: "flushed", costMs: 2 })).to.deep.equal([]);
    expect(bench.feed.wakeAt).to.equal(20);
    expect(bench.wakeAt(19)).to.deep.equal([]);
    expect(bench.wakeAt(20)).to.deep.equal(["flush-soon"]);
    expect(bench.flush()).to.deep.equal(["write 3-3 to ada,bob"]);
    expect(bench.feed.wakeAt).to.equal(undefined);
  });

  it("L5: without a live member nothing is written, and readers may request the lines", () => {
    const bench = new Bench();
    bench.join("ada", 5, { after: 0 });
    expect([bench.feed.members, bench.feed.readers, bench.feed.isLive("ada")]).to.deep.equal([
      1,
      1,
      false,
    ]);
    bench.out(6);
    expect(bench.step({ kind: "flush" })).to.deep.equal([]);
    expect(bench.leave("ada"), "it waited for a turn").to.deep.equal(["end-turn ada"]);
    const late = new Bench();
    late.join("ada", 5);
    late.join("bob", 7, { after: 5 });
    late.leave("ada");
    late.fetched(6, 7);
    expect(late.step({ kind: "flush" })).to.deep.equal(["request-turn bob"]);
  });

  it("O11: more lines than the ring holds make each live member a reader, once", () => {
    const bench = new Bench();
    bench.join("ada", 0);
    bench.out(1);
    bench.flush(100);
    for (let seq = 2; seq <= 4; seq++) bench.out(seq, seq, RING_BYTES_MAX / 2);
    expect(bench.wakeAt(50)).to.deep.equal(["flush-soon"]);
    expect(bench.step({ kind: "flush" })).to.deep.equal(["request-turn ada"]);
    expect([bench.feed.members, bench.feed.isLive("ada")]).to.deep.equal([1, false]);
    expect(bench.turn("ada")).to.deep.equal(["fetch 2-3 of 4 for ada"]);
  });

  it("O11: a memory shortage drops the flushed lines and keeps the others", () => {
    const bench = new Bench();
    bench.join("ada", 0);
    bench.out(1, 3);
    bench.flush(5);
    bench.out(4);
    expect(bench.step({ kind: "forget" })).to.deep.equal([]);
    expect(bench.feed.read(1, 4)).to.deep.equal([]);
    expect(bench.feed.read(4, 4)).to.have.length(1);
  });
});

describe("Feed steps: readers", () => {
  it("L7: a member that does not wait for a turn returns it", () => {
    const bench = new Bench();
    bench.join("ada", 5);
    expect(bench.turn("ada")).to.deep.equal(["end-turn ada"]);
    expect(bench.turn("stranger")).to.deep.equal(["end-turn stranger"]);
    expect(bench.written("stranger")).to.deep.equal([]);
    expect(bench.written("ada")).to.deep.equal([]);
    expect(bench.step({ kind: "full", member: "stranger", cursor: 5 })).to.deep.equal([]);
    expect(bench.step({ kind: "full", member: "ada", cursor: 5 })).to.deep.equal([
      "request-turn ada",
    ]);
    expect(bench.step({ kind: "full", member: "ada", cursor: 5 })).to.deep.equal([]);
    expect(bench.turn("ada"), "no line arrived meanwhile").to.deep.equal(["end-turn ada"]);
    expect(bench.feed.isLive("ada")).to.equal(true);
  });

  it("feed.4: a reader's fetch ends below the ring and after RANGE_EVENTS_MAX lines", () => {
    const bench = new Bench();
    bench.join("live", 5_000);
    bench.out(5_001);
    bench.flush();
    bench.join("ada", 5_001, { after: 10 });
    expect(bench.turn("ada")).to.deep.equal(["fetch 11-1010 of 5001 for ada"]);
    bench.join("bob", 5_001, { after: 4_990 });
    expect(bench.turn("bob"), "up to the ring").to.deep.equal(["fetch 4991-5000 of 5001 for bob"]);
    bench.join("eve", 5_001, { after: 1_009 });
    expect(bench.turn("eve")).to.deep.equal(["share-fetch 11-1010 of 5001 for eve"]);
    bench.join("joe", 5_001, { after: 1_010 });
    expect(bench.turn("joe")).to.deep.equal(["fetch 1011-2010 of 5001 for joe"]);
    expect(bench.fetched(11, 1_010), "only to members that wait for it").to.deep.equal([
      "chunk 11-1010 to ada",
      "chunk 1010-1010 to eve",
    ]);
    expect(bench.fetched(4_991, 5_000)).to.deep.equal(["chunk 4991-5000 to bob"]);
    expect(bench.feed.read(4_995, 5_001).map(({ count }) => count)).to.deep.equal([6, 1]);
    expect(bench.written("bob")).to.deep.equal(["end-turn bob", "request-turn bob"]);
    expect(bench.turn("bob")).to.deep.equal(["chunk 5001-5001 to bob"]);
  });

  it("feed.4: members whose shared fetch returns less than they need return their turns", () => {
    const bench = new Bench();
    bench.join("ada", 100, { after: 10 });
    bench.turn("ada");
    bench.join("bob", 100, { after: 50 });
    expect(bench.turn("bob")).to.deep.equal(["share-fetch 11-100 of 100 for bob"]);
    expect(bench.fetched(11, 50)).to.deep.equal([
      "chunk 11-50 to ada",
      "end-turn bob",
      "request-turn bob",
    ]);
    expect(bench.turn("bob")).to.deep.equal(["fetch 51-100 of 100 for bob"]);
    expect(bench.fetched(51, 100)).to.deep.equal(["chunk 51-100 to bob"]);
    expect(bench.feed.read(51, 100), "the newest lines stay").to.have.length(1);
    expect(bench.feed.read(50, 100)).to.deep.equal([]);
  });

  it("fetches.2: no block, an empty block and other lines are failures; all who share the fetch stop waiting", () => {
    const failures = [
      undefined,
      { first: 11, count: 0, bytes: new Uint8Array() },
      blockOf(12, 100),
      blockOf(10, 100),
    ];
    for (const block of failures) {
      const bench = new Bench();
      bench.join("ada", 5_000, { after: 10 });
      bench.turn("ada");
      bench.join("bob", 5_000, { after: 20 });
      bench.turn("bob");
      bench.join("eve", 5_000, { after: 3_000 });
      bench.turn("eve");
      expect(bench.step({ kind: "fetched", first: 11, block })).to.deep.equal([
        "end-turn ada",
        "end-turn bob",
      ]);
      expect(bench.feed.wakeAt).to.equal(FETCH_RETRY_BASE_MS);
      expect(bench.wakeAt(FETCH_RETRY_BASE_MS - 1)).to.deep.equal([]);
      expect(bench.wakeAt(FETCH_RETRY_BASE_MS)).to.deep.equal([
        "fetch 11-1010 of 5000 for ada",
        "request-turn ada",
        "request-turn bob",
      ]);
      expect(bench.turn("bob")).to.deep.equal(["share-fetch 11-1010 of 5000 for bob"]);
    }
  });

  it("feed.4: late lines of a failed fetch are offered and not written", () => {
    const bench = new Bench();
    bench.join("ada", 100, { after: 10 });
    bench.turn("ada");
    expect(bench.fetched(11)).to.deep.equal(["end-turn ada"]);
    expect(bench.fetched(11, 100)).to.deep.equal(["request-turn ada"]);
    expect(bench.turn("ada")).to.deep.equal(["chunk 11-100 to ada"]);
  });

  it("fetches.2: a wake-up for a flush does not retry a failed fetch", () => {
    const bench = new Bench();
    bench.join("live", 100);
    bench.join("ada", 100, { after: 10 });
    bench.turn("ada");
    bench.out(101);
    bench.flush(2);
    expect(bench.fetched(11)).to.deep.equal(["end-turn ada"]);
    bench.out(102);
    expect(bench.wakeAt(20)).to.deep.equal(["flush-soon"]);
  });

  it("fetches.2: a failed range is retried while a reader needs one of its lines, including the first and last", () => {
    const rows = [
      { after: 9, isWanted: false },
      { after: 10, isWanted: true },
      { after: 1_009, isWanted: true },
      { after: 1_010, isWanted: false },
    ];
    for (const { after, isWanted } of rows) {
      const bench = new Bench();
      bench.join("live", 5_000);
      bench.join("asks", 5_000, { after: 10 });
      expect(bench.turn("asks")).to.deep.equal(["fetch 11-1010 of 5000 for asks"]);
      bench.join("stays", 5_000, { after });
      bench.turn("stays");
      bench.fetched(11);
      bench.fetched(after + 1); // Its own fetch, unless it shares the other one.
      bench.leave("asks");
      const again = bench.wakeAt(FETCH_RETRY_BASE_MS * 2);
      const retried = "fetch 11-1010 of 5000 for stays";
      expect(again.includes(retried), `${after}`).to.equal(isWanted);
    }
  });

  it("fetches.2: a failed gap is retried while the room has members and the gap is open", () => {
    const again = (close: (bench: Bench) => unknown): string[] => {
      const bench = new Bench();
      bench.join("ada", 0);
      bench.out(3);
      bench.fetched(1);
      close(bench);
      return bench.wakeAt(FETCH_RETRY_BASE_MS);
    };
    expect(again(() => undefined)).to.deep.equal(["fetch 1-2 of 3"]);
    expect(again((bench) => bench.out(1))).to.deep.equal(["fetch 1-2 of 3"]);
    expect(again((bench) => bench.out(1, 2))).to.deep.equal([]);
    expect(again((bench) => bench.leave("ada"))).to.deep.equal([]);
  });

  it("L8: a retry for one reader counts as that user's read, a retry of a gap as the room's", () => {
    const bench = new Bench();
    bench.join("ada", 100, { after: 10 });
    bench.turn("ada");
    bench.head(105);
    expect(bench.fetched(11)).to.deep.equal(["end-turn ada"]);
    expect(bench.fetched(101)).to.deep.equal([]);
    expect(bench.wakeAt(FETCH_RETRY_BASE_MS)).to.deep.equal([
      "fetch 11-100 of 105 for ada",
      "fetch 101-105 of 105",
      "request-turn ada",
    ]);
  });

  it("feed.4: beyond the bound of fetches a reader returns its turn, and gets one when a fetch ends", () => {
    const bench = new Bench();
    for (let n = 0; n < FETCHES_PER_FEED_MAX; n++) {
      bench.join(`reader-${n}`, 100_000, { after: n * 2_000 });
      bench.turn(`reader-${n}`);
    }
    bench.join("over", 100_000, { after: 90_000 });
    expect(bench.turn("over")).to.deep.equal(["end-turn over"]);
    expect(bench.turn("over"), "it does not need one now").to.deep.equal(["end-turn over"]);
    expect(bench.fetched(1, 1_000)).to.deep.equal([
      "chunk 1-1000 to reader-0",
      "request-turn over",
    ]);
    expect(bench.turn("over")).to.deep.equal(["fetch 90001-91000 of 100000 for over"]);
  });

  it("L6: a reader without a fetched line is closed a minute after its last chunk", () => {
    const bench = new Bench();
    bench.join("ada", 5_000, { after: 0 });
    bench.turn("ada");
    expect(bench.feed.wakeAt).to.equal(READER_TIMEOUT_MS);
    bench.now = 10_000;
    bench.fetched(1, 1_000);
    expect(bench.written("ada")).to.deep.equal(["end-turn ada", "request-turn ada"]);
    expect(bench.turn("ada")).to.deep.equal(["fetch 1001-2000 of 5000 for ada"]);
    expect(bench.wakeAt(READER_TIMEOUT_MS)).to.deep.equal([]);
    expect(bench.feed.wakeAt).to.equal(10_000 + READER_TIMEOUT_MS);
    expect(bench.wakeAt(10_000 + READER_TIMEOUT_MS - 1)).to.deep.equal([]);
    expect(bench.wakeAt(10_000 + READER_TIMEOUT_MS)).to.deep.equal(["starved ada"]);
    expect([bench.feed.members, bench.feed.wakeAt]).to.deep.equal([0, undefined]);
  });
});
