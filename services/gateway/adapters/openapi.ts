// OpenApi: the description of the API, generated from the routes (H5).

import { z } from "zod";
import { ERRORS } from "#shared/protocol/errors.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import { actingQuery } from "./http-acting.ts";
import { exampleOf } from "./http-examples.ts";
import type { HttpRoute } from "./http-route.ts";
import { problem } from "#shared/protocol/problem.ts";
import { problemSchema } from "./problem.ts";

type Json = Readonly<Record<string, unknown>>;

/** The groups of operations, by the last word of a path without parameters. */
const TAGS = {
  messages: "Messages of a room, reactions and pins.",
  rooms: "Rooms and their settings.",
  members: "Who may do what in a room.",
  invites: "Links into closed rooms.",
  search: "Messages by their words.",
  attachments: "Files of messages.",
  transfer: "A room as lines of JSON, and back.",
  sessions: "The connections of a user, and the revocation of tokens.",
  webhooks: "Events for back ends.",
  gateway: "The state of a gateway, and tokens for development.",
} as const;
type Tag = keyof typeof TAGS;
/** The first word that a path has decides. */
const TAG_OF: readonly (readonly [word: string, tag: Tag])[] = [
  ["webhooks", "webhooks"],
  ["users", "sessions"],
  ["export", "transfer"],
  ["import", "transfer"],
  ["search", "search"],
  ["attachments", "attachments"],
  ["files", "attachments"],
  ["invites", "invites"],
  ["members", "members"],
  ["messages", "messages"],
  ["pins", "messages"],
  ["rooms", "rooms"],
];

/** A body of any bytes. */
const BYTES = { type: "string", minLength: 1 };

export function openApiDocument(routes: readonly HttpRoute[]): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.url.replaceAll(/:(\w+)/g, "{$1}");
    paths[path] ??= {};
    paths[path][route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Parley",
      version: "1",
      description:
        "Messages of rooms over HTTP. Live events use the WebSocket at /v1/ws with the subprotocol " +
        "parley.v1, which /asyncapi.json describes.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/", description: "The gateway that serves this description." }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
      schemas: { Problem: jsonSchema(problemSchema, "output") },
      examples: Object.fromEntries(
        (Object.keys(ERRORS) as ErrorName[])
          .filter((name) => routes.some((route) => errorsOf(route).includes(name)))
          .map((name) => [name, { value: problem(name) }]),
      ),
    },
  };
}

function operation(route: HttpRoute): Json {
  const { params, querystring, headers, body } = route.checks;
  const parameters = [
    ...(params === undefined ? [] : parametersOf(params, "path")),
    ...(querystring === undefined ? [] : queryOf(querystring, route.checks.exclusive)),
    ...(route.access === "bearer" ? parametersOf(actingQuery, "query") : []),
    ...(headers === undefined ? [] : parametersOf(headers, "header")),
  ];
  const example = exampleOf(route.name);
  const content = {
    [route.answer.type ?? "application/json"]: {
      schema: jsonSchema(route.answer.schema, "output"),
      example: example.answer,
    },
  };
  return {
    operationId: route.name,
    tags: [tagOf(route)],
    summary: route.summary,
    ...(route.description !== undefined && { description: route.description }),
    security: route.access === "bearer" ? [{ bearer: [] }] : [],
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: {
        required: true,
        content: {
          "application/json": { schema: jsonSchema(body, "input"), example: example.request },
        },
      },
    }),
    ...(route.binaryBody === true && {
      requestBody: {
        required: true,
        content: { "application/octet-stream": { schema: BYTES, example: example.request } },
      },
    }),
    responses: {
      [route.answer.status]: { description: "Done.", content },
      ...(route.answer.inParts === true && partsOf(content)),
      ...problems(errorsOf(route)),
    },
  };
}

function tagOf({ url }: HttpRoute): Tag {
  const words = url.split("/");
  return TAG_OF.find(([word]) => words.includes(word))?.[1] ?? "gateway";
}

function errorsOf(route: HttpRoute): readonly ErrorName[] {
  return [...new Set([...errorsOfHooks(route), ...route.errors])];
}

/** The errors that the hooks can return before the handler of this route. */
function errorsOfHooks({ access, limited, checks }: HttpRoute): readonly ErrorName[] {
  return [
    "bad_frame",
    "forbidden",
    "internal",
    ...(checks.body === undefined ? [] : (["too_large"] as const)),
    ...(access === "bearer"
      ? (["unauthorized", "token_expired", "busy", "unavailable"] as const)
      : []),
    ...(limited ? (["rate_limited"] as const) : []),
  ];
}

/**
 * Exclusive query fields form one object parameter, because only an object schema can express this.
 */
function queryOf(schema: z.ZodObject, exclusive: readonly string[] | undefined): Json[] {
  if (exclusive === undefined) return parametersOf(schema, "query");
  const { type, properties } = jsonSchema(schema, "input");
  const both = Object.fromEntries(exclusive.map((name) => [name, {}]));
  const rule = { not: { properties: both, required: exclusive } };
  return [
    {
      name: "query",
      in: "query",
      required: false,
      style: "form",
      explode: true,
      schema: { type, properties, ...rule },
    },
  ];
}

function parametersOf(schema: z.ZodObject, place: "path" | "query" | "header"): Json[] {
  const { properties = {}, required = [] } = jsonSchema(schema, "input") as {
    properties?: Record<string, Json>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: required.includes(name),
    ...(description !== undefined && { description }),
    schema: rest,
  }));
}

/** The answers to `Range` and `If-None-Match`. */
function partsOf(content: Json): Json {
  const outside = ERRORS.bad_frame.code;
  const { [outside]: problem } = problems(["bad_frame"]) as Record<number, Json>;
  return {
    206: { description: "The part that `Range` names.", content },
    304: { description: "`If-None-Match` names these bytes." },
    416: { ...problem, description: "`bad_frame`: no byte is in the `Range`." },
  };
}

/** Several names can share one status. Its description lists all of them. */
function problems(names: readonly ErrorName[]): Json {
  const byStatus = Map.groupBy(names, (name) => ERRORS[name].code);
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => [
      status,
      {
        description: same.map((name) => `\`${name}\`: ${ERRORS[name].message}`).join(" "),
        content: {
          "application/problem+json": {
            schema: { $ref: "#/components/schemas/Problem" },
            examples: Object.fromEntries(
              same.map((name) => [name, { $ref: `#/components/examples/${name}` }]),
            ),
          },
        },
      },
    ]),
  );
}

/** `custom` has no JSON Schema. Such a schema names its type with `meta`. */
function jsonSchema(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return rest;
}
