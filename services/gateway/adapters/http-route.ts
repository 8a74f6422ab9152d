// HttpRoute: one operation of the API together with the schemas that check its requests.
//
// Fastify validates with the same object that openapi.ts describes, so the description equals the
// checks (H5).

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { Identity } from "#shared/ports/identity.ts";
import { complaint } from "./complaint.ts";
import type { HttpPart } from "./complaint.ts";
import type { OperationName } from "./http-examples.ts";
import { InvalidRequest } from "./problem.ts";

/**
 * "bearer" needs a token, "open" a listed Origin or none, and "file" (of the web client) accepts
 * any.
 */
export type Access = "bearer" | "open" | "file";

export interface Checks {
  readonly params?: z.ZodObject;
  readonly querystring?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Query fields of which a request may set at most one. */
  readonly exclusive?: readonly string[];
}

export interface HttpRoute {
  readonly method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** In Fastify's form: `/v1/rooms/:room`. */
  readonly url: string;
  readonly access: Access;
  /** Whether requests count against the rates. Health and description do not. */
  readonly limited: boolean;
  /** The `operationId` of the description. */
  readonly name: OperationName;
  readonly summary: string;
  readonly description?: string;
  readonly checks: Checks;
  /** The body is any bytes. The handler reads it as a stream from `request.body`. */
  readonly binaryBody?: true;
  readonly answer: {
    readonly status: 200 | 201;
    readonly schema: z.ZodType;
    /** Default: application/json. */
    readonly type?: string;
    /** The handler answers `Range` with 206 or 416 and `If-None-Match` with 304. */
    readonly inParts?: true;
  };
  readonly errors: readonly ErrorName[];
  readonly handle: (request: FastifyRequest, reply: FastifyReply) => unknown;
}

declare module "fastify" {
  interface FastifyContextConfig {
    access?: Access;
    limited?: boolean;
  }
  interface FastifyRequest {
    /** Set by the auth hook on every route with access "bearer". */
    identity: Identity | undefined;
    /** The caller's `traceparent` if it is well formed. */
    trace: string | undefined;
  }
}

export async function addRoute(app: FastifyInstance, route: HttpRoute): Promise<void> {
  if (route.binaryBody === true) {
    await app.register((scope, _options, done) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser("*", (_request, payload, parsed) => parsed(null, payload));
      addTo(scope, route);
      done();
    });
  } else addTo(app, route);
}

function addTo(app: FastifyInstance, route: HttpRoute): void {
  app.route({
    method: route.method,
    url: route.url,
    config: { access: route.access, limited: route.limited },
    schema: schemas(route.checks),
    validatorCompiler: ({ schema, httpPart }) =>
      checkWith(schema as z.ZodType, (httpPart ?? "body") as HttpPart),
    handler: route.handle,
  });
}

function schemas({ exclusive: _inDescription, ...checks }: Checks): Omit<Checks, "exclusive"> {
  return checks;
}

function checkWith(schema: z.ZodType, part: HttpPart) {
  return (data: unknown): { value: unknown } | { error: Error } => {
    const parsed = schema.safeParse(data);
    if (parsed.success) return { value: parsed.data };
    const path = parsed.error.issues[0]?.path ?? [];
    return { error: new InvalidRequest(complaint(schema, part, data, path)) };
  };
}

const DIGITS = /^\d{1,16}$/;

/** A whole number in a query, where all values are text. */
export function queryInteger<S extends z.ZodType<number>>(schema: S) {
  return z.preprocess(
    (value) => (typeof value === "string" && DIGITS.test(value) ? Number(value) : value),
    schema,
  );
}
