// HttpHooks: the rates.

import { expect } from "chai";
import { systemClock } from "#shared/adapters/clock-system.ts";
import { ADDRESS_RATE, USER_RATE } from "../adapters/http-hooks.ts";
import { FAILED_TOKEN_RATE } from "../core/admission.ts";
import { openHttpFixture, PROBLEM, problemOf, textBody } from "./http-fixture.ts";
import type { HttpFixture } from "./http-fixture.ts";

const MESSAGES = "/v1/rooms/general/messages";

describe("HttpHooks: rates", () => {
  it("S5: a user beyond the rate gets rate_limited with the time to retry; other users do not", async () => {
    let now = 0;
    await using fixture = await openHttpFixture({
      config: { limits: true },
      clock: { ...systemClock, monotonic: () => now },
    });
    const statuses = await statusesOf(fixture, USER_RATE.burst, {});
    expect(new Set(statuses)).to.deep.equal(new Set([200]));
    const beyond = await fixture.ask(MESSAGES);
    expect(beyond.headers.get("retry-after")).to.equal("1");
    const problem = (await beyond.json()) as { name: string; afterMs: number };
    expect(problem).to.include({ name: "rate_limited", afterMs: 1_000 / USER_RATE.perSecond });

    const bob = { authorization: `Bearer ${await fixture.token({ user: "bob" })}` };
    expect((await fixture.ask(MESSAGES, { headers: bob })).status).to.equal(200);
    now += problem.afterMs;
    expect((await fixture.ask(MESSAGES)).status).to.equal(200);
    expect((await fixture.ask(MESSAGES)).status).to.equal(429);
    expect((await fixture.ask("/healthz")).status, "health is not counted").to.equal(200);
  });

  it("S14: beyond the rate of refused tokens of an address, none of its tokens is checked", async () => {
    let now = 0;
    await using fixture = await openHttpFixture({
      config: { limits: true },
      clock: { ...systemClock, monotonic: () => now },
    });
    const bad = { authorization: "Bearer x" };
    await statusesOf(fixture, FAILED_TOKEN_RATE.burst, bad);
    const right = await fixture.ask(MESSAGES);
    expect(right.status).to.equal(429);
    const { afterMs } = (await right.json()) as { afterMs: number };
    expect(afterMs).to.equal(1_000 / FAILED_TOKEN_RATE.perSecond);
    now += afterMs;
    expect((await fixture.ask(MESSAGES)).status).to.equal(200);
  });

  it("S5: refused tokens count for the address, and do not lock out a user with a valid one", async () => {
    await using fixture = await openHttpFixture({
      config: { limits: true },
      clock: { ...systemClock, monotonic: () => 0 },
    });
    const bad = { authorization: "Bearer x" };
    const statuses = await statusesOf(fixture, ADDRESS_RATE.burst + 5, bad);
    expect(statuses.filter((status) => status === 401)).to.have.length(ADDRESS_RATE.burst);
    expect(statuses.filter((status) => status === 429)).to.have.length(5);
    expect((await fixture.ask(MESSAGES)).status).to.equal(200);
    expect(await problemOf(await fixture.post("/v1/dev/token", { user: "eve" }))).to.deep.equal({
      status: 429,
      type: PROBLEM,
      name: "rate_limited",
      retry: true,
    });
  });
});

describe("HttpHooks: log", () => {
  it("F6: a request is logged by route, without URL, token or body", async () => {
    await using fixture = await openHttpFixture();
    await fixture.post(`${MESSAGES}?q=in-the-url`, { body: textBody("in the body") });
    const logged = fixture.logged();
    expect(logged).to.include('"route":"/v1/rooms/:room/messages"').and.include('"status":201');
    expect(logged).not.to.match(/in-the-url|in the body|Bearer|eyJ/);
  });
});

async function statusesOf(
  fixture: HttpFixture,
  count: number,
  headers: Record<string, string>,
): Promise<number[]> {
  const statuses: number[] = [];
  for (let n = 0; n < count; n++) {
    const response = await fixture.ask(MESSAGES, { headers });
    await response.arrayBuffer();
    statuses.push(response.status);
  }
  return statuses;
}
