import { expect } from "chai";
import * as fc from "fast-check";
import { Cursor } from "../core/cursor.ts";

describe("Cursor", () => {
  it("K3: the next number is taken, a repeat and what follows a hole are not", () => {
    const cursor = new Cursor();
    expect(cursor.begin({ from: 8, head: 10, born: "a" })).to.equal("begun");
    expect(cursor.take(8)).to.equal("next");
    expect(cursor.take(8)).to.equal("repeat");
    expect(cursor.take(10)).to.equal("gap");
    expect(cursor.take(9)).to.equal("next");
    expect(cursor.take(10)).to.equal("next");
    expect(cursor.last).to.equal(10);
    expect(cursor.covers(10)).to.equal(true);
    expect(cursor.covers(11)).to.equal(false);
  });

  it("K3: a rejoin that begins too late is a gap, one that begins too early is not", () => {
    const cursor = new Cursor(5);
    expect(cursor.begin({ from: 7, head: 9, born: "a" })).to.equal("gap");
    expect(cursor.begin({ from: 3, head: 9, born: "a" })).to.equal("begun");
    expect(cursor.last).to.equal(5);
  });

  it("K3: another birth, or a head behind us, means other events under the same numbers", () => {
    const reborn = new Cursor();
    reborn.begin({ from: 1, head: 0, born: "" });
    expect(reborn.begin({ from: 1, head: 0, born: "a" })).to.equal("begun");
    expect(reborn.begin({ from: 1, head: 9, born: "b" })).to.equal("reset");
    expect(reborn.last).to.equal(undefined);
    expect(new Cursor(5).begin({ from: 5, head: 4, born: "a" })).to.equal("reset");
  });

  it("K3: before the first position everything is a gap, and the head follows what is taken", () => {
    const cursor = new Cursor();
    expect([cursor.last, cursor.head]).to.deep.equal([undefined, 0]);
    expect(cursor.take(1)).to.equal("gap");
    expect(cursor.covers(0)).to.equal(false);
    cursor.begin({ from: 1, head: 2, born: "a" });
    cursor.take(1);
    expect([cursor.last, cursor.head], "known to exist, not yet taken").to.deep.equal([1, 2]);
    cursor.take(2);
    cursor.take(3);
    expect(cursor.head).to.equal(3);
    expect(cursor.begin({ from: 4, head: 2, born: "a" })).to.equal("reset");
    expect([cursor.last, cursor.head]).to.deep.equal([undefined, 0]);
  });

  it("K3: whatever comes, the numbers taken are contiguous", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30)), (numbers) => {
        const cursor = new Cursor();
        cursor.begin({ from: 1, head: 0, born: "a" });
        const taken = numbers.filter((seq) => cursor.take(seq) === "next");
        expect(taken).to.deep.equal(taken.map((_, index) => index + 1));
      }),
    );
  });
});
