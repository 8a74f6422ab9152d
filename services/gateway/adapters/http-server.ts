// HttpServer: Fastify on Node's HTTP server, with problems for the failures that both answer badly.
//
// Owns: the bounds of one request, the parsing of JSON, and the answer to a failure that no route
// handles. Does not own: routes and hooks (http.ts), sockets after the upgrade (websocket.ts).

import { randomBytes } from "node:crypto";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import fastify from "fastify";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { parseObject } from "#shared/kit/json.ts";
import { jsonLoss } from "#shared/kit/strict-json.ts";
import type { JsonLoss } from "#shared/kit/strict-json.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { Logger } from "#shared/process/logger.ts";
import type { ClientAddresses } from "./client-address.ts";
import { corsHeaders } from "./cors.ts";
import { decodableUrl } from "./http-methods.ts";
import { HttpSockets } from "./http-sockets.ts";
import type { HttpBounds } from "./http-sockets.ts";
import { InvalidRequest, sendProblem } from "./problem.ts";
import { readProxyHeader } from "./proxy-protocol.ts";
import { endWithProblem } from "./raw-answer.ts";

declare module "fastify" {
  interface FastifyInstance {
    readonly sockets: HttpSockets;
    readonly clients: ClientAddresses;
  }
}

/** The same bound as a frame's, so that a message fits both ways. */
const REQUEST_BODY_BYTES_MAX = 64 * 1024;
/** A token has at most 8 KiB. The other headers get the same size. */
const HEAD_BYTES_MAX = 16 * 1024;

const LOSSES: { readonly [L in JsonLoss]: string } = {
  "a key is repeated": "The body repeats a key: expected each key once in its object.",
  "a number is not exact": "The body holds a number that a double cannot hold exactly.",
};

/**
 * Each route brings its validator (http-route.ts), and no route has a schema of its answer. With
 * factories given, Fastify does not load its own compilers, Ajv and fast-json-stringify.
 */
const NO_COMPILERS = {
  compilersFactory: { buildValidator: refuseSchema, buildSerializer: refuseSchema },
};

function refuseSchema(): never {
  throw new Error("a route has a schema that it does not check itself");
}

export function createServer(
  logger: Logger,
  clock: Clock,
  addresses: ClientAddresses,
  bounds: HttpBounds,
  origins: readonly string[],
): FastifyInstance {
  const app = fastify({
    logger: false,
    genReqId: () => randomBytes(8).toString("hex"),
    bodyLimit: REQUEST_BODY_BYTES_MAX,
    http: {
      maxHeaderSize: HEAD_BYTES_MAX,
      requireHostHeader: false, // Node answers without a problem; headersHook sends one.
      // http.4
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
    },
    return503OnClosing: false,
    schemaController: NO_COMPILERS,
    rewriteUrl: ({ url = "/" }) => decodableUrl(url),
    // The size of the head bounds it. The router would refuse longer parameters before the hooks
    // (http.1).
    routerOptions: { maxParamLength: HEAD_BYTES_MAX },
    frameworkErrors: (error, request, reply) => answerError(logger, error, request, reply),
    clientErrorHandler: (error, socket) => answerBrokenRequest(app, error.code, socket),
  });
  // headersHook counts them, and the size of the head bounds them (http.3).
  app.server.maxHeadersCount = 0;
  app.server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
    app.server.emit("request", request, response); // headersHook refuses it.
  });
  app.server.on("connect", (_request: IncomingMessage, socket: Duplex) => {
    endWithProblem(socket, "not_found", {
      status: 405,
      detail: "The method CONNECT is not supported: this server is not a proxy.",
    });
  });
  const sockets = new HttpSockets(
    app.server,
    clock,
    bounds,
    (request) => corsHeaders(origins, request?.headers.origin ?? "") ?? {},
  );
  app.decorate("sockets", sockets);
  app.decorate("clients", addresses);
  app.addHook("onClose", () => sockets.stop());
  admitConnections(app.server, sockets, addresses);
  app.decorateRequest("identity", undefined);
  app.decorateRequest("trace", undefined);
  app.removeAllContentTypeParsers();
  // The parser of frames, so that HTTP and WebSocket accept the same JSON (F2).
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, given, done) => {
    const text = String(given);
    // Many HTTP clients name a type on every request. The route knows whether it needs a body.
    if (text === "") return done(null);
    const value = parseObject(text);
    if (value === undefined) return done(new InvalidRequest("The body is not a JSON object."));
    const loss = jsonLoss(text, value);
    if (loss === undefined) done(null, value);
    else done(new InvalidRequest(LOSSES[loss])); // F8
  });
  app.setErrorHandler<FastifyError>((error, request, reply) =>
    answerError(logger, error, request, reply),
  );
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, "not_found"));
  return app;
}

/** Passes a connection to Node's own listener after it is admitted and its client is known. */
function admitConnections(server: Server, sockets: HttpSockets, addresses: ClientAddresses): void {
  const listeners = server.listeners("connection");
  server.removeAllListeners("connection");
  const serve = (socket: Socket): void => {
    if (!sockets.count(socket, addresses.ofSocket(socket))) return;
    for (const listener of listeners) listener.call(server, socket);
  };
  server.on("connection", (socket: Socket) => {
    if (!sockets.admit(socket)) return;
    if (!addresses.speaksProxyProtocol) return serve(socket);
    if (!addresses.isProxy(socket)) return sockets.cut(socket, "no-proxy");
    const onHeader = (source: string | undefined): void => {
      if (source !== undefined) addresses.name(socket, source);
      serve(socket);
    };
    readProxyHeader(socket, onHeader, () => sockets.cut(socket, "no-proxy"));
  });
}

/** Handles every exception of a request (S10, F6). */
function answerError(
  logger: Logger,
  error: FastifyError | InvalidRequest,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  if (error instanceof InvalidRequest) {
    sendProblem(reply, "bad_frame", { detail: error.detail });
  } else if (error.code === "FST_ERR_CTP_BODY_TOO_LARGE") {
    const detail = `The request body is larger than ${REQUEST_BODY_BYTES_MAX} bytes.`;
    sendProblem(reply, "too_large", { detail });
  } else if (error.code === "FST_ERR_CTP_INVALID_MEDIA_TYPE") {
    const isMissing = request.headers["content-type"] === undefined;
    const fault = isMissing ? "missing" : "not supported";
    const detail = `The Content-Type header is ${fault}: expected application/json.`;
    sendProblem(reply, "bad_frame", { detail });
  } else if (error.statusCode !== undefined && error.statusCode < 500) {
    sendProblem(reply, "bad_frame", { detail: "The request is not valid." });
  } else {
    logger.error(
      { error, requestId: request.id, route: request.routeOptions.url },
      "http request failed",
    );
    sendProblem(reply, "internal");
  }
}

/** Answers bytes that are not a request. There is no reply object, only the socket. */
function answerBrokenRequest(app: FastifyInstance, code: string | undefined, socket: Socket): void {
  if (code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const isTooLarge = code === "HPE_HEADER_OVERFLOW";
  const detail = isTooLarge
    ? `The request line and the headers are larger than ${HEAD_BYTES_MAX} bytes.`
    : "The bytes are not a valid HTTP request.";
  app.sockets.refuseBroken(socket, "bad_frame", { detail });
}
