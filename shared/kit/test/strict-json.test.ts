// StrictJson: refuses a text exactly when JSON.parse would change its content.

import { expect } from "chai";
import * as fc from "fast-check";
import { jsonLoss } from "../strict-json.ts";

const lossOf = (text: string): unknown => jsonLoss(text, JSON.parse(text));

describe("StrictJson", () => {
  it("strict-json.1: finds a number that a double cannot hold, at any position", () => {
    for (const literal of [
      "9007199254740993",
      "-9007199254740993",
      "123456789012345678901234567890",
      "0.12345678901234567891",
      "1.0000000000000000001",
      "1e400",
      "-1e400",
      "1e-400",
      "5e-325",
      "12345678901234567e5",
    ]) {
      for (const text of [
        literal,
        `[${literal}]`,
        `{"a":{"b":[1,${literal} ]}}`,
        `{"a":${literal}}`,
      ])
        expect(lossOf(text), text).to.equal("a number is not exact");
    }
  });

  it("strict-json.1: keeps other spellings of a number that a double holds", () => {
    for (const literal of [
      "0",
      "-0",
      "-0.0",
      "0e5",
      "1.50",
      "1e2",
      "1E+2",
      "100000000000000000000",
      "9007199254740992",
      "9007199254740994",
      "0.1",
      "1.7976931348623157e308",
      "5e-324",
      "0.000000000000000000000000001",
      "12345678901234567000",
    ]) {
      for (const text of [literal, `[${literal}]`, `{"a":${literal}}`])
        expect(lossOf(text), text).to.equal(undefined);
    }
  });

  it("strict-json.1: finds a repeated key at any depth and in any spelling", () => {
    for (const text of [
      '{"a":1,"a":1}',
      '{"a":1,"\\u0061":2}',
      '{"b":[{"a":{},"c":1,"a":[]}]}',
      '{"__proto__":1,"__proto__":2}',
      '{"":1,"":2}',
      '{"a\\"":1,"a\\"":2}',
    ])
      expect(lossOf(text), text).to.equal("a key is repeated");
  });

  it("strict-json.1: ignores colons, quotes and digits inside strings", () => {
    for (const text of [
      '"a:b:c"',
      '{"a:b":":","\\\\":"\\\\\\":9007199254740993"}',
      '{"a":"\\"b\\":1","c":"1e400"}',
      '["\\\\",":",{"a":"\\\\"}]',
      '{"a":{"a":{"a":1}}}',
      '[{"a":1},{"a":1}]',
    ])
      expect(lossOf(text), text).to.equal(undefined);
  });

  it("strict-json.1: keeps every text that JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(lossOf(text), text).to.equal(undefined);
      }),
    );
  });

  it("strict-json.1: keeps an integer exactly when its stored form reads the same", () => {
    // Below 10^21, where a number's own text has no exponent.
    const integer = fc
      .tuple(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), fc.nat(2))
      .map(([digits, zeros]) => (digits * 10n ** BigInt(zeros)).toString());
    fc.assert(
      fc.property(integer, (literal) => {
        const isKept = String(Number(literal)) === literal;
        expect(lossOf(literal) === undefined, literal).to.equal(isKept);
      }),
    );
  });

  it("strict-json.1: finds a key that was inserted twice into any object", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string(), fc.jsonValue({ maxDepth: 2 })), { minLength: 1 }),
        ([first, ...more]) => {
          const entries = [first!, ...more, first!].map(
            ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`,
          );
          expect(lossOf(`[0,{${entries.join(",")}}]`)).to.equal("a key is repeated");
        },
      ),
    );
  });

  it("strict-json.2: a text that nests as deep as it is long neither throws nor takes long", () => {
    const deep = 30_000;
    expect(lossOf(`${"[".repeat(deep)}${"]".repeat(deep)}`)).to.equal(undefined);
    expect(lossOf(`${'{"a":'.repeat(deep)}1${"}".repeat(deep)}`)).to.equal(undefined);
    expect(lossOf(`"${'\\"'.repeat(deep)}${"\\\\".repeat(deep)}"`)).to.equal(undefined);
    expect(lossOf(`1${"0".repeat(deep)}`)).to.equal("a number is not exact");
  });
});
