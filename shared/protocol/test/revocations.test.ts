// Revocations: keys, texts, and the time in which they are in force.

import { expect } from "chai";
import * as fc from "fast-check";
import { isUserId } from "../ids.ts";
import type { UserId } from "../ids.ts";
import {
  decodeRevocation,
  encodeRevocation,
  isOver,
  isRevocationKey,
  revocationKey,
  REVOCATIONS_MAX,
  TOKEN_LIFE_MAX_MS,
} from "../revocations.ts";
import { TABLE_KEY_UNITS_MAX, TABLE_ROWS_MAX, TABLE_TEXT_UNITS_MAX } from "../tables.ts";

const ADA = "ada" as UserId;

describe("Revocations: the wire", () => {
  it("N4: the key of any user is a safe subject token that fits a table, and is unique", () => {
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 128 }), (user) => {
        fc.pre(isUserId(user));
        const key = revocationKey(user);
        expect(key).to.match(/^revoked\.[A-Za-z0-9_-]+$/);
        expect(key.length).to.be.at.most(TABLE_KEY_UNITS_MAX);
        expect(isRevocationKey(key)).to.equal(true);
        expect(seen.get(key) ?? user).to.equal(user);
        seen.set(key, user);
        const revocation = { user, at: 5, by: "ops@desk" };
        const text = encodeRevocation(revocation);
        expect(text.length).to.be.at.most(TABLE_TEXT_UNITS_MAX);
        expect(decodeRevocation(key, text)).to.deep.equal(revocation);
      }),
    );
    expect(isRevocationKey("all.log.level")).to.equal(false);
    expect(REVOCATIONS_MAX).to.be.below(TABLE_ROWS_MAX);
  });

  it("N5: refuses every text that is not a revocation of the key's user", () => {
    const key = revocationKey(ADA);
    const good = { v: 1, user: "ada", at: 5, by: "ops" };
    expect(decodeRevocation(key, JSON.stringify(good))).not.to.equal(undefined);
    const bad = [
      { ...good, v: 2 },
      { ...good, user: "eve" },
      { ...good, user: 7 },
      { ...good, at: -1 },
      { ...good, at: "5" },
      { ...good, by: null },
      [],
    ];
    for (const value of bad) {
      expect(decodeRevocation(key, JSON.stringify(value)), JSON.stringify(value)).to.equal(
        undefined,
      );
    }
    expect(decodeRevocation(key, "{")).to.equal(undefined);
  });

  it("protocol/revocations.1: a revocation is over when every token that it refuses has expired", () => {
    expect(isOver({ at: 1_000 }, 1_000 + TOKEN_LIFE_MAX_MS - 1)).to.equal(false);
    expect(isOver({ at: 1_000 }, 1_000 + TOKEN_LIFE_MAX_MS)).to.equal(true);
  });
});
