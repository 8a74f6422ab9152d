// The routes of display names, over a scripted port.

import { expect } from "chai";
import { NAMES_MAX } from "#shared/protocol/limits.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import { openHttpFixture } from "./http-fixture.ts";
import type { HttpFixture } from "./http-fixture.ts";

const ADA = "ada" as UserId;
const BEN = "ben, the 2nd" as UserId;

describe("HTTP names", () => {
  let fixture: HttpFixture;
  before(async () => {
    fixture = await openHttpFixture({ logLevel: "silent" });
    fixture.names.known = [
      [ADA, "Ada Lovelace"],
      [BEN, "Ben"],
    ];
  });
  after(() => fixture[Symbol.asyncDispose]());

  it("DN2: every user reads the names of up to 100 users", async () => {
    const query = new URLSearchParams([ADA, BEN, "eve"].map((user) => ["user", user]));
    const several = await fixture.call("GET", `/v1/names?${query}`);
    expect(several).to.deep.equal({
      status: 200,
      answer: {
        names: [
          { user: ADA, name: "Ada Lovelace" },
          { user: BEN, name: "Ben" },
        ],
      },
    });
    const one = await fixture.call("GET", "/v1/names?user=ada");
    expect(one.answer).to.deep.equal({ names: [{ user: ADA, name: "Ada Lovelace" }] });
    expect(fixture.names.calls).to.deep.equal([
      ["ada", ADA, BEN, "eve"],
      ["ada", "ada"],
    ]);
    const many = Array.from({ length: NAMES_MAX + 1 }, (_, i) => `user=u${i}`);
    for (const wrong of ["", "?user=", `?${many.join("&")}`]) {
      const refused = await fixture.call("GET", `/v1/names${wrong}`);
      expect([refused.status, refused.answer["name"]], wrong).to.deep.equal([400, "bad_frame"]);
    }
  });

  it("DN3: a user removes their own name, and an administrator every one", async () => {
    fixture.names.calls.length = 0;
    const own = await fixture.call("DELETE", "/v1/users/ada/name");
    expect(own).to.deep.equal({ status: 200, answer: { removed: true } });
    const foreign = await fixture.call("DELETE", "/v1/users/ben/name");
    expect([foreign.status, foreign.answer["name"]]).to.deep.equal([403, "forbidden"]);
    const authorization = `Bearer ${await fixture.token({ user: "root", admin: true })}`;
    const any = await fixture.call("DELETE", "/v1/users/ben/name", undefined, { authorization });
    expect(any.status).to.equal(200);
    expect(fixture.names.calls).to.deep.equal([
      ["ada", "ada"],
      ["root", "ben"],
    ]);
  });

  it("DN2: without the archive a request gets unavailable", async () => {
    fixture.names.refused = "unavailable";
    const read = await fixture.call("GET", "/v1/names?user=ada");
    expect([read.status, read.answer["name"]]).to.deep.equal([503, "unavailable"]);
    const removed = await fixture.call("DELETE", "/v1/users/ada/name");
    expect(removed.status).to.equal(503);
  });
});
