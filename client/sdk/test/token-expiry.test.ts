// TokenExpiry: the SDK reads the expiry of a token without checking the token.

import { expect } from "chai";
import { tokenExpiry } from "../core/token-expiry.ts";
import { fakeToken } from "./client-fixture.ts";

describe("Token expiry", () => {
  it("S4: reads the exp of a JWT, with and without padding and beyond ASCII", () => {
    for (const user of ["a", "ab", "abc", "ü", "☃", "𝄞"]) {
      expect(tokenExpiry(fakeToken(user, 1_795_500_000)), user).to.equal(1_795_500_000_000);
    }
    expect(tokenExpiry(`x.${btoa('{"exp":7}')}==.y`)).to.equal(7_000);
    expect(
      tokenExpiry(`x.${Buffer.from('{"a":"?>~","exp":0.5}').toString("base64url")}.y`),
    ).to.equal(500);
  });

  it("S4: returns no expiry for a text that is no JWT and for a JWT without exp", () => {
    const payload = (text: string) => `x.${Buffer.from(text).toString("base64url")}.y`;
    const none = ["", "ada", "a.b", "x.%%%.y", "x..y", payload("{"), payload("[]"), payload("{}")];
    const odd = [payload('{"exp":"7"}'), payload('{"exp":1e999}'), payload('{"exp":null}')];
    for (const token of [...none, ...odd]) expect(tokenExpiry(token), token).to.equal(undefined);
  });
});
