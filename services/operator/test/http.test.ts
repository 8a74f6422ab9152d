// The routes of the admin page: who may use them, and what they answer.

import { expect } from "chai";
import { CSRF_HEADER } from "#shared/protocol/operator-page.ts";
import type { ClusterSnapshot } from "#shared/protocol/operator-page.ts";
import { REFUSED_RATE, REQUEST_RATE } from "../adapters/http.ts";
import { IDLE_MS_MAX } from "../core/sign-ins.ts";
import { OperatorFixture, ORIGIN, ROOM_NODE, SESSION } from "./operator-fixture.ts";

const ACTION = { action: "kick", user: "bob" };
const ROUTES = [
  ["GET", "/sign-in"],
  ["DELETE", "/sign-in"],
  ["GET", "/state"],
  ["GET", "/rooms"],
  ["GET", "/sessions?user=bob"],
  ["POST", "/actions", ACTION],
] as const;

describe("The routes of the admin page", () => {
  let fixture: OperatorFixture;
  beforeEach(async () => {
    fixture = await OperatorFixture.open();
  });
  afterEach(() => fixture.app.close());

  it("AP1: without a sign-in, and with a cookie of none, every route answers unauthorized", async () => {
    for (const cookie of [
      undefined,
      `parley-operator=${"x".repeat(43)}`,
      "parley-operator=short",
    ]) {
      for (const [method, path, body] of ROUTES) {
        const headers = cookie === undefined ? {} : { cookie };
        const { status, body: answer } = await fixture.ask(method, path, headers, body);
        expect(status, `${method} ${path}`).to.equal(401);
        expect(answer).to.include({ name: "unauthorized" });
      }
    }
    expect(fixture.requests.asked).to.deep.equal([]);
  });

  it("AP1: only a valid token with admin signs in, and no answer or log line has it", async () => {
    const cases = [
      [{ token: "forged" }, 401],
      [{ token: "user bob" }, 403],
      [{}, 400],
      [{ token: "admin ada", more: 1 }, 400],
      [{ token: 7 }, 400],
      ["no JSON", 400],
      [{ token: "x".repeat(17_000) }, 413],
    ] as const;
    for (const [body, status] of cases) {
      fixture.now += 60_000; // Beyond the rate of refused tokens.
      const answer = await fixture.ask("POST", "/sign-in", {}, body);
      expect(answer.status, JSON.stringify(body).slice(0, 40)).to.equal(status);
      expect(answer.headers).to.not.have.property("set-cookie");
    }
    const { status, headers, body } = await fixture.ask(
      "POST",
      "/sign-in",
      {},
      {
        token: "admin ada",
      },
    );
    expect(status).to.equal(201);
    expect(body).to.have.keys("user", "csrf", "endsAt");
    const cookie = String(headers["set-cookie"]);
    expect(cookie).to.match(
      /^parley-operator=[\w-]{43}; Path=\/operator; Max-Age=3600; HttpOnly; SameSite=Strict$/u,
    );
    const texts = fixture.logged.map(({ text }) => text);
    expect(texts).to.deep.equal([
      "a sign-in at the admin page was refused",
      "a sign-in at the admin page was refused",
      "an administrator signed in",
    ]);
    expect(JSON.stringify([fixture.logged, body])).to.not.match(/forged|admin ada|user bob/u);
  });

  it("AP1: a cookie of a page on https is sent over https only", async () => {
    const secure = await OperatorFixture.open(["https://admin.example"]);
    const { headers } = await secure.ask("POST", "/sign-in", {}, { token: "admin ada" });
    expect(headers["set-cookie"]).to.match(/; Secure$/u);
    await secure.app.close();
  });

  it("AP2: a browser of another origin is refused, also with a cookie and the secret", async () => {
    const page = await fixture.signIn();
    for (const [method, path, body] of ROUTES) {
      for (const origin of ["http://localhost:8080", "null", "https://evil.example"]) {
        const answer = await fixture.ask(method, path, { ...page, origin }, body);
        expect(answer.status, `${method} ${path} ${origin}`).to.equal(403);
      }
    }
    const kicked = await fixture.ask("POST", "/actions", { ...page, origin: ORIGIN }, ACTION);
    expect(kicked.status).to.equal(200);
  });

  it("AP2: a change without the secret of its own sign-in changes nothing", async () => {
    const page = await fixture.signIn();
    const other = await fixture.signIn();
    const { cookie = "" } = page;
    const secrets = [undefined, "", "x".repeat(43), other[CSRF_HEADER] ?? ""];
    for (const secret of secrets) {
      const headers = secret === undefined ? { cookie } : { cookie, [CSRF_HEADER]: secret };
      for (const [method, path, body] of ROUTES.filter(([name]) => name !== "GET")) {
        const { status, body: answer } = await fixture.ask(method, path, headers, body);
        expect(status, `${method} ${path}`).to.equal(403);
        expect(answer).to.include({ name: "forbidden" });
      }
    }
    expect(fixture.requests.asked).to.deep.equal([]);
    expect((await fixture.ask("GET", "/sign-in", { cookie })).status).to.equal(200);
  });

  it("AP3: signing out, idleness, the end of the token and a revocation end a sign-in", async () => {
    const ends: readonly (readonly [string, (page: Record<string, string>) => unknown])[] = [
      ["signed out", (page) => fixture.ask("DELETE", "/sign-in", page)],
      ["idle", () => (fixture.now += IDLE_MS_MAX)],
      ["revoked", () => fixture.revoked.add("ada")],
    ];
    for (const [what, end] of ends) {
      const page = await fixture.signIn();
      expect((await fixture.ask("GET", "/state", page)).status, what).to.equal(200);
      await end(page);
      expect((await fixture.ask("GET", "/state", page)).status, what).to.equal(401);
    }
    fixture.revoked.clear();
    const page = await fixture.signIn();
    const began = fixture.now;
    while (fixture.now < began + 3_600_000 - 60_000) {
      fixture.now += 60_000;
      expect((await fixture.ask("GET", "/sign-in", page)).status).to.equal(200);
    }
    fixture.now += 60_000;
    expect((await fixture.ask("GET", "/sign-in", page)).status).to.equal(401);
  });

  it("AP3: a further sign-in of the same page ends the one before", async () => {
    const first = await fixture.signIn();
    const { cookie = "" } = first;
    const again = await fixture.ask("POST", "/sign-in", { cookie }, { token: "admin ada" });
    expect(again.status).to.equal(201);
    expect((await fixture.ask("GET", "/sign-in", first)).status).to.equal(401);
  });

  it("AP3: refused tokens of an address, and the requests of a sign-in, have a rate", async () => {
    const page = await fixture.signIn();
    for (let n = 0; n < REFUSED_RATE.burst; n++) {
      const { status } = await fixture.ask("POST", "/sign-in", {}, { token: "forged" });
      expect(status).to.equal(401);
    }
    const { status, headers } = await fixture.ask("POST", "/sign-in", {}, { token: "admin ada" });
    expect(status).to.equal(429);
    expect(Number(headers["retry-after"])).to.be.greaterThan(0);
    let answers = 0;
    while ((await fixture.ask("GET", "/sign-in", page)).status === 200) answers++;
    expect(answers).to.equal(REQUEST_RATE.burst);
    fixture.now += 1_000;
    expect((await fixture.ask("GET", "/sign-in", page)).status).to.equal(200);
  });

  it("AP4: the state has processes, partitions with owners, problems and a history", async () => {
    const page = await fixture.signIn();
    const { body } = await fixture.ask("GET", "/state", page);
    const state = body as unknown as ClusterSnapshot;
    expect(state.processes).to.have.length(1);
    expect(state.processes[0]).to.include({ id: ROOM_NODE, lastAt: fixture.now });
    expect(state.partitions).to.deep.equal([{ p: 0, owners: [[ROOM_NODE, 812]] }]);
    expect(state.problems).to.include("no gateway process answers");
    expect(state).to.deep.include({ isConnected: true, webhooks: null, at: fixture.now });
    expect(state.history).to.deep.equal([{ at: fixture.now, sockets: 0, rooms: 2, lagEntries: 0 }]);
  });

  it("AP4: rooms are found by a part of their id, and sessions come in pages", async () => {
    const page = await fixture.signIn();
    const rooms = await fixture.ask("GET", "/rooms?find=lan", page);
    expect(rooms.body).to.deep.equal({
      rooms: [{ room: "plans", sessions: 1, head: 3 }],
      more: 0,
    });
    const sizes = [];
    for (const from of [0, 25]) {
      const { body } = await fixture.ask("GET", `/sessions?user=bob&from=${from}`, page);
      expect(body).to.include({ from, total: 30 });
      sizes.push((body["sessions"] as unknown[]).length);
    }
    expect(sizes).to.deep.equal([25, 5]);
    for (const path of ["/sessions", "/sessions?user=", "/sessions?user=b&from=-1", "/rooms?x=1"]) {
      expect((await fixture.ask("GET", path, page)).status, path).to.equal(400);
    }
  });

  it("AP5: each action is the request of the command, and one line of the log", async () => {
    const page = await fixture.signIn();
    const cases = [
      [{ action: "drain", process: ROOM_NODE }, ["drain", "ada (admin page)", ROOM_NODE]],
      [ACTION, ["kick", "ada (admin page)", "bob"]],
      [{ action: "revoke", user: "bob" }, ["revoke", "ada (admin page)", "bob"]],
      [{ action: "end", user: "bob", session: SESSION }, ["end", "bob", SESSION]],
    ] as const;
    for (const [action, asked] of cases) {
      const before = fixture.logged.length;
      const { status, body } = await fixture.ask("POST", "/actions", page, action);
      expect(status).to.equal(200);
      expect(body).to.include({ action: action.action });
      expect(fixture.requests.asked.at(-1)).to.deep.equal(asked);
      const { action: what, ...target } = action;
      expect(fixture.logged.slice(before)).to.deep.equal([
        {
          by: "ada",
          address: "127.0.0.1",
          what,
          ...target,
          outcome: "done",
          text: "an administrator acted",
        },
      ]);
    }
  });

  it("AP5: an unknown process, a bad body and an absent persistence get one problem each", async () => {
    const page = await fixture.signIn();
    const unknown = { action: "drain", process: "room-ffffffffffff" };
    const missing = await fixture.ask("POST", "/actions", page, unknown);
    expect(missing.status).to.equal(404);
    expect(fixture.logged.at(-1)).to.include({ by: "ada", outcome: "not_found" });
    const bad = [
      {},
      { action: "stop" },
      { action: "drain" },
      { action: "drain", process: "../x" },
      { action: "kick", user: "" },
      { action: "kick", user: "bob", process: ROOM_NODE },
      { action: "end", user: "bob", session: "x" },
      "[]",
      "{",
    ];
    const asked = fixture.requests.asked.length;
    for (const body of bad) {
      const { status, body: answer } = await fixture.ask("POST", "/actions", page, body);
      expect(status, JSON.stringify(body)).to.equal(400);
      expect(answer).to.include({ name: "bad_frame" });
    }
    expect(fixture.requests.asked).to.have.length(asked);
    fixture.requests.isAway = true;
    expect((await fixture.ask("POST", "/actions", page, ACTION)).status).to.equal(503);
    const full = await fixture.ask("POST", "/actions", page, { action: "revoke", user: "bob" });
    expect(full.status).to.equal(409);
    expect((await fixture.ask("GET", "/sessions?user=bob", page)).status).to.equal(503);
  });

  it("AP4: without NATS the state is the last one, and says so", async () => {
    const page = await fixture.signIn();
    await fixture.ask("GET", "/state", page);
    fixture.status = "disconnected";
    fixture.now += 5_000;
    const { status, body } = await fixture.ask("GET", "/state", page);
    expect(status).to.equal(200);
    expect(body).to.include({ isConnected: false, at: fixture.now - 5_000, now: fixture.now });
    expect(body["processes"]).to.have.length(1);
  });
});
