// Cors: which browsers of other origins may use the API, and what their pages may read (S3, CO).
//
// Owns: the check of `Origin`, the answer to a preflight, the headers of every answer to a listed
// Origin. Does not own: the list (the setting ORIGINS), the upgrade (upgrade.ts), the files of the
// web client, which every Origin may load (http-static.ts).
//
//   cors.1. An Origin is compared with the list as text: no pattern, no wildcard. An answer repeats
//        an Origin only if it is on the list.
//   cors.2. The check is the first one of a request, so every later refusal has the headers.
//   cors.3. No answer permits credentials: the API knows no cookie, and a page adds its token
//        itself.

import type { onRequestHookHandler } from "fastify";
import { sendProblem } from "./problem.ts";

/** Seconds for which a browser may cache a preflight. */
const PREFLIGHT_SECONDS = 600;
/** The headers of a request that a browser does not send to other origins unasked. */
const REQUEST_HEADERS = "Authorization, Content-Type, Idempotency-Key, Traceparent";
/** The headers of an answer that a page cannot read unasked. */
const ANSWER_HEADERS = "Allow, Retry-After, WWW-Authenticate, X-Request-Id";
/** Of a path without routes, so that the page gets to read the 404. */
const ANY_METHODS = "GET, HEAD, POST, PATCH, PUT, DELETE";

export const ORIGIN_REFUSED =
  "This Origin is not allowed: the setting ORIGINS lists the allowed ones.";

/** The headers of an answer to this Origin; undefined when it is not on the list. */
export function corsHeaders(
  origins: readonly string[],
  origin: string,
): Readonly<Record<string, string>> | undefined {
  if (!origins.includes(origin)) return undefined; // cors.1
  return {
    vary: "Origin",
    "access-control-allow-origin": origin,
    "access-control-expose-headers": ANSWER_HEADERS,
    "cross-origin-resource-policy": "cross-origin",
  };
}

/**
 * Requires an exact match, as the WebSocket does (S3). A caller without an Origin is not a browser.
 * Files of the web client pass for every Origin, because a module script sends one to its own host
 * too (H4).
 */
export function originHook(origins: readonly string[]): onRequestHookHandler {
  return (request, reply, done) => {
    const isOfFile = request.routeOptions.config.access === "file";
    if (isOfFile && request.unserved === undefined) return done();
    const { origin } = request.headers;
    reply.header("vary", "Origin"); // Also without one: a cache keeps the answers apart.
    if (origin === undefined) return done();
    const headers = corsHeaders(origins, origin);
    if (headers === undefined) {
      sendProblem(reply, "forbidden", { detail: ORIGIN_REFUSED });
      return;
    }
    reply.headers(headers);
    if (request.method !== "OPTIONS") return done();
    const allow = request.unserved?.allow;
    reply
      .headers({
        ...(allow !== undefined && { allow }),
        "access-control-allow-methods": allow ?? ANY_METHODS,
        "access-control-allow-headers": REQUEST_HEADERS,
        "access-control-max-age": PREFLIGHT_SECONDS,
      })
      .code(204)
      .send();
  };
}
