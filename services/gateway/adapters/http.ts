// Http: the gateway's HTTP side, assembled on Fastify; the WebSocket upgrade shares its server.
//
// Owns: the order of hooks, the routes, the bounds on a request, and how any failure is answered.
// Does not own: listening and closing (main.ts), sockets after the upgrade (websocket.ts).
//
//   HT1. Every refusal is a problem of the one table (H1), also those that Fastify or Node's parser
//        find: an unknown path, a broken URL, a body too large, bytes that are not HTTP.
//   HT2. A slow sender costs one socket until its patience ends, and no other request waits.
//   HT3. More than HEADERS_MAX headers are refused. Node's own limit is switched off: it drops what
//        is above it without a word, and a request (or upgrade) without its Origin is another one.
//   HT4. Only an upgrade to WebSocket is one. Some clients offer `Upgrade: h2c` with every request;
//        they are answered as if they had not.

import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import fastify from "fastify";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { systemRandom } from "#shared/adapters/clock-system.ts";
import type { Counts } from "#shared/kit/counts.ts";
import { parseObject } from "#shared/kit/json.ts";
import { jsonLoss } from "#shared/kit/strict-json.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { Logger } from "#shared/process/logger.ts";
import type { Metrics } from "#shared/process/metrics.ts";
import type { Door } from "../ports.ts";
import type { OpenedAuthenticator } from "./auth.ts";
import {
  authHook,
  countHook,
  createRates,
  headersHook,
  logHook,
  originHook,
  rateHook,
  traceHook,
} from "./http-hooks.ts";
import { addDescription, addMetrics, devTokenRoute, healthRoutes } from "./http-meta.ts";
import { roomRoutes } from "./http-rooms.ts";
import { addRoute } from "./http-route.ts";
import { addWebClient } from "./http-static.ts";
import { InvalidRequest, problem, PROBLEM_TYPE, sendProblem } from "./problem.ts";

/** The same bound as a frame's, so that what fits one way in fits the other. */
const REQUEST_BODY_BYTES_MAX = 64 * 1024;
/** A token is at most 8 KiB; the rest of a head has as much again. */
const HEAD_BYTES_MAX = 16 * 1024;
const HEADERS_MAX = 64;
export interface HttpPatience {
  /** A request's head must be here within this. */
  readonly headMs: number;
  /** And all of it within this. */
  readonly requestMs: number;
  /** Node looks for late requests that often, so the two are off by at most this. */
  readonly checkMs: number;
}
const PATIENCE: HttpPatience = { headMs: 5_000, requestMs: 15_000, checkMs: 1_000 };
const KEEP_ALIVE_MS = 65_000;

export interface HttpConfig {
  /** Exact Origins that a browser may come from; the socket's list. */
  readonly origins: readonly string[];
  /** False with LIMITS=off. */
  readonly limits: boolean;
  readonly webDir: string;
}

export interface HttpOptions {
  readonly config: HttpConfig;
  readonly door: Door;
  readonly auth: OpenedAuthenticator;
  /** Present with AUTH=dev only: it makes `POST /v1/dev/token` exist. */
  readonly devSecret?: Uint8Array | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Counts answers by method, route and status. */
  readonly requests?: Counts;
  /** Present when /metrics is to be served here; in production it has a port of its own. */
  readonly metrics?: Metrics | undefined;
  readonly patience?: HttpPatience;
}

export async function buildHttp(options: HttpOptions): Promise<FastifyInstance> {
  const { config, door, auth, devSecret, logger, clock } = options;
  const app = createServer(logger, options.patience ?? PATIENCE);
  const rates = config.limits ? createRates() : undefined;

  app.addHook("onRequest", traceHook());
  app.addHook("onRequest", headersHook(HEADERS_MAX));
  app.addHook("onResponse", logHook(logger));
  if (options.requests !== undefined) app.addHook("onResponse", countHook(options.requests));
  app.addHook("onRequest", originHook(config.origins));
  app.addHook("onRequest", authHook(auth, clock, rates));
  if (rates !== undefined) app.addHook("onRequest", rateHook(rates, clock));

  const routes = [
    ...roomRoutes(door, clock, systemRandom),
    ...(devSecret === undefined ? [] : [devTokenRoute(devSecret, clock)]),
    ...healthRoutes(door, auth),
  ];
  for (const route of routes) addRoute(app, route);
  addDescription(app, routes);
  if (options.metrics !== undefined) addMetrics(app, options.metrics);
  await addWebClient(app, config);
  return app;
}

function createServer(logger: Logger, patience: HttpPatience): FastifyInstance {
  const app = fastify({
    logger: false,
    genReqId: () => randomBytes(8).toString("hex"),
    bodyLimit: REQUEST_BODY_BYTES_MAX,
    requestTimeout: patience.requestMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: {
      maxHeaderSize: HEAD_BYTES_MAX,
      headersTimeout: patience.headMs,
      connectionsCheckingInterval: patience.checkMs,
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket", // HT4
    },
    return503OnClosing: false,
    routerOptions: { maxParamLength: 256 },
    frameworkErrors: (error, request, reply) => answerError(logger, error, request, reply),
    clientErrorHandler: (error, socket) => answerBrokenRequest(error.code, socket),
  });
  app.server.maxHeadersCount = 0; // headersHook counts; the size of the head bounds it (HT3).
  app.decorateRequest("identity", undefined);
  app.decorateRequest("trace", undefined);
  app.removeAllContentTypeParsers();
  // The socket's own reader, not Fastify's: one opinion in the house on what JSON is (F2).
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, given, done) => {
    const text = String(given);
    const value = parseObject(text);
    if (value === undefined) return done(new InvalidRequest("the body is not a JSON object"));
    const loss = jsonLoss(text, value);
    if (loss === undefined) done(null, value);
    else done(new InvalidRequest(loss)); // F8
  });
  app.setErrorHandler<FastifyError>((error, request, reply) =>
    answerError(logger, error, request, reply),
  );
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, "not_found"));
  return app;
}

/** Everything that was thrown on the way of one request ends here, and only there (S10, F6). */
function answerError(
  logger: Logger,
  error: FastifyError | InvalidRequest,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  if (error instanceof InvalidRequest) {
    sendProblem(reply, "bad_frame", { detail: error.detail });
  } else if (error.code === "FST_ERR_CTP_BODY_TOO_LARGE") {
    sendProblem(reply, "too_large");
  } else if (error.code === "FST_ERR_CTP_INVALID_MEDIA_TYPE") {
    sendProblem(reply, "bad_frame", { detail: "the content type must be application/json" });
  } else if (error.statusCode !== undefined && error.statusCode < 500) {
    sendProblem(reply, "bad_frame", { detail: "the request is not valid" });
  } else {
    logger.error(
      { error, requestId: request.id, route: request.routeOptions.url },
      "http request failed",
    );
    sendProblem(reply, "internal");
  }
}

/** Bytes that never became a request: there is no reply object, only the socket. */
function answerBrokenRequest(code: string | undefined, socket: Socket): void {
  if (!socket.writable || code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const isTooLarge = code === "HPE_HEADER_OVERFLOW";
  const detail = isTooLarge ? "the head is too large" : "the request is not valid or too slow";
  const body = JSON.stringify(problem("bad_frame", { detail }));
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: ${PROBLEM_TYPE}\r\nconnection: close\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
