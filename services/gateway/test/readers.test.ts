// Readers, by example: their first state, the readers that can receive a chunk, and their timeouts.

import { expect } from "chai";
import { READER_TIMEOUT_MS } from "../core/bounds.ts";
import { Readers } from "../core/readers.ts";

describe("Readers", () => {
  it("L6: a new member's caught-up is pending, and a slow member's is not", () => {
    const readers = new Readers<string>();
    expect(readers.add("ada", 3, 10, 5)).to.deep.equal({
      cursor: 3,
      target: 10,
      isCaughtUp: false,
      state: "idle",
      servedAt: 5,
    });
    expect(readers.demote("bob", 7, 6)).to.deep.equal({
      cursor: 7,
      target: 0,
      isCaughtUp: true,
      state: "idle",
      servedAt: 6,
    });
    expect([readers.size, readers.get("bob")?.cursor]).to.deep.equal([2, 7]);
    expect([readers.delete("ada"), readers.delete("ada")]).to.deep.equal([true, false]);
    expect([readers.size, readers.get("ada")]).to.deep.equal([1, undefined]);
  });

  it("feed.4: a reader that waits for a turn or writes a chunk is not offered another", () => {
    const readers = new Readers<string>();
    for (const state of ["idle", "queued", "fetching", "writing"] as const) {
      readers.add(state, 0, 0, 0).state = state;
    }
    expect([...readers.unserved()].map(([member]) => member)).to.deep.equal(["idle", "fetching"]);
  });

  it("L6: a reader times out a minute after its last chunk, independently of the others", () => {
    const readers = new Readers<string>();
    readers.add("ada", 0, 9, 0);
    readers.add("bob", 0, 9, 2_000);
    readers.add("eve", 0, 9, 1_000);
    readers.add("slow", 0, 9, 0).state = "writing";
    expect(readers.deadlineAt, "none waits yet").to.equal(undefined);
    expect(readers.expireStarved(1e9)).to.deep.equal([]);
    readers.armDeadline(10);
    readers.armDeadline(500);
    expect(readers.deadlineAt).to.equal(10 + READER_TIMEOUT_MS);
    expect(readers.expireStarved(10 + READER_TIMEOUT_MS - 1)).to.deep.equal([]);
    expect(readers.expireStarved(10 + READER_TIMEOUT_MS)).to.deep.equal(["ada"]);
    expect(readers.deadlineAt).to.equal(1_000 + READER_TIMEOUT_MS);
    expect(readers.expireStarved(1_000 + READER_TIMEOUT_MS)).to.deep.equal(["eve"]);
    expect(readers.deadlineAt).to.equal(2_000 + READER_TIMEOUT_MS);
    expect(readers.expireStarved(2_000 + READER_TIMEOUT_MS)).to.deep.equal(["bob"]);
    expect([readers.deadlineAt, readers.size]).to.deep.equal([undefined, 1]);
  });
});
