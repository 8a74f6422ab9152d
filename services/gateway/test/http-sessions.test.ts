// HttpSessions: the routes that list and end sessions, and revoke tokens.

import { expect } from "chai";
import type { ProcessId, UserId } from "#shared/protocol/ids.ts";
import type { SessionId } from "#shared/protocol/session-records.ts";
import { openHttpFixture } from "./http-fixture.ts";

const SESSION = "01890000-0000-7000-8000-000000000001" as SessionId;

describe("HttpSessions", () => {
  it("SL1: a user and an administrator read the list, and no other user", async () => {
    await using fixture = await openHttpFixture();
    const more = { client: "x/1", device: "phone", address: "192.0.2.0/24" };
    const record = { session: SESSION, gateway: "gw-1" as ProcessId, since: 5, ...more };
    const sessions = [{ ...record, user: "ada" as UserId, from: SESSION }];
    fixture.sessions.listed = { kind: "sessions", list: { sessions, more: 2 } };
    const { status, answer } = await fixture.call("GET", "/v1/users/ada/sessions");
    expect([status, answer]).to.deep.equal([200, { sessions: [record], more: 2 }]);
    const admin = await fixture.token({ user: "root", admin: true });
    const asAdmin = { authorization: `Bearer ${admin}` };
    const other = encodeURIComponent("ada lovelace");
    const read = await fixture.ask(`/v1/users/${other}/sessions`, { headers: asAdmin });
    expect([read.status, read.headers.get("cache-control")]).to.deep.equal([200, "no-store"]);
    expect(fixture.sessions.calls).to.deep.equal([
      ["list", "ada"],
      ["list", "ada lovelace"],
    ]);
    for (const [method, path] of [
      ["GET", "/v1/users/eve/sessions"],
      ["DELETE", "/v1/users/eve/sessions"],
      ["DELETE", `/v1/users/eve/sessions/${SESSION}`],
      ["POST", "/v1/users/eve/revoke"],
    ] as const) {
      expect((await fixture.call(method, path)).status, `${method} ${path}`).to.equal(403);
    }
    expect(fixture.sessions.calls).to.have.length(2);
  });

  it("SL6: one session and all sessions are ended, and a refusal is a problem", async () => {
    await using fixture = await openHttpFixture();
    const one = `/v1/users/ada/sessions/${SESSION}`;
    expect(await fixture.call("DELETE", one)).to.deep.include({ answer: { ended: 1 } });
    fixture.sessions.ended = { kind: "ended", ended: 3 };
    const all = await fixture.call("DELETE", "/v1/users/ada/sessions");
    expect(all.answer).to.deep.equal({ ended: 3 });
    expect(fixture.sessions.calls).to.deep.equal([
      ["end", "ada", SESSION],
      ["end", "ada", undefined],
    ]);
    fixture.sessions.ended = { kind: "ended", ended: 0 };
    const none = await fixture.call("DELETE", one);
    expect([none.status, none.answer["name"]]).to.deep.equal([404, "not_found"]);
    fixture.sessions.ended = { kind: "refused", error: "unavailable" };
    const left = await fixture.call("DELETE", "/v1/users/ada/sessions");
    expect([left.status, left.answer["name"]]).to.deep.equal([503, "unavailable"]);
    const broken = await fixture.call("DELETE", "/v1/users/ada/sessions/x");
    expect(broken.status).to.equal(400);
  });

  it("SL7: tokens are revoked with the name of who asked, and too many revocations are a conflict", async () => {
    await using fixture = await openHttpFixture();
    const admin = await fixture.token({ user: "root", admin: true });
    const headers = { authorization: `Bearer ${admin}` };
    const done = await fixture.call("POST", "/v1/users/ada/revoke", undefined, headers);
    expect([done.status, done.answer]).to.deep.equal([200, { at: 7 }]);
    expect(fixture.sessions.calls).to.deep.equal([["revoke", "ada", "root"]]);
    fixture.sessions.revoked = { kind: "refused", error: "conflict" };
    const full = await fixture.call("POST", "/v1/users/ada/revoke");
    expect([full.status, full.answer["name"]]).to.deep.equal([409, "conflict"]);
  });
});
