// HttpSearch: the search for messages over HTTP.

import { expect } from "chai";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { openHttpFixture } from "./http-fixture.ts";

const message = {
  room: "general" as RoomId,
  seq: 3,
  from: "ben" as UserId,
  at: 9,
  text: "green tea",
  highlights: [[6, 9]] as const,
};

describe("HttpSearch", () => {
  it("Q1: GET /v1/search answers with the found messages", async () => {
    await using fixture = await openHttpFixture();
    const found = { messages: [message], next: "9.3.general" };
    fixture.roomLists.messages = { kind: "messages", found };
    const more = "from=ben&has=link&before=12&after=2&order=best&cursor=best.9.1&limit=1";
    const response = await fixture.ask(`/v1/search?q=tea&${more}`);
    expect(response.status).to.equal(200);
    expect(await response.json()).to.deep.equal(found);
    expect(response.headers.get("cache-control")).to.equal("no-store");
    await fixture.ask("/v1/search");
    const narrow = { from: "ben", has: "link", before: 12, after: 2, cursor: "best.9.1" };
    expect(fixture.roomLists.queries).to.deep.equal([
      { user: "ada", text: "tea", ...narrow, order: "best", limit: 1 },
      { user: "ada", text: "", order: "newest", limit: 20 },
    ]);
  });

  it("Q3: the owner judges a search in one room, which ends at the head of then", async () => {
    await using fixture = await openHttpFixture();
    await fixture.ask("/v1/search?q=tea&room=general");
    const query = { user: "ada", text: "tea", order: "newest", limit: 20 };
    expect(fixture.roomLists.queries).to.deep.equal([{ ...query, room: "general", upTo: 0 }]);
    fixture.roomApi.readInstead = () => ({ kind: "refused", error: "forbidden" });
    const refused = await fixture.ask("/v1/search?q=tea&room=secret");
    expect([refused.status, fixture.roomLists.queries.length]).to.deep.equal([403, 1]);
  });

  it("Q5: a wrong query gets bad_frame, a refusal its problem, and no token 401", async () => {
    await using fixture = await openHttpFixture();
    for (const query of [
      "q=%00",
      `q=${"x".repeat(257)}`,
      "q=a&limit=0",
      "q=a&limit=51",
      "q=a&order=oldest",
      "q=a&has=cake",
      "q=a&cursor=9",
      "q=a&before=-1",
      "q=a&room=a%20b",
      "q=a&from=",
    ]) {
      const response = await fixture.ask(`/v1/search?${query}`);
      expect([query, response.status]).to.deep.equal([query, 400]);
    }
    expect(fixture.roomLists.queries).to.deep.equal([]);
    fixture.roomLists.messages = { kind: "refused", error: "unavailable" };
    const response = await fixture.ask("/v1/search?q=a");
    expect(response.status).to.equal(503);
    const none = await fixture.ask("/v1/search?q=a", { headers: { authorization: "" } });
    expect(none.status).to.equal(401);
  });
});
