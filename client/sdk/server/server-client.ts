// ServerClient: typed calls of the HTTP API, for back ends.
//
// Owns: the token of each call, and the error of a refused one. Does not own: the paths and their
// types (http-api.generated.ts), the encoding of a call (openapi-fetch).
//
//   server-client.1. A call that the gateway refuses rejects with HttpFailed. So `data` is there
//        whenever a call resolves.

import createClient, { createQuerySerializer } from "openapi-fetch";
import type { Client } from "openapi-fetch";
import type { ErrorName } from "#shared/protocol/errors.ts";
import { ERRORS } from "#shared/protocol/errors.ts";
import { ParleyError } from "../errors.ts";
import type { components, paths } from "./http-api.generated.ts";

/** An error in HTTP form (RFC 9457). */
export type Problem = components["schemas"]["Problem"];

/** One method for each HTTP method: `client.GET("/v1/rooms/{room}", { params })`. */
export type ServerClient = Client<paths, "application/json">;

export interface ServerClientOptions {
  /** The address of the gateways: `https://chat.example`. */
  readonly url: string;
  /** A token, or a function that returns one for each call, for example `TokenSigner.service`. */
  readonly token: string | (() => Promise<string>);
  /** Default: the global one. */
  readonly fetch?: typeof fetch;
}

/** A client with a service token: its own calls, and those that it makes as a user. */
export interface ServiceClient extends ServerClient {
  /** A client whose calls the gateway judges and stores as calls of `user`. */
  as(user: string): ServerClient;
}

/** A gateway refused an HTTP call. */
export class HttpFailed extends ParleyError {
  override readonly name = "HttpFailed";
  readonly status: number;
  /** The time in ms before a retry, when the gateway named one. */
  readonly afterMs: number | undefined;

  constructor(status: number, problem: Partial<Problem>) {
    const code = codeOf(status, problem);
    super(code, problem.detail ?? problem.title ?? ERRORS[code].message);
    this.status = status;
    this.afterMs = problem.afterMs;
  }
}

/**
 * A client for a service token, with the claim `svc`. `service.as("ada")` has the same calls; their
 * events are from ada, and ada's rights decide. All calls reject with HttpFailed.
 */
export function serviceClient(options: ServerClientOptions): ServiceClient {
  const as = (user: string): ServerClient => clientOf(options, user);
  return Object.assign(clientOf(options), { as });
}

/** A client of the HTTP API. Its calls reject with HttpFailed, and accept a `signal`. */
export function createServerClient(options: ServerClientOptions): ServerClient {
  return clientOf(options);
}

/** `user`: for whom a service makes the calls. */
function clientOf({ url, token, fetch }: ServerClientOptions, user?: string): ServerClient {
  // Exclusive fields of a query are one object of the description.
  const serialize = createQuerySerializer({ object: { style: "form", explode: true } });
  const client = createClient<paths, "application/json">({
    baseUrl: url.replace(/\/+$/, ""),
    querySerializer: (query) => serialize({ ...query, ...(user !== undefined && { as: user }) }),
    ...(fetch !== undefined && { fetch }),
  });
  client.use({
    async onRequest({ request }) {
      const text = typeof token === "string" ? token : await token();
      request.headers.set("authorization", `Bearer ${text}`);
      return request;
    },
    async onResponse({ response }) {
      if (response.ok) return;
      const problem: unknown = await response.json().catch(() => ({}));
      throw new HttpFailed(response.status, problem as Partial<Problem>);
    },
  });
  return client;
}

/** An answer of another server, such as a proxy, has no name. */
function codeOf(status: number, { name }: Partial<Problem>): ErrorName {
  if (name !== undefined && Object.hasOwn(ERRORS, name)) return name;
  const known = Object.entries(ERRORS).find(([, row]) => row.code === status);
  if (known !== undefined) return known[0] as ErrorName;
  return status >= 500 ? "unavailable" : "bad_frame";
}
