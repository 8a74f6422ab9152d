// HttpServer: Fastify on Node's HTTP server, with the failures that neither of them answers well.
//
// Owns: the bounds of one request, the reader of JSON, and how a failure is answered that no route
// handles. Does not own: routes and hooks (http.ts), sockets after the upgrade (websocket.ts).

import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import fastify from "fastify";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { parseObject } from "#shared/kit/json.ts";
import { jsonLoss } from "#shared/kit/strict-json.ts";
import type { Logger } from "#shared/process/logger.ts";
import { decodableUrl } from "./http-methods.ts";
import { InvalidRequest, sendProblem } from "./problem.ts";
import { endWithProblem } from "./raw-answer.ts";

/** The same bound as a frame's, so that what fits one way in fits the other. */
const REQUEST_BODY_BYTES_MAX = 64 * 1024;
/** A token is at most 8 KiB; the rest of a head has as much again. */
const HEAD_BYTES_MAX = 16 * 1024;

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

export function createServer(logger: Logger, patience: HttpPatience = PATIENCE): FastifyInstance {
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
      requireHostHeader: false, // Node's answer is no problem; headersHook's is.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket", // HT4
    },
    return503OnClosing: false,
    rewriteUrl: ({ url = "/" }) => decodableUrl(url),
    // The head bounds it. A longer parameter would be refused before the hooks run (HT1).
    routerOptions: { maxParamLength: HEAD_BYTES_MAX },
    frameworkErrors: (error, request, reply) => answerError(logger, error, request, reply),
    clientErrorHandler: (error, socket) => answerBrokenRequest(error.code, socket),
  });
  app.server.maxHeadersCount = 0; // headersHook counts; the size of the head bounds it (HT3).
  app.server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
    app.server.emit("request", request, response); // headersHook refuses it.
  });
  app.server.on("connect", (_request: IncomingMessage, socket: Duplex) => {
    endWithProblem(socket, "not_found", {
      status: 405,
      detail: "this server is no proxy; the method is not served",
    });
  });
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
  if (code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const isTooLarge = code === "HPE_HEADER_OVERFLOW";
  const detail = isTooLarge ? "the head is too large" : "the request is not valid or too slow";
  endWithProblem(socket, "bad_frame", { detail });
}
