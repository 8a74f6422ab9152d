// OpenApi: the description equals the checks and the answers.

import { expect } from "chai";
import { z } from "zod";
import { BODY_BYTES_MAX } from "#shared/protocol/limits.ts";
import { idNumber, openHttpFixture, textBody } from "./http-fixture.ts";

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly schema: JsonSchema;
}
type JsonSchema = Parameters<typeof z.fromJSONSchema>[0];
interface Media {
  readonly content: Record<string, { readonly schema: JsonSchema }>;
}
interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Media;
  readonly responses: Record<string, Media>;
  readonly security: readonly object[];
}
interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, JsonSchema> };
}

const MESSAGES = "/v1/rooms/{room}/messages";

describe("OpenApi", () => {
  it("H5: each described path is served, and needs a token exactly where the description says so", async () => {
    await using fixture = await openHttpFixture();
    const { paths, openapi } = (await (await fixture.ask("/openapi.json")).json()) as Document;
    expect(openapi).to.equal("3.1.0");
    const rooms = [
      "/v1/me/rooms",
      "/v1/search",
      "/v1/names",
      "/v1/users/{user}/name",
      "/v1/rooms/{room}/export",
      "/v1/rooms/{room}/import",
      "/v1/rooms",
      "/v1/rooms/{room}",
      "/v1/rooms/{room}/members",
    ];
    const member = "/v1/rooms/{room}/members/{user}";
    const message = `${MESSAGES}/{seq}`;
    const pins = "/v1/rooms/{room}/pins";
    const changes = [message, `${message}/reactions/{emoji}`, pins, `${pins}/{seq}`];
    const invites = ["/v1/rooms/{room}/invites", "/v1/rooms/{room}/invites/{invite}"];
    const webhook = "/v1/webhooks/{webhook}";
    const hooks = [
      "/v1/link-preview",
      "/v1/webhooks",
      webhook,
      `${webhook}/dead`,
      `${webhook}/replay`,
    ];
    const user = "/v1/users/{user}";
    const sessions = [`${user}/sessions`, `${user}/sessions/{session}`, `${user}/revoke`];
    const files = ["/v1/rooms/{room}/attachments/{id}", "/v1/files/{link}"];
    const others = [
      ...files,
      ...hooks,
      ...invites,
      ...sessions,
      "/v1/dev/token",
      "/healthz",
      "/readyz",
    ];
    const all = [MESSAGES, ...rooms, member, ...changes, ...others];
    expect(Object.keys(paths)).to.have.members(all);
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const response = await fetch(
          fixture.url +
            path
              .replace("{room}", "general")
              .replace("{user}", "ben")
              .replace("{seq}", "3")
              .replace("{emoji}", ":ok:"),
          {
            method: method.toUpperCase(),
            headers: { connection: "close" },
          },
        );
        expect(response.status === 401, path).to.equal(operation.security.length > 0);
        expect(response.status, path).not.to.equal(404);
      }
    }
  });

  it("H5: the described schemas and the server accept and refuse the same requests", async () => {
    await using fixture = await openHttpFixture();
    const { paths } = (await (await fixture.ask("/openapi.json")).json()) as Document;
    const { post } = paths[MESSAGES] ?? {};
    const described = z.fromJSONSchema(
      withoutKeys(post!.requestBody!.content["application/json"]!.schema),
    );
    for (const message of [
      { body: {} },
      { body: textBody("hi"), replyTo: 1 },
      { body: textBody("hi"), unknown: 1 },
      { body: [] },
      { body: "text" },
      {},
      { body: {}, replyTo: 0 },
      { body: {}, replyTo: "1" },
      { body: {}, id: 7 },
    ]) {
      const { status } = await fixture.post(MESSAGES.replace("{room}", "general"), message);
      expect(described.safeParse(message).success, JSON.stringify(message)).to.equal(
        status === 201,
      );
    }
    const query = paths[MESSAGES]!["get"]!.parameters!.find(
      (parameter) => parameter.in === "query",
    )!;
    expect(query).to.deep.include({ required: false, style: "form", explode: true });
    const { not, ...fields } = query.schema as Record<string, unknown>;
    expect(not).to.deep.include({ required: ["before", "after"] });
    for (const value of [0, 1, 200, 201, 1.5]) {
      const { status } = await fixture.ask(`/v1/rooms/general/messages?limit=${value}`);
      expect(z.fromJSONSchema(fields).safeParse({ limit: value }).success).to.equal(status === 200);
    }
  });

  it("H5: each refusal of the hooks and handlers is described, and each bound of a field", async () => {
    await using fixture = await openHttpFixture();
    const { paths } = (await (await fixture.ask("/openapi.json")).json()) as Document;
    const statuses = (path: string, method: string): string[] =>
      Object.keys(paths[path]![method]!.responses);
    const bearer = ["400", "401", "403", "429", "500", "503"];
    expect(statuses(MESSAGES, "get")).to.have.members(["200", ...bearer]);
    expect(statuses(MESSAGES, "post")).to.have.members([
      "201",
      ...bearer,
      "404",
      "409",
      "413",
      "422",
    ]);
    expect(statuses("/v1/dev/token", "post")).to.have.members([
      "200",
      "400",
      "403",
      "413",
      "429",
      "500",
    ]);
    expect(statuses("/healthz", "get")).to.have.members(["200", "400", "403", "500"]);
    const { parameters, requestBody } = paths[MESSAGES]!["post"]!;
    const key = parameters!.find(({ name }) => name === "idempotency-key")!.schema;
    expect(key).to.include({ minLength: 1, maxLength: 255 });
    const body = requestBody!.content["application/json"]!.schema as unknown as {
      properties: Record<string, Record<string, unknown>>;
    };
    const isKey = new RegExp((key as { pattern: string }).pattern);
    const isId = new RegExp(String(body.properties["id"]!["pattern"]));
    for (const [text, ok] of [
      ["a", true],
      ['"a b"', true],
      ['""', false],
      [" a", false],
      ["a ", false],
    ] as const) {
      expect(isKey.test(text), text).to.equal(ok);
    }
    expect([isId.test(idNumber(1)), isId.test(idNumber(1).toUpperCase())]).to.deep.equal([
      true,
      false,
    ]);
    expect(body.properties["body"]!["description"]).to.include(String(BODY_BYTES_MAX));
  });

  it("H5: answers match the description", async () => {
    await using fixture = await openHttpFixture();
    const { paths, components } = (await (await fixture.ask("/openapi.json")).json()) as Document;
    const path = MESSAGES.replace("{room}", "general");
    const schemaOf = (method: string, status: string): z.ZodType =>
      z.fromJSONSchema(
        paths[MESSAGES]![method]!.responses[status]!.content["application/json"]!.schema,
      );
    const sent: unknown = await (await fixture.post(path, { body: textBody("hi") })).json();
    schemaOf("post", "201").parse(sent);
    const page: unknown = await (await fixture.ask(path)).json();
    schemaOf("get", "200").parse(page);
    const problem: unknown = await (await fixture.ask(`${path}?limit=0`)).json();
    z.fromJSONSchema(components.schemas["Problem"]!).parse(problem);
  });

  it("H5: the bytes of a file may have any type, and each answer to a range is described", async () => {
    await using fixture = await openHttpFixture();
    const { paths } = (await (await fixture.ask("/openapi.json")).json()) as Document;
    const { responses } = paths["/v1/files/{link}"]!["get"]!;
    const path = `/v1/rooms/general/attachments/${idNumber(1)}?name=a.txt`;
    await fixture.ask(path, { method: "PUT", body: "a text" });
    const { url } = (await (await fixture.ask(path)).json()) as { url: string };
    for (const [headers, status, type] of [
      [{}, 200, "*/*"],
      [{ range: "bytes=0-1" }, 206, "*/*"],
      [{ "if-none-match": `"${idNumber(1)}"` }, 304, undefined],
      [{ range: "bytes=9-" }, 416, "application/problem+json"],
    ] as const) {
      const answer = await fetch(fixture.url + url, { headers });
      expect(answer.status).to.equal(status);
      const described = Object.keys(responses[status]?.content ?? {});
      expect(described, String(status)).to.deep.equal(type === undefined ? [] : [type]);
      expect(responses).to.have.property(String(status));
      expect((await answer.text()) === "").to.equal(type === undefined);
    }
  });

  it("H5: the HTML page lists the same operations and runs no script", async () => {
    await using fixture = await openHttpFixture();
    const response = await fixture.ask("/docs");
    const html = await response.text();
    expect(html).to.include("GET /v1/rooms/:room/messages").and.include("POST /v1/dev/token");
    expect(html).not.to.include("<script");
    expect(response.headers.get("content-security-policy")).to.match(
      /^default-src 'none'; style-src 'sha256-[^']+'; /,
    );
  });
});

/** Zod's reader does not support the `not` of a message's keys. */
function withoutKeys(schema: JsonSchema): JsonSchema {
  const text = JSON.stringify(schema, (key, value: unknown) =>
    key === "propertyNames" ? undefined : value,
  );
  return JSON.parse(text) as JsonSchema;
}
