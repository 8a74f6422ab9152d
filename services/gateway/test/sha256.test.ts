// sha256 of shared/kit against Node's, which that folder cannot import.

import { expect } from "chai";
import * as fc from "fast-check";
import { createHash } from "node:crypto";
import { sha256 } from "#shared/kit/sha256.ts";

const nodes = (text: string): string => createHash("sha256").update(text).digest("hex");
const ours = (text: string): string => Buffer.from(sha256(text)).toString("hex");

describe("sha256", () => {
  it("is the hash that Node computes, for every length around a block and for any text", () => {
    for (let length = 0; length < 200; length++) {
      const text = "x".repeat(length);
      expect(ours(text), String(length)).to.equal(nodes(text));
    }
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 150 }), (text) => {
        if (text.isWellFormed()) expect(ours(text)).to.equal(nodes(text));
      }),
      { numRuns: 40 },
    );
  });
});
