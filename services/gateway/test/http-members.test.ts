// HttpMembers: creation, settings and members of rooms over HTTP.

import { expect } from "chai";
import { directRoomId } from "#shared/protocol/direct-room.ts";
import { isMessageId } from "#shared/protocol/ids.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import { idNumber, openHttpFixture } from "./http-fixture.ts";
import type { HttpFixture } from "./http-fixture.ts";

describe("HttpMembers", () => {
  let fixture: HttpFixture;
  beforeEach(async () => {
    fixture = await openHttpFixture();
  });
  afterEach(() => fixture[Symbol.asyncDispose]());

  const call: HttpFixture["call"] = (...request) => fixture.call(...request);

  it("M2: POST /v1/rooms writes a create frame, with the id of the key or a new one", async () => {
    const body = { room: "plans", kind: "closed", title: "Plans", members: [{ user: "ben" }] };
    const key = { "idempotency-key": idNumber(7) };
    const { status, answer } = await call("POST", "/v1/rooms", body, key);
    expect(status).to.equal(201);
    expect(answer).to.deep.include({ id: idNumber(7), room: "plans", seq: 1 });
    const [sent] = fixture.roomApi.sends;
    expect(sent?.user).to.equal("ada");
    expect(sent?.frame).to.deep.include({ t: "create", id: idNumber(7), ...body });
    const again = await call("POST", "/v1/rooms", { room: "other", kind: "open" });
    expect(isMessageId(again.answer["id"])).to.equal(true);
  });

  it("M2: the room of a direct room follows from its users, and its parts must fit", async () => {
    const { answer } = await call("POST", "/v1/rooms", { kind: "direct", user: "ben" });
    expect(answer["room"]).to.equal(directRoomId("ada" as UserId, "ben" as UserId));
    for (const body of [
      { kind: "closed" },
      { kind: "direct" },
      { kind: "direct", user: "ben", members: [{ user: "eve" }] },
      { room: "x", kind: "closed", user: "ben" },
      { room: "x", kind: "closed", members: [{ user: "ben" }, { user: "ben" }] },
      { room: "x", kind: "secret" },
      {
        room: "x",
        kind: "open",
        members: Array.from({ length: 101 }, (_, i) => ({ user: `u${i}` })),
      },
    ]) {
      const refused = await call("POST", "/v1/rooms", body);
      expect([refused.status, refused.answer["name"]]).to.deep.equal([400, "bad_frame"]);
    }
    expect(fixture.roomApi.sends).to.have.length(1);
  });

  it("M3: PATCH, PUT and DELETE write update and member frames", async () => {
    await call("PATCH", "/v1/rooms/plans", { topic: "next", archived: true });
    await call("PUT", "/v1/rooms/plans/members/b%20n", { role: "none", banned: true });
    await call("DELETE", "/v1/rooms/plans/members/eve");
    const frames = fixture.roomApi.sends.map(({ frame: { id: _id, ...rest } }) => rest);
    expect(frames.map((frame) => JSON.parse(JSON.stringify(frame)))).to.deep.equal([
      { t: "update", room: "plans", topic: "next", archived: true },
      { t: "member", room: "plans", user: "b n", role: "none", banned: true },
      { t: "member", room: "plans", user: "eve", role: "none" },
    ]);
    const wrong = await call("PUT", "/v1/rooms/plans/members/ben", { role: "king" });
    expect(wrong.answer["name"]).to.equal("bad_frame");
  });

  it("M3: the settings of a room have the end of the caller's mute, when there is one", async () => {
    expect((await call("GET", "/v1/rooms/plans")).answer).to.not.have.property("mutedUntil");
    fixture.roomApi.mutedUntil = 1_790_000_000_000;
    const { answer } = await call("GET", "/v1/rooms/plans");
    expect(answer).to.include({ role: "member", mutedUntil: 1_790_000_000_000 });
  });

  it("M6: the answers of the owner, and its refusal, reach the caller", async () => {
    expect((await call("GET", "/v1/rooms/plans")).answer).to.deep.include({
      room: "plans",
      kind: "open",
      role: "member",
    });
    expect((await call("GET", "/v1/rooms/plans/members")).answer).to.deep.equal({
      members: [{ user: "ada", role: "owner" }],
      more: false,
    });
    fixture.roomApi.readInstead = () => ({ kind: "refused", error: "forbidden" });
    for (const path of ["/v1/rooms/plans", "/v1/rooms/plans/members"]) {
      const { status, answer } = await call("GET", path);
      expect([status, answer["name"]]).to.deep.equal([403, "forbidden"]);
    }
  });
});
