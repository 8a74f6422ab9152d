// Feed, by example: join, resume, gaps, slow sockets. A line is its number.

import { expect } from "chai";
import {
  FETCH_RETRY_BASE_MS,
  FETCHES_PER_FEED_MAX,
  FLUSH_GAP_MAX_MS,
  READER_TIMEOUT_MS,
  RING_BYTES_MAX,
} from "../core/bounds.ts";
import { FeedBench } from "./feed-bench.ts";

describe("Feed: join and resume", () => {
  it("O8: an empty room answers joined and caught-up at once", () => {
    const bench = new FeedBench();
    expect(bench.join("ada", 0).got).to.deep.equal(["joined 0 from 1", "caught-up 0"]);
  });

  it("O7: `tail` begins with the last k, and live lines follow without a repeat", () => {
    const bench = new FeedBench();
    const ada = bench.join("ada", 10, { tail: 3 });
    expect(bench.fetches).to.deep.equal([{ first: 8, last: 10, head: 10 }]);
    bench.out(11); // Arrives while the tail is being read.
    bench.answer();
    expect(ada.got).to.deep.equal(["joined 10 from 8", "8", "9", "10", "11", "caught-up 11"]);
    bench.out(12);
    expect(ada.got.at(-1)).to.equal("12");
  });

  it("O7: `after: n` returns exactly the lines after n", () => {
    const bench = new FeedBench();
    const ada = bench.join("ada", 10, { after: 7 });
    bench.answer();
    expect(ada.got).to.deep.equal(["joined 10 from 8", "8", "9", "10", "caught-up 10"]);
  });

  it("O8: `tail: 0` and `after` at the head are caught up at once", () => {
    const bench = new FeedBench();
    const tail = bench.join("ada", 10, { tail: 0 });
    const after = bench.join("bob", 10, { after: 10 });
    for (const { got } of [tail, after]) {
      expect(got).to.deep.equal(["joined 10 from 11", "caught-up 10"]);
    }
  });

  it("O7: `after` above the head starts right above the head", () => {
    const bench = new FeedBench();
    const ada = bench.join("ada", 10, { after: 99 });
    bench.out(11);
    expect(ada.got).to.deep.equal(["joined 10 from 11", "caught-up 10", "11"]);
  });

  it("O7: lines between the subscription and the owner's answer are not lost", () => {
    const bench = new FeedBench();
    bench.out(10);
    bench.out(11);
    const ada = bench.join("ada", 10, { tail: 0 });
    expect(ada.numbers).to.deep.equal([11]);
  });

  it("O7: a head beyond the broadcasts is fetched before a new member counts as caught up", () => {
    const bench = new FeedBench();
    bench.join("ada", 10, { tail: 0 });
    const bob = bench.join("bob", 12, { after: 11 });
    expect(bob.got).to.deep.equal(["joined 12 from 12"]);
    bench.answer();
    expect(bob.got).to.deep.equal(["joined 12 from 12", "12", "caught-up 12"]);
  });

  it("O7: a resume 10,000 back is read in chunks, from the ring once it has them", () => {
    const bench = new FeedBench();
    const ada = bench.join("ada", 12_000, { after: 2_000 });
    while (bench.fetches.length > 0) bench.answer();
    const expected = Array.from({ length: 10_000 }, (_, i) => 2_001 + i);
    expect(ada.numbers).to.deep.equal(expected);
    expect(ada.got.at(-1)).to.equal("caught-up 12000");
  });

  it("O7: readers of the same lines share one fetch, and later readers use the ring", () => {
    const bench = new FeedBench();
    const members = ["a", "b", "c"].map((name) => bench.join(name, 100, { tail: 20 }));
    members.push(bench.join("d", 100, { tail: 10 }));
    expect(bench.fetches).to.have.length(1);
    expect(bench.shared).to.deep.equal(["b 81", "c 81", "d 81"]);
    bench.answer();
    for (const { numbers } of members) expect(numbers.at(-1)).to.equal(100);
    expect(members.map(({ numbers }) => numbers.length)).to.deep.equal([20, 20, 20, 10]);
    bench.join("e", 100, { tail: 15 });
    expect(bench.fetches).to.deep.equal([]);
  });

  it("O7: too many different resumes wait for a fetch to end, and all are served", () => {
    const bench = new FeedBench();
    const members = Array.from({ length: 40 }, (_, i) =>
      bench.join(String(i), 100_000, { after: 90_000 - i * 2_000 }),
    );
    expect(bench.fetches).to.have.length(FETCHES_PER_FEED_MAX);
    while (bench.fetches.length > 0) bench.answer();
    for (const [i, { numbers }] of members.entries()) {
      expect(numbers.length).to.equal(10_000 + i * 2_000);
    }
  });
});

describe("Feed: gaps", () => {
  it("O9: lines behind a gap wait until the gap is filled", () => {
    const bench = new FeedBench();
    const ada = bench.join("ada", 0);
    bench.out(1);
    bench.out(4, 5);
    bench.out(8);
    expect(ada.numbers).to.deep.equal([1]);
    expect(bench.fetches).to.deep.equal([{ first: 2, last: 3, head: 5 }]);
    bench.answer();
    expect(ada.numbers).to.deep.equal([1, 2, 3, 4, 5]);
    bench.answer();
    expect(ada.numbers).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("O9: a part of a gap is accepted, and the rest is fetched again", () => {
    const bench = new FeedBench();
    const ada = bench.join("ada", 0);
    bench.out(10);
    bench.answer(4);
    expect(ada.numbers).to.deep.equal([1, 2, 3, 4]);
    expect(bench.fetches).to.deep.equal([{ first: 5, last: 9, head: 10 }]);
    bench.answer();
    expect(ada.numbers).to.have.length(10);
  });

  it("O9: repeats and overlaps are dropped", () => {
    const bench = new FeedBench();
    const ada = bench.join("ada", 0);
    bench.out(1, 3);
    bench.out(2, 3);
    bench.out(2, 5);
    expect(ada.numbers).to.deep.equal([1, 2, 3, 4, 5]);
  });

  it("O10: a head above the last line is a gap", () => {
    const bench = new FeedBench();
    const ada = bench.join("ada", 3, { tail: 0 });
    bench.head(3);
    expect(bench.fetches).to.deep.equal([]);
    bench.head(4);
    bench.answer();
    expect(ada.numbers).to.deep.equal([4]);
  });

  it("O9: a fetch that returns nothing is repeated with growing waits until it succeeds", () => {
    const bench = new FeedBench();
    const ada = bench.join("ada", 0);
    bench.out(2);
    const waits: number[] = [];
    for (let i = 0; i < 7; i++) {
      const asked = bench.now;
      bench.answer("nothing");
      while (bench.fetches.length === 0) bench.advance(1);
      waits.push(bench.now - asked);
    }
    expect(waits).to.deep.equal([1, 2, 4, 8, 16, 20, 20].map((n) => n * FETCH_RETRY_BASE_MS));
    bench.answer();
    expect(ada.numbers).to.deep.equal([1, 2]);
  });

  it("O9: more waiting blocks than the bound cost a fetch and lose nothing", () => {
    const bench = new FeedBench();
    const ada = bench.join("ada", 0);
    for (let seq = 2; seq <= 1_000; seq++) bench.out(seq);
    while (bench.fetches.length > 0) bench.answer();
    expect(ada.numbers).to.deep.equal(Array.from({ length: 1_000 }, (_, i) => i + 1));
  });

  it("O9: without members a gap is skipped and costs no fetch", () => {
    const bench = new FeedBench();
    const ada = bench.join("ada", 0);
    bench.step({ kind: "leave", member: ada });
    bench.out(100);
    expect(bench.fetches).to.deep.equal([]);
    const bob = bench.join("bob", 101, { after: 99 });
    while (bench.fetches.length > 0) bench.answer();
    expect(bob.numbers).to.deep.equal([100, 101]);
  });
});

describe("Feed: flush", () => {
  it("L5: a quiet room writes at once, a busy one after twelve times the cost of the last flush", () => {
    const bench = new FeedBench();
    bench.costMs = 4;
    bench.join("ada", 0);
    bench.out(1);
    for (let seq = 2; seq <= 10; seq++) bench.out(seq);
    expect(bench.flushes).to.deep.equal([{ at: 0, lines: 1, members: 1 }]);
    bench.advance(47);
    expect(bench.flushes).to.have.length(1);
    bench.advance(1);
    expect(bench.flushes[1]).to.deep.equal({ at: 48, lines: 9, members: 1 });
    bench.advance(1_000);
    bench.out(11);
    expect(bench.flushes[2]).to.deep.equal({ at: 1_048, lines: 1, members: 1 });
  });

  it("L5: the gap is never longer than FLUSH_GAP_MAX_MS", () => {
    const bench = new FeedBench();
    bench.costMs = 400;
    bench.join("ada", 0);
    bench.out(1);
    bench.out(2);
    bench.advance(FLUSH_GAP_MAX_MS);
    expect(bench.flushes.map(({ at }) => at)).to.deep.equal([0, FLUSH_GAP_MAX_MS]);
  });

  it("L5: no flush begins during another, and a member that joins meanwhile receives each line once", () => {
    const bench = new FeedBench();
    bench.holdsFlush = true;
    const ada = bench.join("ada", 0);
    bench.out(1);
    bench.out(2);
    const bob = bench.join("bob", 2, { after: 0 });
    bench.holdsFlush = false;
    bench.finishFlush();
    bench.advance(100);
    expect(ada.numbers).to.deep.equal([1, 2]);
    expect(bob.numbers).to.deep.equal([1, 2]);
  });

  it("L5: a member that leaves during a flush receives none of it", () => {
    const bench = new FeedBench();
    bench.holdsFlush = true;
    const ada = bench.join("ada", 0);
    bench.out(1);
    bench.step({ kind: "leave", member: ada });
    bench.finishFlush();
    expect(ada.numbers).to.deep.equal([]);
  });
});

describe("Feed: slow sockets", () => {
  it("L6: a member with a full socket is not live, receives nothing until it drained, and then everything", () => {
    const bench = new FeedBench();
    const ada = bench.join("ada", 0);
    const bob = bench.join("bob", 0);
    ada.isFull = true;
    bench.out(1);
    expect(bench.feed.isLive(ada)).to.equal(false);
    for (let seq = 2; seq <= 5; seq++) bench.out(seq);
    expect(ada.numbers).to.deep.equal([1]);
    expect(bob.numbers).to.deep.equal([1, 2, 3, 4, 5]);
    bench.drain(ada);
    expect(ada.numbers).to.deep.equal([1, 2, 3, 4, 5]);
    expect(bench.feed.isLive(ada)).to.equal(true);
    expect(ada.got.filter((item) => item.startsWith("caught-up"))).to.have.length(1);
  });

  it("O11: a reader below the ring fetches the rest, and the ring stays bounded", () => {
    const bench = new FeedBench();
    const ada = bench.join("ada", 0);
    ada.isFull = true;
    for (let seq = 1; seq <= 300; seq++) bench.out(seq, seq, 10_000);
    expect(bench.feed.ringBytes).to.be.at.most(RING_BYTES_MAX);
    expect(bench.fetches).to.deep.equal([]);
    bench.drain(ada);
    let fetched = 0;
    for (; bench.fetches.length > 0; fetched++) bench.answer(undefined, 10_000);
    expect(fetched).to.be.greaterThan(0);
    expect(ada.numbers).to.deep.equal(Array.from({ length: 300 }, (_, i) => i + 1));
  });

  it("O11: more lines at once than the ring holds make every member a reader and lose nothing", () => {
    const bench = new FeedBench();
    bench.costMs = 100;
    const ada = bench.join("ada", 0);
    bench.out(1);
    for (let seq = 2; seq <= 300; seq++) bench.out(seq, seq, 10_000);
    bench.advance(FLUSH_GAP_MAX_MS);
    while (bench.fetches.length > 0) bench.answer(undefined, 10_000);
    expect(ada.numbers).to.deep.equal(Array.from({ length: 300 }, (_, i) => i + 1));
  });

  it("O11: an emptied ring costs fetches and loses nothing", () => {
    const bench = new FeedBench();
    bench.join("ada", 0);
    bench.out(1, 10);
    bench.step({ kind: "forget" });
    expect(bench.feed.ringBytes).to.equal(0);
    const bob = bench.join("bob", 10, { after: 5 });
    bench.answer();
    bench.out(11);
    expect(bob.numbers).to.deep.equal([6, 7, 8, 9, 10, 11]);
  });

  it("O11: a reader without lines for a minute is closed, and others are not", () => {
    const bench = new FeedBench();
    const ada = bench.join("ada", 10, { after: 5 });
    const bob = bench.join("bob", 10, { tail: 0 });
    while (bench.now < READER_TIMEOUT_MS + 2_000) {
      while (bench.fetches.length > 0) bench.answer("nothing");
      bench.advance(100);
    }
    expect(bench.starved).to.deep.equal([ada]);
    expect(bench.feed.isLive(bob)).to.equal(true);
    expect(bench.fetches).to.deep.equal([]);
  });
});
