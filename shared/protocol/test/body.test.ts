// The bounds of a body.

import { expect } from "chai";
import * as fc from "fast-check";
import { isBodyTooLarge } from "../body.ts";
import { BODY_BYTES_MAX } from "../limits.ts";

const bytesOf = (body: unknown): number => new TextEncoder().encode(JSON.stringify(body)).length;

describe("Body", () => {
  it("F2: a body is too large exactly above BODY_BYTES_MAX bytes of JSON in UTF-8", () => {
    const seen = { large: 0, small: 0 };
    // One unit as JSON: a byte, an escape of two and of six, and two and three bytes.
    const unit = fc.constantFrom("x", '"', "\u0001", "\u0080", "€");
    const part = fc.oneof(
      fc.record({ count: fc.nat(4_000), unit }).map((text) => text.unit.repeat(text.count)),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
    );
    const body = fc.dictionary(
      fc.string({ maxLength: 9 }),
      fc.oneof(part, fc.array(part, { maxLength: 6 }), fc.dictionary(fc.string(), part)),
      { maxKeys: 12 },
    );
    fc.assert(
      fc.property(body, (value) => {
        const isLarge = bytesOf(value) > BODY_BYTES_MAX;
        seen[isLarge ? "large" : "small"]++;
        expect(isBodyTooLarge(value)).to.equal(isLarge);
      }),
      { numRuns: 500 },
    );
    expect(Math.min(seen.large, seen.small), JSON.stringify(seen)).to.be.above(20);
  });

  it("F2: numbers, escapes and keys of the longest form are measured at the bound", () => {
    for (const item of [-1.234_567_890_123_456_7e300, "\u0001", false, null, { "\u0001": 1 }, []]) {
      const body = { list: [item] };
      const each = bytesOf({ list: [item, item] }) - bytesOf(body);
      const count = 1 + Math.floor((BODY_BYTES_MAX - bytesOf(body)) / each);
      const fits = { list: Array.from({ length: count }, () => item) };
      expect(isBodyTooLarge(fits)).to.equal(false);
      expect(isBodyTooLarge({ list: [...fits.list, item] })).to.equal(true);
    }
  });
});
