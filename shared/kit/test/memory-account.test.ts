// MemoryAccount: the categories and their sum after any sequence of changes.

import { expect } from "chai";
import * as fc from "fast-check";
import { BrokenInvariant } from "../assert.ts";
import { MemoryAccount, stringBytes } from "../memory-account.ts";

const CATEGORIES = ["replay", "tails", "sockets"] as const;

describe("MemoryAccount", () => {
  it("memory-account.2: used is the sum of the categories after any changes, and over is the part above the bound", () => {
    const change = fc.record({
      category: fc.constantFrom(...CATEGORIES),
      bytes: fc.integer({ min: -5_000, max: 10_000 }),
      isSet: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const account = new MemoryAccount(CATEGORIES, 20_000);
        const model = { replay: 0, tails: 0, sockets: 0 };
        for (const { category, bytes, isSet } of changes) {
          if (isSet) {
            model[category] = Math.abs(bytes);
            account.set(category, model[category]);
          } else {
            const change = Math.max(bytes, -model[category]);
            model[category] += change;
            account.add(category, change);
          }
          const sum = model.replay + model.tails + model.sockets;
          expect(Object.fromEntries(account)).to.deep.equal(model);
          expect(account.used).to.equal(sum);
          expect(account.usedBy(category)).to.equal(model[category]);
          expect(account.over).to.equal(sum > 20_000 ? sum - 20_000 : 0);
        }
      }),
    );
  });

  it("memory-account.2: releasing more than a category holds is a broken invariant", () => {
    const account = new MemoryAccount(CATEGORIES, 100);
    account.add("tails", 10);
    expect(() => account.add("tails", -11)).to.throw(BrokenInvariant);
    expect(() => account.set("sockets", -1)).to.throw(BrokenInvariant);
  });

  it("memory-account.1: refuses a category that was not given to the constructor", () => {
    const account = new MemoryAccount<string>(CATEGORIES, 100);
    expect(() => account.add("user-42", 1)).to.throw(BrokenInvariant);
    expect(() => account.usedBy("user-42")).to.throw(BrokenInvariant);
  });

  it("memory-account.2: counts two bytes for every unit of a string that has one wide unit", () => {
    expect(stringBytes("")).to.equal(32);
    expect(stringBytes("abcd\u00ff")).to.equal(37);
    expect(stringBytes("abcd\u0100")).to.equal(42);
  });
});
