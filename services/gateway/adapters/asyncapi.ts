// AsyncApi: the description of the WebSocket in AsyncAPI 3, generated from the schemas of its
// frames (DS1).
//
// Owns: the shape of the document. Does not own: the schemas (shared/protocol), the sentences and
// examples (frame-descriptions.ts), the description of the HTTP API (openapi.ts).
//
//   asyncapi.1. The gateway is the described application: it receives client frames and sends
//        server frames.

import { z } from "zod";
import { clientFrameSchemas } from "#shared/protocol/client-frames.ts";
import type { ClientFrame } from "#shared/protocol/client-frames.ts";
import { CLOSE } from "#shared/protocol/close-codes.ts";
import { serverFrameSchemas } from "#shared/protocol/server-frame-schemas.ts";
import type { ServerFrame } from "#shared/protocol/server-frames.ts";
import { CLIENT_FRAMES, SERVER_FRAMES } from "./frame-descriptions.ts";
import { SOCKET_PATH, SUBPROTOCOL } from "./upgrade.ts";

type Json = Readonly<Record<string, unknown>>;
type ClientType = ClientFrame["t"];
type ServerType = ServerFrame["t"];

const LICENSE = { name: "MIT", url: "https://opensource.org/license/mit" };
/** The gateway of `make start`: AsyncAPI has no relative address. */
const SERVER_HOST = "localhost:8080";
const TOKEN = [{ $ref: "#/components/securitySchemes/token" }];
const DESCRIPTION =
  `Live events of rooms over a WebSocket with the subprotocol \`${SUBPROTOCOL}\`. A text frame has one JSON ` +
  "object or several separated by a line feed, in both directions. The first frame of a client is `hello`. A " +
  "request with a `ref` gets exactly one answer or one `error` with that `ref`; a write has its `id` instead. " +
  "Ignore types and fields that you do not know. The HTTP API of the same gateway is described at /openapi.json.";

export function asyncApiDocument(): Json {
  const requests = Object.keys(CLIENT_FRAMES) as ClientType[];
  const frames = Object.keys(SERVER_FRAMES) as ServerType[];
  return {
    asyncapi: "3.1.0",
    info: { title: "Parley WebSocket", version: "1", description: DESCRIPTION, license: LICENSE },
    defaultContentType: "application/json",
    servers: {
      gateway: { host: SERVER_HOST, protocol: "ws", description: "A gateway of `make start`." },
    },
    channels: {
      socket: {
        address: SOCKET_PATH,
        title: "The WebSocket",
        description: `One connection, for all rooms of a user.\n\n${closeTable()}`,
        servers: [{ $ref: "#/servers/gateway" }],
        messages: {
          ...entries(requests, (t) => [requestName(t), ref(requestName(t))]),
          ...entries(frames, (t) => [frameName(t), ref(frameName(t))]),
        },
        bindings: {
          ws: {
            method: "GET",
            headers: {
              type: "object",
              required: ["Sec-WebSocket-Protocol"],
              properties: { "Sec-WebSocket-Protocol": { type: "string", const: SUBPROTOCOL } },
            },
          },
        },
      },
    },
    operations: {
      ...entries(requests, (t) => [requestName(t), requestOperation(t)]),
      sendFrame: {
        action: "send",
        title: "Frames of the server",
        summary: "What a client receives, as an answer or unasked.",
        security: TOKEN,
        channel: { $ref: "#/channels/socket" },
        messages: frames.map((t) => ({ $ref: `#/channels/socket/messages/${frameName(t)}` })),
      },
    },
    components: {
      securitySchemes: {
        token: { type: "apiKey", in: "user", description: "The JWT in `hello`, and in `refresh`." },
      },
      messages: {
        ...entries(requests, (t) => [
          requestName(t),
          message(requestName(t), clientFrameSchemas[t], CLIENT_FRAMES[t]),
        ]),
        ...entries(frames, (t) => [
          frameName(t),
          message(frameName(t), serverFrameSchemas[t], SERVER_FRAMES[t]),
        ]),
      },
    },
  };
}

/** `receiveHello`: a frame and an answer can have one `t`. */
function requestName(t: ClientType): string {
  return `receive${capitalized(t)}`;
}

function frameName(t: ServerType): string {
  return `send${t.split("-").map(capitalized).join("")}`;
}

function capitalized(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}

function requestOperation(t: ClientType): Json {
  const { summary, answers } = CLIENT_FRAMES[t];
  return {
    action: "receive",
    title: t,
    summary,
    security: TOKEN,
    channel: { $ref: "#/channels/socket" },
    messages: [{ $ref: `#/channels/socket/messages/${requestName(t)}` }],
    ...(answers.length > 0 && {
      reply: {
        channel: { $ref: "#/channels/socket" },
        messages: answers.map((answer) => ({
          $ref: `#/channels/socket/messages/${frameName(answer)}`,
        })),
      },
    }),
  };
}

function message(
  name: string,
  schema: z.ZodType,
  { summary, example }: { readonly summary: string; readonly example: object },
): Json {
  const { $schema: _dialect, ...payload } = z.toJSONSchema(schema, {
    io: "input",
    target: "draft-7",
    unrepresentable: "any",
  });
  const { t } = example as { t: string };
  return {
    name,
    title: t,
    summary,
    contentType: "application/json",
    payload,
    examples: [{ name: "example", payload: example }],
  };
}

function closeTable(): string {
  const rows = Object.values(CLOSE).map(
    ({ code, reason, next }) => `| ${code} | \`${reason}\` | ${next} |`,
  );
  return ["| close code | reason | next step of the client |", "|---|---|---|", ...rows].join("\n");
}

function ref(name: string): Json {
  return { $ref: `#/components/messages/${name}` };
}

function entries<T>(types: readonly T[], entry: (type: T) => readonly [string, Json]): Json {
  return Object.fromEntries(types.map(entry));
}
