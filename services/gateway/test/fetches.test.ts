// Fetches, by example: the range that is read, the one that waits, and its retry.

import { expect } from "chai";
import { FETCH_RETRY_BASE_MS, FETCH_RETRY_CAP_MS } from "../core/bounds.ts";
import { Fetches } from "../core/fetches.ts";
import type { Range } from "../core/fetches.ts";

const range = (first: number, last: number): Range => ({ first, last });
const always = (): boolean => true;

describe("Fetches", () => {
  it("fetches.1: a range with a covered first number is not read again, the first and last included", () => {
    const fetches = new Fetches(10);
    expect(fetches.start(range(10, 19), false)).to.deep.equal(range(10, 19));
    for (const first of [10, 15, 19]) {
      expect(fetches.start(range(first, 30), true), `${first}`).to.equal(undefined);
    }
    expect(fetches.start(range(9, 12), false)).to.deep.equal(range(9, 12));
    expect(fetches.start(range(20, 20), false)).to.deep.equal(range(20, 20));
  });

  it("fetches.1: the running fetch is the one that covers the number, unless it waits for a retry", () => {
    const fetches = new Fetches(10);
    fetches.start(range(10, 19), false);
    fetches.start(range(20, 29), false);
    const runs = (...seqs: number[]) => seqs.map((seq) => fetches.running(seq)?.first);
    expect(runs(9, 10, 19, 20, 29, 30)).to.deep.equal([undefined, 10, 10, 20, 20, undefined]);
    fetches.fail(10, 0);
    expect(runs(15, 25)).to.deep.equal([undefined, 20]);
    fetches.succeed(20);
    expect(runs(25)).to.deep.equal([undefined]);
    expect(fetches.start(range(15, 16), false), "it waits for a retry and covers").to.equal(
      undefined,
    );
    expect(fetches.start(range(20, 21), false)).to.deep.equal(range(20, 21));
  });

  it("fetches.2: the waits double from 100 ms to 2 s, and begin again after a success", () => {
    const fetches = new Fetches(1);
    fetches.start(range(1, 5), false);
    const waits: number[] = [];
    for (let n = 0; n < 13; n++) {
      fetches.fail(1, 1_000);
      waits.push(fetches.wakeAt - 1_000);
      expect(fetches.due(999 + waits.at(-1)!, always)).to.deep.equal([]);
      expect(fetches.due(1_000 + waits.at(-1)!, always)).to.deep.equal([range(1, 5)]);
      expect(fetches.wakeAt, "it runs").to.equal(Infinity);
    }
    const growing = [1, 2, 4, 8, 16].map((times) => times * FETCH_RETRY_BASE_MS);
    expect(waits).to.deep.equal([...growing, ...Array<number>(8).fill(FETCH_RETRY_CAP_MS)]);
    fetches.succeed(1);
    fetches.start(range(1, 5), false);
    fetches.fail(1, 0);
    expect(fetches.wakeAt).to.equal(FETCH_RETRY_BASE_MS);
  });

  it("fetches.2: the earliest retry wakes, and a range that no member needs is removed", () => {
    const fetches = new Fetches(10);
    for (const first of [1, 11, 21]) fetches.start(range(first, first + 9), false);
    fetches.fail(11, 500);
    fetches.fail(1, 0);
    fetches.fail(99, 0); // There is none.
    expect(fetches.wakeAt).to.equal(FETCH_RETRY_BASE_MS);
    const wanted: number[] = [];
    const again = fetches.due(FETCH_RETRY_BASE_MS, ({ first }) => {
      wanted.push(first);
      return false;
    });
    expect([wanted, again]).to.deep.equal([[1], []]);
    expect(fetches.start(range(1, 2), false), "it was removed").to.deep.equal(range(1, 2));
    expect(fetches.wakeAt).to.equal(500 + FETCH_RETRY_BASE_MS);
  });

  it("fetches.3: no more than the bound are in progress, with those that wait for a retry; a gap ignores it", () => {
    const fetches = new Fetches(2);
    fetches.start(range(1, 1), false);
    expect(fetches.start(range(2, 2), false)).to.deep.equal(range(2, 2));
    fetches.fail(1, 0);
    expect(fetches.start(range(3, 3), false)).to.equal(undefined);
    expect(fetches.start(range(4, 4), true)).to.deep.equal(range(4, 4));
    fetches.succeed(4);
    fetches.succeed(2);
    expect(fetches.start(range(3, 3), false)).to.deep.equal(range(3, 3));
  });
});
