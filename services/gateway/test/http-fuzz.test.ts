// The HTTP side under structured requests. http-fuzz.ts runs a million of them.

import { expect } from "chai";
import { fuzzHttp } from "./http-fuzz.ts";
import { openHttpFixture } from "./http-fixture.ts";

describe("Http under unusual requests", () => {
  it("H1: each of 3,000 unusual requests gets an answer or a problem, and no body is changed", async function () {
    this.timeout(60_000);
    await using fixture = await openHttpFixture({ logLevel: "silent" });
    const seed = Math.trunc(Math.random() * 1e9);
    const { statuses, stored } = await fuzzHttp(fixture, 3_000, seed);
    for (const status of [200, 201, 204, 400, 401, 403, 404, 405, 413, 422]) {
      expect(statuses.get(status), `some requests answer ${status}, seed ${seed}`).to.be.above(0);
    }
    expect(stored).to.be.above(50);
  });
});
