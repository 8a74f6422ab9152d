// Descriptions: both descriptions of the API under a linter of others, and the frames against their
// schemas.

import { expect } from "chai";
import { lintApi, lintExamples } from "#tools/programs/api-lint.ts";
import { isObject } from "#shared/kit/json.ts";
import { clientFrameSchemas, decodeClientFrame } from "#shared/protocol/client-frames.ts";
import { serverFrameSchemas } from "#shared/protocol/server-frame-schemas.ts";
import { readScenarios } from "#client/contract/scenario.ts";
import { asyncApiDocument } from "../adapters/asyncapi.ts";
import { CLIENT_FRAMES, SERVER_FRAMES } from "../adapters/frame-descriptions.ts";
import { openHttpFixture } from "./http-fixture.ts";
import type { HttpFixture } from "./http-fixture.ts";

interface Media {
  readonly example?: unknown;
  readonly examples?: object;
}
interface Operation {
  readonly operationId: string;
  readonly requestBody?: { readonly content: Record<string, Media> };
  readonly responses: Record<string, { readonly content: Record<string, Media> }>;
}

function isServerType(t: unknown): t is keyof typeof serverFrameSchemas {
  return typeof t === "string" && Object.hasOwn(serverFrameSchemas, t);
}

describe("Descriptions", function () {
  this.timeout(10 * 60_000); // The first run installs the linter.

  let fixture: HttpFixture;
  let openApi: string;
  let asyncApi: string;
  before(async () => {
    fixture = await openHttpFixture();
    openApi = await (await fixture.ask("/openapi.json")).text();
    asyncApi = await (await fixture.ask("/asyncapi.json")).text();
  });
  after(() => fixture[Symbol.asyncDispose]());

  it("DS2: Redocly's linter finds nothing in the OpenAPI document, its examples included", async () => {
    expect(await lintApi(openApi)).to.deep.equal([]);
    const broken = openApi.replace('"example":{"ok":true}', '"example":{"ok":1}');
    expect((await lintApi(broken)).join()).to.include("no-invalid-media-type-examples");
  });

  it("DS2: Redocly's linter finds nothing in the AsyncAPI document, and Ajv nothing in its examples", async () => {
    expect(await lintApi(asyncApi)).to.deep.equal([]);
    expect(await lintExamples(asyncApi)).to.deep.equal([]);
    expect(await lintApi(asyncApi.replace('"action":"send"', '"action":"sent"'))).not.to.be.empty;
    expect(await lintExamples(asyncApi.replace('"why":"mention"', '"why":7'))).to.have.length(1);
  });

  it("DS2: each operation has an example of its body and of each answer", () => {
    const { paths } = JSON.parse(openApi) as { paths: Record<string, Record<string, Operation>> };
    for (const operation of Object.values(paths).flatMap((path) => Object.values(path))) {
      const { operationId, requestBody, responses } = operation;
      const media = [requestBody, ...Object.values(responses)].flatMap((part) =>
        Object.values(part?.content ?? {}),
      );
      for (const { example, examples = {} } of media) {
        expect(example !== undefined || Object.keys(examples).length > 0, operationId).to.equal(
          true,
        );
      }
    }
  });

  it("DS1: the AsyncAPI document has every frame, and the answers of each request", () => {
    const { operations, components } = asyncApiDocument() as {
      operations: Record<string, { reply?: { messages: unknown[] } }>;
      components: { messages: object };
    };
    const frames = [...Object.keys(clientFrameSchemas), ...Object.keys(serverFrameSchemas)];
    expect(Object.keys(components.messages)).to.have.length(frames.length);
    expect(Object.keys(operations)).to.have.length(Object.keys(clientFrameSchemas).length + 1);
    expect(operations["receiveJoin"]?.reply?.messages).to.deep.equal([
      { $ref: "#/channels/socket/messages/sendJoined" },
      { $ref: "#/channels/socket/messages/sendError" },
    ]);
    expect(operations["receiveTyping"]?.reply).to.equal(undefined);
  });

  it("frame-descriptions.1: the decoder accepts each example of a client frame, and the schema each of a server frame", () => {
    for (const [t, { example }] of Object.entries(CLIENT_FRAMES)) {
      expect(decodeClientFrame(JSON.stringify(example)), t).to.deep.include({ kind: "frame" });
    }
    for (const [t, { example }] of Object.entries(SERVER_FRAMES)) {
      expect(isServerType(t) && serverFrameSchemas[t].safeParse(example).success, t).to.equal(true);
    }
  });

  it("DS1: each frame that a real gateway sent in the recorded conversations matches its schema, without another field", () => {
    const recorded = readScenarios().filter(({ name }) => name.startsWith("recorded-"));
    const frames = recorded.flatMap(({ steps }) =>
      steps.flatMap((step) => ("frame" in step ? [step.frame] : [])),
    );
    expect(frames.length).to.be.above(30);
    for (const frame of frames) {
      const { t } = frame;
      if (!isServerType(t)) throw new Error(`no schema of ${String(t)}`);
      // `$id2` stands for an id that the client made, `$ref1` for a number.
      const { success, error } = serverFrameSchemas[t].strict().safeParse(withValues(frame));
      expect(success, `${JSON.stringify(frame)}\n${error?.message ?? ""}`).to.equal(true);
    }
  });
});

function withValues(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withValues);
  if (isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withValues(part)]));
  }
  if (typeof value !== "string" || !value.startsWith("$")) return value;
  return value.startsWith("$ref") ? 1 : "01a2286f-3f3f-7768-812a-d4886e1a45be";
}
