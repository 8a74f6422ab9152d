// OpenApi: what the description says is what is checked and what is answered.

import { expect } from "chai";
import { z } from "zod";
import { openHttpWorld, textBody } from "./http-world.ts";

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
  readonly security?: unknown;
}
interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, JsonSchema> };
}

const MESSAGES = "/v1/rooms/{room}/messages";

describe("OpenApi", () => {
  it("H5: each described path is served, and each needs a token exactly where it says so", async () => {
    await using world = await openHttpWorld();
    const { paths, openapi } = (await (await world.ask("/openapi.json")).json()) as Document;
    expect(openapi).to.equal("3.1.0");
    expect(Object.keys(paths)).to.have.members([MESSAGES, "/v1/dev/token", "/healthz", "/readyz"]);
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const response = await fetch(world.url + path.replace("{room}", "general"), {
          method: method.toUpperCase(),
          headers: { connection: "close" },
        });
        expect(response.status === 401, path).to.equal(operation.security !== undefined);
        expect(response.status, path).not.to.equal(404);
      }
    }
  });

  it("H5: the described schemas and the server refuse and accept the same requests", async () => {
    await using world = await openHttpWorld();
    const { paths } = (await (await world.ask("/openapi.json")).json()) as Document;
    const { post } = paths[MESSAGES] ?? {};
    const described = z.fromJSONSchema(post!.requestBody!.content["application/json"]!.schema);
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
      const { status } = await world.post(MESSAGES.replace("{room}", "general"), message);
      expect(described.safeParse(message).success, JSON.stringify(message)).to.equal(
        status === 201,
      );
    }
    const limit = paths[MESSAGES]!["get"]!.parameters!.find(({ name }) => name === "limit")!;
    expect(limit).to.deep.include({ in: "query", required: false });
    for (const value of [0, 1, 200, 201, 1.5]) {
      const { status } = await world.ask(`/v1/rooms/general/messages?limit=${value}`);
      expect(z.fromJSONSchema(limit.schema).safeParse(value).success).to.equal(status === 200);
    }
  });

  it("H5: answers are as described", async () => {
    await using world = await openHttpWorld();
    const { paths, components } = (await (await world.ask("/openapi.json")).json()) as Document;
    const path = MESSAGES.replace("{room}", "general");
    const schemaOf = (method: string, status: string): z.ZodType =>
      z.fromJSONSchema(
        paths[MESSAGES]![method]!.responses[status]!.content["application/json"]!.schema,
      );
    const sent: unknown = await (await world.post(path, { body: textBody("hi") })).json();
    schemaOf("post", "201").parse(sent);
    const page: unknown = await (await world.ask(path)).json();
    schemaOf("get", "200").parse(page);
    const problem: unknown = await (await world.ask(`${path}?limit=0`)).json();
    z.fromJSONSchema(components.schemas["Problem"]!).parse(problem);
  });

  it("H5: the page for people lists the same operations and runs nothing", async () => {
    await using world = await openHttpWorld();
    const response = await world.ask("/docs");
    const html = await response.text();
    expect(html).to.include("GET /v1/rooms/:room/messages").and.include("POST /v1/dev/token");
    expect(html).not.to.include("<script");
    expect(response.headers.get("content-security-policy")).to.match(
      /^default-src 'none'; style-src 'sha256-[^']+'; /,
    );
  });
});
