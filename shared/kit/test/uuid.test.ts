// Ids, random bits and waits: pure functions of their arguments.

import { expect } from "chai";
import * as fc from "fast-check";
import { isMessageId, messageTime } from "../../protocol/ids.ts";
import { fullJitter } from "../backoff.ts";
import { base64url } from "../base64url.ts";
import { below, seededRandom } from "../random.ts";
import { uuidv7 } from "../uuid.ts";

const bits = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const millis = fc.integer({ min: 0, max: 2 ** 48 - 1 });

describe("UUIDv7", () => {
  it("N2: any time and any random bits give a canonical id that encodes that time", () => {
    fc.assert(
      fc.property(millis, fc.tuple(bits, bits, bits), (now, drawn) => {
        const draws = [...drawn];
        const id = uuidv7(now, { next32: () => draws.shift() ?? expect.fail("a fourth draw") });
        expect(isMessageId(id), id).to.equal(true);
        expect(messageTime(id)).to.equal(now);
      }),
    );
  });

  it("N2: all 74 random bits are used", () => {
    const make = (drawn: readonly number[]): string => {
      const draws = [...drawn];
      return uuidv7(0, { next32: () => draws.shift() ?? 0 });
    };
    const digits = (drawn: readonly number[]): bigint =>
      BigInt(`0x${make(drawn).replaceAll("-", "")}`);
    const varying = digits([0, 0, 0]) ^ digits([0xffffffff, 0xffffffff, 0xffffffff]);
    const count = varying.toString(2).replaceAll("0", "").length;
    expect(count).to.equal(74);
  });

  it("N2: later ids sort after earlier ones as text", () => {
    const random = seededRandom(1);
    fc.assert(
      fc.property(millis, millis, (a, b) => {
        fc.pre(a < b);
        expect(uuidv7(a, random) < uuidv7(b, random)).to.equal(true);
      }),
    );
  });
});

describe("Seeded random", () => {
  it("N2: the same seed gives the same bits, neighbouring seeds give different bits", () => {
    const take = (seed: number): number[] => {
      const random = seededRandom(seed);
      return Array.from({ length: 100 }, () => random.next32());
    };
    expect(take(7)).to.deep.equal(take(7));
    const [a, b] = [new Set(take(1)), take(2)];
    expect(b.filter((value) => a.has(value))).to.deep.equal([]);
    for (const value of take(3)) expect(Number.isInteger(value) && value >= 0).to.equal(true);
  });

  it("N2: every bit is set about half of the time", () => {
    const random = seededRandom(42);
    const ones = Array.from({ length: 32 }, () => 0);
    for (let i = 0; i < 10_000; i++) {
      const value = random.next32();
      for (let bit = 0; bit < 32; bit++) ones[bit]! += (value >>> bit) & 1;
    }
    // Five standard deviations (50) to either side.
    for (const [bit, count] of ones.entries())
      expect(count, `bit ${bit}`).to.be.within(4_750, 5_250);
  });

  it("N2: below returns values under its bound, including both ends", () => {
    const random = seededRandom(5);
    const drawn = new Set(Array.from({ length: 1_000 }, () => below(random, 10)));
    expect(drawn).to.deep.equal(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
  });
});

describe("Full jitter", () => {
  it("K1: a wait lies between zero and the ceiling of its attempt", () => {
    const options = { baseMs: 250, capMs: 20_000 };
    fc.assert(
      fc.property(fc.nat(2_000), bits, (n, drawn) => {
        const wait = fullJitter(n, options, { next32: () => drawn });
        const ceiling = Math.min(20_000, 250 * 2 ** Math.min(n, 20));
        expect(Number.isInteger(wait)).to.equal(true);
        expect(wait).to.be.within(0, ceiling);
        expect(wait / ceiling).to.be.closeTo(drawn / 2 ** 32, 1 / ceiling);
      }),
    );
  });
});

describe("base64url", () => {
  it("N4: encodes any user id as other encoders do, with characters that a subject allows", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        const bytes = new TextEncoder().encode(text);
        const standard = btoa(String.fromCharCode(...bytes));
        const expected = standard.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
        expect(base64url(text)).to.equal(expected);
        expect(base64url(text)).to.match(/^[A-Za-z0-9_-]*$/);
      }),
    );
  });
});
