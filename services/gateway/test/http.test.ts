// Http: every failure is a problem of the error table, whichever layer found it, and contains
// nothing else.

import { expect } from "chai";
import { systemClock } from "#shared/adapters/clock-system.ts";
import { ERRORS } from "#shared/protocol/errors.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import { idNumber, openHttpFixture, PROBLEM, problemOf, textBody } from "./http-fixture.ts";
import type { Ask } from "./http-fixture.ts";

const MESSAGES = "/v1/rooms/general/messages";

describe("Http: failures", () => {
  it("H1: an error of the RoomApi becomes its row of the table, with Retry-After if it has a time", async () => {
    await using fixture = await openHttpFixture();
    for (const error of Object.keys(ERRORS) as ErrorName[]) {
      fixture.roomApi.instead = () => ({ kind: "refused", error, afterMs: 1_500 });
      const response = await fixture.post(MESSAGES, { id: idNumber(1), body: textBody("hi") });
      const { code, retry, message } = ERRORS[error];
      expect(response.status).to.equal(code);
      expect(response.headers.get("content-type")).to.equal(PROBLEM);
      expect(response.headers.get("retry-after")).to.equal("2");
      expect(await response.json()).to.deep.equal({
        type: `urn:parley:error:${error}`,
        title: message,
        status: code,
        name: error,
        retry,
        afterMs: 1_500,
        id: idNumber(1),
      });
    }
  });

  it("H1: `busy` and `unavailable` name a time, also if the RoomApi does not", async () => {
    await using fixture = await openHttpFixture();
    for (const error of ["busy", "unavailable"] as const) {
      fixture.roomApi.instead = () => ({ kind: "refused", error });
      const response = await fixture.post(MESSAGES, { id: idNumber(1), body: textBody("hi") });
      expect(response.headers.get("retry-after")).to.equal("1");
      expect(await response.json()).to.include({ name: error, afterMs: 1_000 });
    }
  });

  it("H1: a request that Fastify refuses gets a problem too", async () => {
    await using fixture = await openHttpFixture();
    const json = { "content-type": "application/json" };
    const cases: [string, Ask, ErrorName][] = [
      ["/nowhere", {}, "not_found"],
      ["/v1/rooms/%E0%A4%A/messages", {}, "bad_frame"],
      [MESSAGES, { method: "POST", body: "{", headers: json }, "bad_frame"],
      [MESSAGES, { method: "POST", body: "[]", headers: json }, "bad_frame"],
      [MESSAGES, { method: "POST", headers: json }, "bad_frame"],
      [MESSAGES, { method: "POST", body: "x=1", headers: { "content-type": "a/b" } }, "bad_frame"],
      [MESSAGES, { method: "POST", body: `"${"x".repeat(65_536)}"`, headers: json }, "too_large"],
    ];
    for (const [path, init, name] of cases) {
      const response = await fixture.ask(path, init);
      expect(await problemOf(response), `${init.method ?? "GET"} ${path}`).to.include({
        status: ERRORS[name].code,
        type: PROBLEM,
        name,
      });
    }
    expect(fixture.roomApi.sends).to.deep.equal([]);
  });

  it("F6: an exception behind the RoomApi is logged, and the answer contains nothing of it", async () => {
    await using fixture = await openHttpFixture();
    fixture.roomApi.instead = () => {
      throw new Error("SELECT secret_column FROM /srv/private.sql");
    };
    for (const response of [
      await fixture.ask(MESSAGES),
      await fixture.post(MESSAGES, { id: idNumber(1), body: textBody("hi") }),
    ]) {
      const text = await response.text();
      expect(response.status).to.equal(500);
      expect(JSON.parse(text)).to.deep.equal({
        type: "urn:parley:error:internal",
        title: ERRORS.internal.message,
        status: 500,
        name: "internal",
        retry: true,
      });
      expect(JSON.stringify([...response.headers]) + text).not.to.match(/SELECT|srv|at .*\.ts/);
    }
    expect(fixture.logged()).to.include("secret_column");
  });

  it("F6: a refused field is named, and its content is not repeated", async () => {
    await using fixture = await openHttpFixture();
    const hostile = "<script>alert(1)</script>";
    for (const response of [
      await fixture.ask(`${MESSAGES}?limit=${encodeURIComponent(hostile)}`),
      await fixture.post(MESSAGES, { id: idNumber(1), body: {}, replyTo: hostile }),
      await fixture.ask(`/v1/rooms/${encodeURIComponent(hostile)}/messages`),
      await fixture.ask(`/${encodeURIComponent(hostile)}`),
    ]) {
      expect(await response.text()).not.to.include("script");
      expect(response.headers.get("x-content-type-options")).to.equal("nosniff");
    }
  });

  it("S2: without a valid token there is no access, and the answer names the scheme", async () => {
    await using fixture = await openHttpFixture();
    const { token } = (await (await fixture.post("/v1/dev/token", { user: "ada" })).json()) as {
      token: string;
    };
    for (const authorization of ["", "Bearer", "Bearer ", "Bearer x", `Basic ${token}`, token]) {
      const response = await fixture.ask(MESSAGES, { headers: { authorization } });
      expect(await problemOf(response), authorization).to.include({ name: "unauthorized" });
      expect(response.headers.get("www-authenticate")).to.equal("Bearer");
    }
    const lower = await fixture.ask(MESSAGES, { headers: { authorization: `bearer ${token}` } });
    expect(lower.status).to.equal(200);
    const inUrl = await fixture.ask(`${MESSAGES}?token=${token}&access_token=${token}`, {
      headers: { authorization: "" },
    });
    expect(inUrl.status, "a token in a URL does not count").to.equal(401);
    expect(fixture.logged()).not.to.include(token);
  });

  it("S4: an expired token gets another error than an invalid one", async () => {
    let now = systemClock.now();
    await using fixture = await openHttpFixture({ clock: { ...systemClock, now: () => now } });
    const headers = { authorization: `Bearer ${await fixture.token()}` };
    now += 2 * 3_600_000;
    expect(await problemOf(await fixture.ask(MESSAGES, { headers }))).to.deep.equal({
      status: 401,
      type: PROBLEM,
      name: "token_expired",
      retry: false,
    });
  });
});

describe("Http: health", () => {
  it("H3: readyz depends on NATS, the keys and draining, and healthz on none of them", async () => {
    const auth = { verify: neverAsked, keysLoaded: true, close: () => undefined };
    await using fixture = await openHttpFixture({ auth });
    const ready = async (): Promise<unknown> => (await fixture.ask("/readyz")).status;
    expect(await ready()).to.equal(200);

    fixture.roomApi.health.natsUp = false;
    expect(await ready()).to.equal(503);
    expect(await problemOf(await fixture.ask("/readyz"))).to.deep.equal({
      status: 503,
      type: PROBLEM,
      name: "unavailable",
      retry: true,
      detail: "NATS is not connected.",
    });
    fixture.roomApi.health.natsUp = true;
    fixture.roomApi.health.draining = true;
    expect(await ready()).to.equal(503);
    fixture.roomApi.health.draining = false;
    auth.keysLoaded = false;
    expect(await ready()).to.equal(503);
    expect(
      await problemOf(await fixture.ask(MESSAGES)),
      "missing keys are not a bad token",
    ).to.include({
      name: "unavailable",
      retry: true,
    });

    fixture.roomApi.health.natsUp = false;
    fixture.roomApi.health.draining = true;
    expect((await fixture.ask("/healthz")).status).to.equal(200);
  });
});

describe("Http: dev tokens", () => {
  it("S9: without AUTH=dev the path is not found", async () => {
    await using fixture = await openHttpFixture({ withoutDevToken: true });
    const response = await fixture.post("/v1/dev/token", { user: "ada" });
    expect(await problemOf(response)).to.include({ name: "not_found" });
  });

  it("N4: a dev token is given to any storable user id and to no other text", async () => {
    await using fixture = await openHttpFixture();
    for (const user of ["ada", "ada@example.org", "日本語", "x".repeat(128)]) {
      const response = await fixture.post("/v1/dev/token", { user, name: "A", admin: false });
      const { token } = (await response.json()) as { token: string };
      const headers = { authorization: `Bearer ${token}` };
      const sent = await fixture.post(MESSAGES, { body: textBody("hi") }, headers);
      expect(sent.status, user).to.equal(201);
      expect(fixture.roomApi.sends.at(-1)?.user).to.equal(user);
    }
    for (const body of [
      {},
      { user: "" },
      { user: 7 },
      { user: "a\u0000" },
      { user: "é".repeat(65) },
    ]) {
      const response = await fixture.post("/v1/dev/token", body);
      expect(await problemOf(response)).to.include({ status: 400, name: "bad_frame" });
    }
  });
});

function neverAsked(): never {
  throw new Error("a token was checked before the keys are loaded");
}
