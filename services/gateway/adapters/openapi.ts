// OpenApi: the description of the API, generated from the routes (H5).

import { z } from "zod";
import { ERRORS } from "#shared/protocol/errors.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import { actingQuery } from "./http-acting.ts";
import type { HttpRoute } from "./http-route.ts";
import { problemSchema } from "./problem.ts";

type Json = Readonly<Record<string, unknown>>;

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
        "parley.v1, which this document does not describe.",
    },
    paths,
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
      schemas: { Problem: jsonSchema(problemSchema, "output") },
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
  return {
    summary: route.summary,
    ...(route.description !== undefined && { description: route.description }),
    ...(route.access === "bearer" && { security: [{ bearer: [] }] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: {
        required: true,
        content: {
          "application/json": { schema: jsonSchema(body, "input") },
        },
      },
    }),
    ...(route.binaryBody === true && {
      requestBody: { required: true, content: { "application/octet-stream": {} } },
    }),
    responses: {
      [route.answer.status]: {
        description: "Done.",
        content: {
          [route.answer.type ?? "application/json"]: {
            schema: jsonSchema(route.answer.schema, "output"),
          },
        },
      },
      ...problems([...new Set([...errorsOfHooks(route), ...route.errors])]),
    },
  };
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
  const rule = { not: { required: exclusive } };
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

/** Several names can share one status. Its description lists all of them. */
function problems(names: readonly ErrorName[]): Json {
  const byStatus = Map.groupBy(names, (name) => ERRORS[name].code);
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => [
      status,
      {
        description: same.map((name) => `\`${name}\`: ${ERRORS[name].message}`).join(" "),
        content: {
          "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
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
