// Complaints: the text that a refused request receives.

import { expect } from "chai";
import { openHttpFixture, problemOf, textBody } from "./http-fixture.ts";
import type { Ask, HttpFixture } from "./http-fixture.ts";

const MESSAGES = "/v1/rooms/general/messages";
const JSON_TYPE = { "content-type": "application/json" };

describe("Complaints of the HTTP API", () => {
  let fixture: HttpFixture;

  before(async () => {
    fixture = await openHttpFixture();
  });
  after(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  const detailOf = async (path: string, init: Ask = {}): Promise<unknown> =>
    (await problemOf(await fixture.ask(path, init)))["detail"];
  const post = (body: string, headers: Record<string, string> = JSON_TYPE): Ask => ({
    method: "POST",
    body,
    headers,
  });

  for (const [what, path, init, detail] of [
    [
      "a limit above the maximum",
      `${MESSAGES}?limit=201`,
      {},
      "The query parameter limit is not valid: expected a whole number from 1 to 200.",
    ],
    [
      "a limit that is given twice",
      `${MESSAGES}?limit=5&limit=6`,
      {},
      "The query parameter limit is not valid: expected a whole number from 1 to 200.",
    ],
    [
      "a cursor that is not a number",
      `${MESSAGES}?before=x`,
      {},
      "The query parameter before is not valid: expected a whole number from 0 to 9007199254740991.",
    ],
    ["two cursors", `${MESSAGES}?before=5&after=2`, {}, "Expected before or after, not both."],
    [
      "a room id with a dot",
      "/v1/rooms/a.b/messages",
      {},
      "The path parameter room is not valid: expected text that matches ^[A-Za-z0-9_-]{1,64}$.",
    ],
    [
      "no body field",
      MESSAGES,
      post("{}"),
      "The body field body is missing: expected a JSON object.",
    ],
    [
      "a body field that is text",
      MESSAGES,
      post('{"body":"hi"}'),
      "The body field body is not valid: expected a JSON object.",
    ],
    [
      "a reply to no number",
      MESSAGES,
      post('{"body":{},"replyTo":0}'),
      "The body field replyTo is not valid: expected a whole number from 1 to 9007199254740991.",
    ],
    ["a body that is not JSON", MESSAGES, post("{"), "The body is not a JSON object."],
    [
      "a user without a name",
      "/v1/dev/token",
      post("{}"),
      "The body field user is missing: expected text that matches ^[^\\u0000]+$.",
    ],
    [
      "a grant for a room id that is not valid",
      "/v1/dev/token",
      post('{"user":"ada","rooms":{"<b>":"member"}}'),
      "The body field rooms is not valid: expected a JSON object.",
    ],
    [
      "another content type",
      MESSAGES,
      post("x=1", { "content-type": "text/csv" }),
      "The Content-Type header is not supported: expected application/json.",
    ],
    [
      "no token",
      MESSAGES,
      { headers: { authorization: "" } },
      "The Authorization header is missing: expected `Bearer <token>`.",
    ],
    [
      "another scheme",
      MESSAGES,
      { headers: { authorization: "Basic x" } },
      "The Authorization header holds no bearer token: expected `Bearer <token>`.",
    ],
    ["a token that is not valid", MESSAGES, { headers: { authorization: "Bearer x" } }, undefined],
    [
      "an Origin that is not allowed",
      MESSAGES,
      { headers: { origin: "http://evil.example" } },
      "This Origin is not allowed: the setting ORIGINS lists the allowed ones.",
    ],
  ] as const) {
    it(`complaint.1: names the fault and what was expected for ${what}`, async () => {
      expect(await detailOf(path, init)).to.equal(detail);
    });
  }

  it("complaint.1: reports a missing Content-Type as missing", async () => {
    const response = await fixture.inject({
      method: "POST",
      url: MESSAGES,
      headers: { authorization: `Bearer ${await fixture.token()}`, host: "a" },
      payload: Buffer.from(JSON.stringify({ body: textBody("hi") })),
    });
    expect(response.json()).to.include({
      detail: "The Content-Type header is missing: expected application/json.",
    });
  });

  it("complaint.1: reports a missing body as missing", async () => {
    const response = await fixture.inject({
      method: "POST",
      url: MESSAGES,
      headers: { authorization: `Bearer ${await fixture.token()}`, host: "a" },
    });
    expect(response.json()).to.include({
      detail: "The body is missing: expected a JSON object.",
    });
  });

  it("complaint.1: explains each refusal of a message body and of a message id", async () => {
    const large = JSON.stringify({ body: textBody("x".repeat(20_000)) });
    expect(await detailOf(MESSAGES, post(large))).to.equal(
      "The body field body is larger than 16384 bytes of JSON.",
    );
    expect(await detailOf(MESSAGES, post('{"body":{"text":"\\u0000"}}'))).to.match(
      /at most 32 levels/,
    );
    expect(await detailOf(MESSAGES, post('{"id":"1","body":{}}'))).to.match(/UUIDv7/);
    const frame = `{"body":{"text":"${"x".repeat(70_000)}"}}`;
    expect(await detailOf(MESSAGES, post(frame))).to.equal(
      "The request body is larger than 65536 bytes.",
    );
  });
});
