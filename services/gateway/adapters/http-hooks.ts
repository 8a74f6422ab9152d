// HttpHooks: the checks of every request before its handler, in this order: request id and trace →
// log → origin (cors.ts) → headers → method → overload → auth → rate limit → acting → (schema →
// handler).
//
//   http-hooks.1. For a request that a hook refuses, no body is parsed and no handler runs.
//   http-hooks.2. A log line holds the route's pattern, never the URL, a header or a body. So a
//        token in a query string does not reach the log.
//   http-hooks.3. A request without a valid token counts for its address. Beyond a wide bound of
//        refused tokens, no token of that address is checked (S14).
//   http-hooks.4. The rate tables are bounded (gcra.2). client-address.ts determines the address
//        that counts.
//   http-hooks.5. The requests with a service token count for its holder, in a wider rate, and
//        never for the user for whom it acts. Such a request that may change something leaves a
//        line of the log with both names (B3).

import type {
  FastifyReply,
  FastifyRequest,
  onRequestAsyncHookHandler,
  onRequestHookHandler,
  onResponseHookHandler,
  onSendHookHandler,
} from "fastify";
import type { Counts } from "#shared/kit/counts.ts";
import { Gcra } from "#shared/kit/gcra.ts";
import type { Rate } from "#shared/kit/gcra.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { Logger } from "#shared/process/logger.ts";
import { FAILED_TOKEN_RATE } from "../core/admission.ts";
import { OVERLOADED } from "../core/shedding.ts";
import type { Shedding } from "../core/shedding.ts";
import type { OpenedAuthenticator } from "#shared/adapters/auth.ts";
import type { ClientAddresses } from "./client-address.ts";
import type { HttpSockets } from "./http-sockets.ts";
import { sendProblem } from "./problem.ts";

/** Requests of one user. An interactive client stays far below it. */
export const USER_RATE: Rate = { perSecond: 20, burst: 60 };
/** Requests with the service tokens of one back end, for all users for whom it acts. */
export const SERVICE_RATE: Rate = { perSecond: 200, burst: 1_000 };
/** Requests of one address without a valid token. */
export const ADDRESS_RATE: Rate = { perSecond: 5, burst: 30 };
/** Keys of each table: 1 MiB at 100 B a key. */
export const RATE_KEYS_MAX = 10_000;

export const KEYS_MISSING = "The keys of the token issuer are not loaded yet.";
const ANSWERS_FULL = "Too many answers wait for clients that do not read them.";
const NO_HEADER = "The Authorization header is missing: expected `Bearer <token>`.";
const NO_BEARER = "The Authorization header holds no bearer token: expected `Bearer <token>`.";

const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The headers of every answer. Pages replace the policy with a wider one (http-static.ts). */
const BASE_HEADERS = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};

export function traceHook(): onRequestHookHandler {
  return (request, reply, done) => {
    const given = request.headers["traceparent"];
    request.trace = typeof given === "string" && TRACEPARENT.test(given) ? given : undefined;
    reply.headers(BASE_HEADERS).header("x-request-id", request.id);
    done();
  };
}

export function headersHook(headersMax: number): onRequestHookHandler {
  return (request, reply, done) => {
    const { rawHeaders, httpVersionMinor } = request.raw;
    const hosts = countHosts(rawHeaders);
    if (rawHeaders.length > 2 * headersMax) {
      const detail = `The request has too many headers: at most ${headersMax} are allowed.`;
      sendProblem(reply, "bad_frame", { detail });
    } else if (hosts === 0 && httpVersionMinor > 0) {
      sendProblem(reply, "bad_frame", { detail: "The Host header is missing." });
    } else if (hosts > 1 && httpVersionMinor > 0) {
      const detail = "The request has more than one Host header: expected exactly one.";
      sendProblem(reply, "bad_frame", { detail });
    } else if (isUnmetExpectation(request.headers.expect)) {
      const detail = "This Expect header is not supported: only 100-continue is.";
      sendProblem(reply, "bad_frame", { status: 417, detail });
    } else done();
  };
}

function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    if (name.length === 4 && name.toLowerCase() === "host") count++;
  }
  return count;
}

function isUnmetExpectation(expect: string | undefined): boolean {
  return expect !== undefined && expect.toLowerCase() !== "100-continue";
}

export function logHook(logger: Logger, addresses: ClientAddresses): onResponseHookHandler {
  return (request, reply, done) => {
    const service = request.identity?.service;
    const isAudited = service !== undefined && !READS.includes(request.method); // http-hooks.5
    const level = reply.statusCode >= 500 ? "warn" : isAudited ? "info" : "debug";
    if (logger.isLevelEnabled(level)) {
      logger[level](
        {
          requestId: request.id,
          method: request.method,
          route: routeOf(request),
          status: reply.statusCode,
          ms: Math.round(reply.elapsedTime * 100) / 100,
          address: addresses.of(request.raw),
          trace: request.trace,
          user: request.identity?.user,
          service,
        },
        "http request",
      );
    }
    done();
  };
}

const READS: readonly string[] = ["GET", "HEAD"];

/** The methods that routes have. All others share one label (E1). */
const COUNTED_METHODS: readonly string[] = [
  "DELETE",
  "GET",
  "HEAD",
  "OPTIONS",
  "PATCH",
  "POST",
  "PUT",
];

/** The pattern of the path, never text that the caller chose. */
function routeOf({ unserved, routeOptions }: FastifyRequest): string {
  return unserved?.pattern ?? routeOptions.url ?? "none";
}

export function countHook(requests: Counts): onResponseHookHandler {
  return (request, reply, done) => {
    const method = COUNTED_METHODS.includes(request.method) ? request.method : "other";
    const route = routeOf(request);
    requests.add(`${method} ${route} ${reply.statusCode}`);
    done();
  };
}

/** `rates` is undefined with LIMITS=off. */
export function authHook(
  auth: OpenedAuthenticator,
  clock: Clock,
  rates: Rates | undefined,
  addresses: ClientAddresses,
): onRequestAsyncHookHandler {
  return async (request, reply) => {
    if (request.routeOptions.config.access !== "bearer") return undefined;
    if (!auth.keysLoaded) {
      return sendProblem(reply, "unavailable", { detail: KEYS_MISSING });
    }
    const token = bearer(request.headers.authorization);
    const address = addresses.of(request.raw);
    const waitMs = token === undefined ? 0 : rates?.failedTokens.waitMs(address, clock.monotonic());
    if (waitMs !== undefined && waitMs > 0) return limited(reply, waitMs); // S14

    const verified = token === undefined ? undefined : await auth.verify(token, clock.now());
    if (verified?.kind === "ok") {
      request.identity = verified.identity;
      return undefined;
    }
    if (verified !== undefined && verified.error !== "unavailable") {
      rates?.failedTokens.take(address, clock.monotonic());
    }
    const verdict = rates?.address.take(address, clock.monotonic()); // http-hooks.3
    if (verdict?.ok === false) return limited(reply, verdict.afterMs);
    if (verified?.error === "unavailable") {
      return sendProblem(reply, "unavailable", { afterMs: verified.afterMs });
    }
    if (verified !== undefined) return sendProblem(reply, verified.error);
    const isMissing = (request.headers.authorization ?? "") === "";
    return sendProblem(reply, "unauthorized", { detail: isMissing ? NO_HEADER : NO_BEARER });
  };
}

export interface Rates {
  readonly user: Gcra;
  readonly service: Gcra;
  readonly address: Gcra;
  /** Much wider than `address`. Beyond it, requests with a valid token wait too. */
  readonly failedTokens: Gcra;
}

export function createRates(): Rates {
  return {
    user: new Gcra(USER_RATE, RATE_KEYS_MAX),
    service: new Gcra(SERVICE_RATE, RATE_KEYS_MAX),
    address: new Gcra(ADDRESS_RATE, RATE_KEYS_MAX),
    failedTokens: new Gcra(FAILED_TOKEN_RATE, RATE_KEYS_MAX),
  };
}

export function rateHook(
  rates: Rates,
  clock: Clock,
  addresses: ClientAddresses,
): onRequestHookHandler {
  return (request, reply, done) => {
    if (request.routeOptions.config.limited !== true) return done();
    const now = clock.monotonic();
    const { identity } = request;
    const verdict =
      identity === undefined
        ? rates.address.take(addresses.of(request.raw), now)
        : rates[identity.svc === true ? "service" : "user"].take(identity.user, now);
    if (verdict.ok) return done();
    limited(reply, verdict.afterMs);
  };
}

/** L12. Before the check of the token, whose signature costs more than this refusal. */
export function shedHook(shedding: Pick<Shedding, "refuse">): onRequestHookHandler {
  return (request, reply, done) => {
    const { access } = request.routeOptions.config;
    if (access !== "bearer" || request.method !== "GET") return done();
    const afterMs = shedding.refuse("read");
    if (afterMs === undefined) return done();
    sendProblem(reply, "busy", { detail: OVERLOADED, afterMs });
  };
}

/** Refuses large answers while the bytes that clients have not read exceed the bound (H7). */
export function answersHook(sockets: HttpSockets): onRequestHookHandler {
  return (request, reply, done) => {
    const { access } = request.routeOptions.config;
    const answersMuch = access === "bearer" || access === "file";
    if (!answersMuch || !sockets.isFullOfAnswers) return done();
    sendProblem(reply, "busy", { detail: ANSWERS_FULL });
  };
}

export function holdAnswerHook(sockets: HttpSockets): onSendHookHandler {
  return (_request, reply, payload, done) => {
    if (typeof payload === "string") sockets.hold(Buffer.byteLength(payload), reply.raw);
    done();
  };
}

function limited(reply: FastifyReply, afterMs: number): FastifyReply {
  return sendProblem(reply, "rate_limited", { afterMs });
}

function bearer(header: FastifyRequest["headers"]["authorization"]): string | undefined {
  if (header === undefined || header.slice(0, 7).toLowerCase() !== "bearer ") return undefined;
  const token = header.slice(7).trim();
  return token === "" ? undefined : token;
}
