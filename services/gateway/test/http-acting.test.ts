// HttpActing: requests that a back end makes for a user.

import { expect } from "chai";
import { systemClock } from "#shared/adapters/clock-system.ts";
import { SERVICE_RATE, USER_RATE } from "../adapters/http-hooks.ts";
import { idNumber, openHttpFixture, problemOf, textBody } from "./http-fixture.ts";
import type { HttpFixture } from "./http-fixture.ts";

const MESSAGES = "/v1/rooms/general/messages";
const MESSAGE = { id: idNumber(1), body: textBody("hello") };

async function service(fixture: HttpFixture, admin = false): Promise<Record<string, string>> {
  const rooms = { general: "owner" };
  const token = await fixture.token({ user: "billing", svc: true, admin, rooms });
  return { authorization: `Bearer ${token}` };
}

describe("HttpActing", () => {
  it("B1: with `svc` a request `as` a user is one of that user, on every route that needs a token", async () => {
    await using fixture = await openHttpFixture();
    const headers = await service(fixture);
    const sent = await fixture.post(`${MESSAGES}?as=ben%20%F0%9F%8C%B1`, MESSAGE, headers);
    expect(sent.status).to.equal(201);
    expect(fixture.roomApi.sends.at(-1)).to.deep.include({ user: "ben 🌱" });
    expect((await fixture.ask(`${MESSAGES}?limit=1&as=ben`, { headers })).status).to.equal(200);
    expect(fixture.roomApi.pages.at(-1)).to.deep.include({ user: "ben", limit: 1 });
    expect((await fixture.ask("/v1/me/rooms?as=ben", { headers })).status).to.equal(200);
    expect(fixture.roomLists.queries.at(-1)).to.deep.include({ user: "ben" });
    const direct = { kind: "direct", user: "ada" };
    const created = await fixture.call("POST", "/v1/rooms?as=ben", direct, headers);
    expect(created.status).to.equal(201);
    expect(fixture.roomApi.sends.at(-1)).to.deep.include({ user: "ben" });
  });

  it("B1: without `svc` an `as` is forbidden, also as oneself or as admin, and nothing is written", async () => {
    await using fixture = await openHttpFixture();
    for (const claims of [
      { user: "ada" },
      { user: "ada", admin: true },
      { user: "ada", svc: false },
    ]) {
      const headers = { authorization: `Bearer ${await fixture.token(claims)}` };
      for (const as of ["ben", "ada", ""]) {
        const response = await fixture.post(`${MESSAGES}?as=${as}`, MESSAGE, headers);
        expect(await problemOf(response)).to.include({ status: 403, name: "forbidden" });
      }
    }
    expect(fixture.roomApi.sends).to.deep.equal([]);
  });

  it("B1: each described operation that needs a token has `as`, and refuses it without `svc`", async () => {
    await using fixture = await openHttpFixture();
    const description = await (await fixture.ask("/openapi.json")).json();
    const { paths } = description as {
      paths: Record<
        string,
        Record<string, { security: readonly unknown[]; parameters?: { name: string }[] }>
      >;
    };
    for (const [path, operations] of Object.entries(paths)) {
      for (const [method, { security, parameters = [] }] of Object.entries(operations)) {
        const isDescribed = parameters.some(({ name }) => name === "as");
        expect(isDescribed, `${method} ${path}`).to.equal(security.length > 0);
        if (!isDescribed) continue;
        const url = `${path.replaceAll(/\{\w+\}/g, "1")}?as=ben`;
        const response = await fixture.ask(url, { method: method.toUpperCase() });
        expect(response.status, `${method} ${path}`).to.equal(403);
      }
    }
  });

  it("B1: an `as` that is no user id, or stands twice, is bad_frame", async () => {
    await using fixture = await openHttpFixture();
    const headers = await service(fixture);
    for (const query of ["as=", "as=%00", `as=${"x".repeat(129)}`, "as=ada&as=ben"]) {
      const response = await fixture.post(`${MESSAGES}?${query}`, MESSAGE, headers);
      expect(await problemOf(response), query).to.include({ status: 400, name: "bad_frame" });
    }
    expect(fixture.roomApi.sends).to.deep.equal([]);
  });

  it("B2: the user's own rights decide; neither `admin` nor a grant of the service token counts", async () => {
    await using fixture = await openHttpFixture();
    const headers = await service(fixture, true);
    await fixture.post(`${MESSAGES}?as=ben`, MESSAGE, headers);
    expect(fixture.roomApi.sends.at(-1)).to.deep.include({ user: "ben", grant: undefined });
    await fixture.post(MESSAGES, { ...MESSAGE, id: idNumber(2) }, headers);
    expect(fixture.roomApi.sends.at(-1)).to.deep.include({ user: "billing", grant: "admin" });
  });

  it("B2: the same key names one message of each user for whom a back end acts", async () => {
    await using fixture = await openHttpFixture();
    const headers = { ...(await service(fixture)), "idempotency-key": "order 7" };
    const body = { body: textBody("paid") };
    const numberAs = async (user: string) =>
      (await fixture.call("POST", `${MESSAGES}?as=${user}`, body, headers)).answer["seq"];
    expect(await numberAs("ben")).to.equal(1);
    expect(await numberAs("cat")).to.equal(2);
    expect(await numberAs("ben")).to.equal(1);
  });

  it("B3: the log names the back end of a request that it makes for a user", async () => {
    await using fixture = await openHttpFixture();
    await fixture.post(`${MESSAGES}?as=ben`, MESSAGE, await service(fixture));
    const line = fixture
      .logged()
      .split("\n")
      .find((text) => text.includes("http request"));
    const fields = JSON.parse(line ?? "{}") as Record<string, unknown>;
    expect(fields).to.include({ user: "ben", service: "billing", method: "POST", status: 201 });
    expect(fields["level"]).to.equal("info");
  });

  it("B3: requests with a service token count for its holder, and never use up the rate of a user", async () => {
    await using fixture = await openHttpFixture({
      config: { limits: true },
      clock: { ...systemClock, monotonic: () => 0 },
    });
    const headers = await service(fixture);
    const statuses = new Map<number, number>();
    for (let i = 0; i < SERVICE_RATE.burst + 5; i++) {
      const url = `${MESSAGES}?as=ada&limit=1`;
      const { statusCode } = await fixture.inject({ url, headers });
      statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1);
    }
    expect(Object.fromEntries(statuses)).to.deep.equal({ 200: SERVICE_RATE.burst, 429: 5 });
    expect(SERVICE_RATE.burst).to.be.above(USER_RATE.burst);
    expect((await fixture.ask(MESSAGES)).status).to.equal(200);
  });
});
