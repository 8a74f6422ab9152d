// HttpInvites: making, revoking and using invites over HTTP.

import { expect } from "chai";
import { inviteHash } from "#shared/adapters/invite-hash.ts";
import { decodeInvite } from "#shared/protocol/invites.ts";
import { idNumber, openHttpFixture } from "./http-fixture.ts";
import type { HttpFixture } from "./http-fixture.ts";

const INVITES = "/v1/rooms/plans/invites";
const KEY = { "idempotency-key": idNumber(7) };

describe("HttpInvites", () => {
  let fixture: HttpFixture;
  beforeEach(async () => {
    fixture = await openHttpFixture();
  });
  afterEach(() => fixture[Symbol.asyncDispose]());

  const call: HttpFixture["call"] = (...request) => fixture.call(...request);
  const stored = (hash: unknown) => () => {
    const line = { t: "invite", room: "plans", seq: 1, from: "ada", hash, until: 12_345 };
    return { kind: "page", events: [JSON.stringify(line)], more: false } as const;
  };

  it("M11: POST …/invites makes a secret, and answers with the token", async () => {
    const { status, answer } = await call(
      "POST",
      INVITES,
      { role: "reader", uses: 3, ttl: 60 },
      KEY,
    );
    expect(status).to.equal(201);
    const token = decodeInvite(String(answer["token"]));
    expect(token).to.deep.include({ room: "plans", invite: idNumber(7) });
    const frame = fixture.roomApi.sends.at(-1)?.frame;
    const secret = token?.secret;
    expect(frame).to.deep.include({
      t: "invite",
      id: idNumber(7),
      secret,
      role: "reader",
      uses: 3,
    });
    expect(answer["until"]).to.equal(Number(answer["at"]) + 60_000);
  });

  it("M11: a repeated request gets the same token, or conflict when this gateway cannot know it", async () => {
    const first = await call("POST", INVITES, { ttl: 60 }, KEY);
    const hash = inviteHash(decodeInvite(String(first.answer["token"]))?.secret ?? "");
    fixture.roomApi.pageInstead = stored(hash);
    const again = await call("POST", INVITES, { ttl: 60 }, KEY);
    expect(again.answer).to.deep.equal({ ...first.answer, until: 12_345 });
    fixture.roomApi.pageInstead = stored(inviteHash("of-another-gateway-xxx"));
    expect((await call("POST", INVITES, { ttl: 60 }, KEY)).answer["name"]).to.equal("conflict");
    const secret = "a-secret-of-22-letters";
    fixture.roomApi.pageInstead = stored(inviteHash(secret));
    const other = { "idempotency-key": idNumber(8) };
    for (let i = 0; i < 2; i++) {
      const kept = await call("POST", INVITES, { secret }, other);
      const token = `plans.${idNumber(8)}.${secret}`;
      expect([kept.status, kept.answer["token"]]).to.deep.equal([201, token]);
    }
  });

  it("M11: GET lists those that have not ended, and passes a refusal on", async () => {
    const { status, answer } = await call("GET", INVITES);
    expect(status).to.equal(200);
    const [listed, ...others] = answer["invites"] as readonly object[];
    expect(listed).to.have.all.keys("invite", "role", "until", "uses", "used");
    expect(others).to.deep.equal([]);
    fixture.roomApi.readInstead = () => ({ kind: "refused", error: "forbidden" });
    expect((await call("GET", INVITES)).answer["name"]).to.equal("forbidden");
  });

  it("M11: DELETE revokes, and POST …/members enters with the token of this room", async () => {
    const { status } = await call("DELETE", `${INVITES}/${idNumber(7)}`, undefined, KEY);
    expect(status).to.equal(200);
    expect(fixture.roomApi.sends.at(-1)?.frame).to.deep.include({
      t: "revoke",
      invite: idNumber(7),
    });
    const secret = "a-secret-of-22-letters";
    const token = `plans.${idNumber(7)}.${secret}`;
    expect((await call("POST", "/v1/rooms/plans/members", { token })).status).to.equal(200);
    const enter = { t: "enter", room: "plans", invite: idNumber(7), secret };
    expect(fixture.roomApi.sends.at(-1)?.frame).to.deep.include(enter);
    expect(fixture.roomApi.sends.at(-1)?.user).to.equal("ada");
  });

  it("M11: broken terms and tokens are refused, and write nothing", async () => {
    const token = `plans.${idNumber(7)}.a-secret-of-22-letters`;
    const rows: [string, string, object | undefined, number?][] = [
      ["POST", INVITES, { role: "owner" }],
      ["POST", INVITES, { uses: 0 }],
      ["POST", INVITES, { uses: 20_001 }],
      ["POST", INVITES, { ttl: 30 * 24 * 3_600 + 1 }],
      ["POST", INVITES, { secret: "short" }],
      ["DELETE", `${INVITES}/x`, undefined],
      ["POST", "/v1/rooms/plans/members", { token: "plans" }, 403],
      ["POST", "/v1/rooms/other/members", { token }, 403],
    ];
    for (const [method, path, body, status = 400] of rows) {
      expect((await call(method, path, body)).status, `${method} ${path}`).to.equal(status);
    }
    expect(fixture.roomApi.sends).to.deep.equal([]);
  });
});
