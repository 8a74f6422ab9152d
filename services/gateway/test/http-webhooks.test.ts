import { expect } from "chai";
import { openHttpFixture, problemOf } from "./http-fixture.ts";
import type { HttpFixture } from "./http-fixture.ts";

const ID = "0199d3c0-0000-4000-8000-000000000001";
const HOOK = { url: "https://hooks.example/parley", kinds: ["room.msg", "session.ended"] };

async function as(fixture: HttpFixture, claims: object): Promise<Record<string, string>> {
  return { authorization: `Bearer ${await fixture.token({ user: "billing", ...claims })}` };
}

describe("HttpWebhooks", () => {
  it("W9: only an admin or a service token manages webhooks, and not as a user", async () => {
    await using fixture = await openHttpFixture();
    const post = (path: string, headers: Record<string, string>) =>
      fixture.post(path, HOOK, headers);
    const service = await as(fixture, { svc: true });
    for (const [path, headers] of [
      ["/v1/webhooks", await as(fixture, {})],
      ["/v1/webhooks?as=ada", service],
    ] as const) {
      expect(await problemOf(await post(path, headers))).to.include({ name: "forbidden" });
    }
    expect(fixture.webhooks.requests).to.deep.equal([]);
    expect((await post("/v1/webhooks", service)).status).to.equal(201);
    expect((await post("/v1/webhooks", await as(fixture, { admin: true }))).status).to.equal(201);
    expect(fixture.webhooks.requests).to.have.length(2);
  });

  it("W9: a creation answers with the id and the secret, and nothing else has the secret", async () => {
    await using fixture = await openHttpFixture();
    const headers = await as(fixture, { svc: true });
    const { status, answer } = await fixture.call("POST", "/v1/webhooks", HOOK, headers);
    expect(status).to.equal(201);
    expect(answer["secret"]).to.match(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const { secret } = answer;
    const made = { op: "add", webhook: answer["webhook"], ...HOOK, rooms: [], secret };
    expect(fixture.webhooks.requests).to.deep.equal([{ ...made, author: "billing" }]);
    expect(fixture.logged()).not.to.include(String(secret));
    const listed = {
      webhook: ID,
      ...HOOK,
      rooms: [],
      author: "billing",
      created: 1,
      waiting: 0,
      dead: 0,
      behindMs: 0,
    };
    fixture.webhooks.outcome = { kind: "webhooks", webhooks: [listed] };
    const list = await fixture.call("GET", "/v1/webhooks", undefined, headers);
    expect(list.answer).to.deep.equal({ webhooks: [listed] });
  });

  it("W9: lists and replays dead letters, removes, and passes refusals on", async () => {
    await using fixture = await openHttpFixture();
    const headers = await as(fixture, { admin: true });
    const call = (method: string, path: string, body?: object) =>
      fixture.call(method, `/v1/webhooks/${ID}${path}`, body, headers);
    fixture.webhooks.outcome = { kind: "dead", dead: [] };
    expect((await call("GET", "/dead?after=7&limit=2")).answer).to.deep.equal({ dead: [] });
    fixture.webhooks.outcome = { kind: "replayed", count: 3 };
    expect((await call("POST", "/replay", { ids: ["x"] })).answer).to.deep.equal({ replayed: 3 });
    fixture.webhooks.outcome = { kind: "done" };
    expect((await call("DELETE", "")).answer).to.deep.equal({ ok: true });
    expect(fixture.webhooks.requests).to.deep.equal([
      { op: "dead", webhook: ID, after: 7, limit: 2 },
      { op: "replay", webhook: ID, ids: ["x"] },
      { op: "remove", webhook: ID },
    ]);
    const detail = "the address is not a public one";
    fixture.webhooks.outcome = { kind: "refused", error: "forbidden", detail };
    const refused = await fixture.call("POST", "/v1/webhooks", HOOK, headers);
    expect(refused.answer).to.include({ name: "forbidden", detail });
  });

  it("W9: a URL with a user, a fragment or another protocol, and an unknown kind, are bad_frame", async () => {
    await using fixture = await openHttpFixture();
    const headers = await as(fixture, { admin: true });
    for (const body of [
      { ...HOOK, url: "https://user:secret@hooks.example/" },
      { ...HOOK, url: "https://hooks.example/#x" },
      { ...HOOK, url: "ftp://hooks.example/" },
      { ...HOOK, url: "hooks.example" },
      { ...HOOK, kinds: [] },
      { ...HOOK, kinds: ["room.everything"] },
      { ...HOOK, secret: "short" },
      { ...HOOK, rooms: ["a b"] },
    ]) {
      const response = await fixture.post("/v1/webhooks", body, headers);
      expect(await problemOf(response), JSON.stringify(body)).to.include({ name: "bad_frame" });
    }
    expect(fixture.webhooks.requests).to.deep.equal([]);
  });
});
