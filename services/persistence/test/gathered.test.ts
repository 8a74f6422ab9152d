// Gathered: batches, order of values, failures.

import { expect } from "chai";
import { Gathered } from "../adapters/gathered.ts";

describe("gathered reads", () => {
  it("D12: reads a burst in few batches, and gives each key its own value", async () => {
    const batches: (readonly number[])[] = [];
    const gathered = new Gathered<number, string>({
      atOnce: 2,
      most: 4,
      read: (keys) => {
        batches.push(keys);
        return Promise.resolve(keys.map((key) => `value of ${key}`));
      },
    });
    const keys = Array.from({ length: 11 }, (_, i) => i);
    const values = await Promise.all(keys.map((key) => gathered.get(key)));
    expect(values).to.deep.equal(keys.map((key) => `value of ${key}`));
    expect(batches.map((batch) => batch.length)).to.deep.equal([4, 4, 3]);
    expect(await gathered.get(99)).to.equal("value of 99");
  });

  it("D12: runs at most the allowed number of batches, and starts the next when one ends", async () => {
    let most = 0;
    let now = 0;
    const ends: (() => void)[] = [];
    const gathered = new Gathered<number, number>({
      atOnce: 2,
      most: 1,
      read: async (keys) => {
        most = Math.max(most, ++now);
        await new Promise<void>((resolve) => ends.push(resolve));
        now--;
        return keys;
      },
    });
    const all = Promise.all([1, 2, 3, 4, 5].map((key) => gathered.get(key)));
    for (let ended = 0; ended < 5;) {
      await new Promise(setImmediate);
      const end = ends.shift();
      if (end === undefined) continue;
      end();
      ended++;
    }
    expect(await all).to.deep.equal([1, 2, 3, 4, 5]);
    expect(most).to.equal(2);
  });

  it("D12: reports the failure of a batch to its keys only", async () => {
    const gathered = new Gathered<number, number>({
      atOnce: 1,
      most: 2,
      read: (keys) =>
        keys.includes(1) ? Promise.reject(new Error("away")) : Promise.resolve(keys),
    });
    const outcomes = await Promise.allSettled([1, 2, 3].map((key) => gathered.get(key)));
    expect(outcomes.map(({ status }) => status)).to.deep.equal([
      "rejected",
      "rejected",
      "fulfilled",
    ]);
  });
});
