// Memory account: what the lines and their sum say after any changes.

import { expect } from "chai";
import * as fc from "fast-check";
import { BrokenInvariant } from "../assert.ts";
import { MemoryAccount, stringBytes } from "../memory-account.ts";

const LINES = ["replay", "tails", "sockets"] as const;

describe("MemoryAccount", () => {
  it("memory-account.2: used is the sum of the lines after any changes, and over is what exceeds the bound", () => {
    const change = fc.record({
      line: fc.constantFrom(...LINES),
      bytes: fc.integer({ min: -5_000, max: 10_000 }),
      isSet: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const account = new MemoryAccount(LINES, 20_000);
        const model = { replay: 0, tails: 0, sockets: 0 };
        for (const { line, bytes, isSet } of changes) {
          if (isSet) {
            model[line] = Math.abs(bytes);
            account.set(line, model[line]);
          } else {
            const change = Math.max(bytes, -model[line]);
            model[line] += change;
            account.add(line, change);
          }
          const sum = model.replay + model.tails + model.sockets;
          expect(Object.fromEntries(account)).to.deep.equal(model);
          expect(account.used).to.equal(sum);
          expect(account.usedBy(line)).to.equal(model[line]);
          expect(account.over).to.equal(sum > 20_000 ? sum - 20_000 : 0);
        }
      }),
    );
  });

  it("memory-account.2: a line that gives back more than it took is a broken invariant", () => {
    const account = new MemoryAccount(LINES, 100);
    account.add("tails", 10);
    expect(() => account.add("tails", -11)).to.throw(BrokenInvariant);
    expect(() => account.set("sockets", -1)).to.throw(BrokenInvariant);
  });

  it("memory-account.1: a line that was not given is refused", () => {
    const account = new MemoryAccount<string>(LINES, 100);
    expect(() => account.add("user-42", 1)).to.throw(BrokenInvariant);
    expect(() => account.usedBy("user-42")).to.throw(BrokenInvariant);
  });

  it("memory-account.2: the bytes of a string count its width, which one wide unit doubles", () => {
    expect(stringBytes("")).to.equal(32);
    expect(stringBytes("abcd\u00ff")).to.equal(37);
    expect(stringBytes("abcd\u0100")).to.equal(42);
  });
});
