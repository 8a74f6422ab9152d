// HttpRoomLists: the caller's rooms and the search for open ones over HTTP.

import { expect } from "chai";
import type { RoomId } from "#shared/protocol/ids.ts";
import { openHttpFixture } from "./http-fixture.ts";

const GENERAL = "general" as RoomId;

describe("HttpRoomLists", () => {
  it("U4: GET /v1/me/rooms answers with the list of the caller", async () => {
    await using fixture = await openHttpFixture();
    const counts = { read: 1, unread: 2, mentions: 0 };
    const room = {
      room: GENERAL,
      kind: "open",
      role: "member",
      head: 3,
      at: 9,
      ...counts,
    } as const;
    fixture.roomLists.listed = { kind: "rooms", page: { rooms: [room], next: "9.general" } };
    const response = await fixture.ask("/v1/me/rooms?limit=1&after=12.general");
    expect(response.status).to.equal(200);
    expect(await response.json()).to.deep.equal({ rooms: [room], next: "9.general" });
    expect(response.headers.get("cache-control")).to.equal("no-store");
    expect(fixture.roomLists.queries).to.deep.equal([
      { user: "ada", limit: 1, after: "12.general" },
    ]);
    await fixture.ask("/v1/me/rooms");
    expect(fixture.roomLists.queries.at(-1)).to.deep.equal({ user: "ada", limit: 50 });
  });

  it("U7: GET /v1/rooms finds open rooms only", async () => {
    await using fixture = await openHttpFixture();
    const room = { room: GENERAL, title: "Tea", role: "member", head: 3, at: 9 } as const;
    fixture.roomLists.found = { kind: "found", found: { rooms: [room], next: GENERAL } };
    const response = await fixture.ask("/v1/rooms?kind=open&q=te&limit=1&after=a");
    expect(await response.json()).to.deep.equal({ rooms: [room], next: "general" });
    expect(fixture.roomLists.queries).to.deep.equal([
      { user: "ada", text: "te", after: "a", limit: 1 },
    ]);
  });

  it("U5: a wrong query gets bad_frame, a refusal its problem, and no token 401", async () => {
    await using fixture = await openHttpFixture();
    const long = "x".repeat(65);
    for (const path of [
      "/v1/me/rooms?limit=0",
      "/v1/me/rooms?limit=201",
      "/v1/me/rooms?after=general",
      "/v1/rooms",
      "/v1/rooms?kind=closed",
      `/v1/rooms?kind=open&q=${long}`,
      "/v1/rooms?kind=open&q=%00",
      "/v1/rooms?kind=open&after=a%20b",
    ]) {
      const response = await fixture.ask(path);
      expect([path, response.status]).to.deep.equal([path, 400]);
    }
    expect(fixture.roomLists.queries).to.deep.equal([]);
    const refusal = { kind: "refused", error: "unavailable" } as const;
    fixture.roomLists.listed = fixture.roomLists.found = refusal;
    for (const path of ["/v1/me/rooms", "/v1/rooms?kind=open"]) {
      const response = await fixture.ask(path);
      expect(response.status).to.equal(503);
      expect(await response.json()).to.include({ name: "unavailable", retry: true });
      const none = await fixture.ask(path, { headers: { authorization: "" } });
      expect(none.status).to.equal(401);
    }
  });
});
