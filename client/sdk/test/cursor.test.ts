// Cursor, by example and by property: next, repeat, gap and reset.

import { expect } from "chai";
import * as fc from "fast-check";
import type { Seq } from "#shared/protocol/ids.ts";
import { Cursor } from "../core/cursor.ts";

describe("Cursor", () => {
  it("K3: accepts the next number, and neither a repeat nor a number beyond a gap", () => {
    const cursor = new Cursor();
    expect(cursor.begin({ from: 8, head: 10, born: "a" })).to.equal("begun");
    expect(cursor.take(8, "x")).to.equal("next");
    expect(cursor.take(8, "x")).to.equal("repeat");
    expect(cursor.take(10, "x")).to.equal("gap");
    expect(cursor.take(9, "x")).to.equal("next");
    expect(cursor.take(10, "x")).to.equal("next");
    expect(cursor.last).to.equal(10);
    expect(cursor.covers(10)).to.equal(true);
    expect(cursor.covers(11)).to.equal(false);
  });

  it("K3: a join that begins beyond the cursor is a gap, one that begins before it is not", () => {
    const cursor = new Cursor(5);
    expect(cursor.begin({ from: 7, head: 9, born: "a" })).to.equal("gap");
    expect(cursor.begin({ from: 3, head: 9, born: "a" })).to.equal("begun");
    expect(cursor.last).to.equal(5);
  });

  it("K3: another birth or a head below the cursor is a reset", () => {
    const recreated = new Cursor();
    recreated.begin({ from: 1, head: 0, born: "" });
    expect(recreated.begin({ from: 1, head: 0, born: "a" })).to.equal("begun");
    expect(recreated.begin({ from: 1, head: 9, born: "b" })).to.equal("reset");
    expect(recreated.last).to.equal(undefined);
    expect(new Cursor(5).begin({ from: 5, head: 4, born: "a" })).to.equal("reset");
  });

  it("K5: the id of event 1 is the birth of a room that was empty at the join", () => {
    const after = (born: string, head: Seq): string => {
      const cursor = new Cursor();
      cursor.begin({ from: 1, head: 0, born: "" });
      cursor.take(1, "x");
      return cursor.begin({ from: 2, head, born });
    };
    expect(after("x", 1)).to.equal("begun");
    expect(after("y", 1), "another event 1").to.equal("reset");
    expect(after("y", 9), "and a head above the cursor").to.equal("reset");
    const full = new Cursor();
    full.begin({ from: 1, head: 3, born: "declared" });
    full.take(1, "x");
    expect(full.begin({ from: 2, head: 3, born: "declared" }), "a known birth stays").to.equal(
      "begun",
    );
    const none = new Cursor();
    none.begin({ from: 1, head: 0, born: "" });
    expect(none.begin({ from: 1, head: 4, born: "y" }), "nothing was delivered").to.equal("begun");
  });

  it("K5: an application that passes the birth of its cursor gets the reset of its first join", () => {
    expect(new Cursor(5, "a").begin({ from: 6, head: 9, born: "a" })).to.equal("begun");
    expect(new Cursor(5, "a").begin({ from: 6, head: 9, born: "b" })).to.equal("reset");
    expect(new Cursor(5).begin({ from: 6, head: 9, born: "b" }), "unknown").to.equal("begun");
    expect(new Cursor(5, "a").born).to.equal("a");
  });

  it("K5: a birth without a cursor causes no reset, because no event was delivered", () => {
    const cursor = new Cursor(undefined, "a");
    expect(cursor.begin({ from: 1, head: 9, born: "b" })).to.equal("begun");
    expect([cursor.last, cursor.born]).to.deep.equal([0, "b"]);
  });

  it("K3: before the first position every event is a gap; the head follows accepted events", () => {
    const cursor = new Cursor();
    expect([cursor.last, cursor.head]).to.deep.equal([undefined, 0]);
    expect(cursor.take(1, "x")).to.equal("gap");
    expect(cursor.covers(0)).to.equal(false);
    cursor.begin({ from: 1, head: 2, born: "a" });
    cursor.take(1, "x");
    expect([cursor.last, cursor.head], "known to exist, not yet taken").to.deep.equal([1, 2]);
    cursor.take(2, "x");
    cursor.take(3, "x");
    expect(cursor.head).to.equal(3);
    expect(cursor.begin({ from: 4, head: 2, born: "a" })).to.equal("reset");
    expect([cursor.last, cursor.head]).to.deep.equal([undefined, 0]);
  });

  it("K3: for any input the accepted numbers are contiguous", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30)), (numbers) => {
        const cursor = new Cursor();
        cursor.begin({ from: 1, head: 0, born: "a" });
        const taken = numbers.filter((seq) => cursor.take(seq, "x") === "next");
        expect(taken).to.deep.equal(taken.map((_, index) => index + 1));
      }),
    );
  });
});
