// Http: the routes of the admin page, and their checks in this order: origin → rate → sign-in →
// secret of the page → body → handler.
//
// Owns: who may use which route, the bounds of a request. Does not own: the sign-ins
// (core/sign-ins.ts), the answers of the cluster (runtime/cluster-watch.ts), the page's files
// (shared/adapters/http-static.ts).
//
//   operator/http.1. Only a token with `admin` signs in. It is in a body, never in a URL; the
//        cookie that follows is HttpOnly.
//   operator/http.2. A request of a browser from another origin is refused. A request that changes
//        something also repeats the secret of its sign-in in a header: a page at another port of
//        this host is the same site, so SameSite alone does not keep it out.
//   operator/http.3. Refused tokens count for their address, and beyond REFUSED_RATE no token of
//        that address is checked. All requests of a sign-in share REQUEST_RATE.
//   operator/http.4. A body has at most BODY_BYTES_MAX. Each refusal is one problem of the error
//        table, without a text of a library.

import { randomBytes, timingSafeEqual } from "node:crypto";
import fastify from "fastify";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { OpenedAuthenticator } from "#shared/adapters/auth.ts";
import type { WebSignIn } from "#shared/adapters/http-page.ts";
import { addWebPage } from "#shared/adapters/http-static.ts";
import type { OperatorRequests } from "#shared/adapters/operator-requests.ts";
import { Gcra } from "#shared/kit/gcra.ts";
import type { Rate } from "#shared/kit/gcra.ts";
import { parseObject } from "#shared/kit/json.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { Logger } from "#shared/process/logger.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import {
  CSRF_HEADER,
  OPERATOR_PATH,
  ROOMS_SHOWN_MAX,
  SESSIONS_PAGE,
} from "#shared/protocol/operator-page.ts";
import type { RoomsPage, SessionsPage, SignedIn } from "#shared/protocol/operator-page.ts";
import { problem, PROBLEM_TYPE } from "#shared/protocol/problem.ts";
import type { ProblemDetail } from "#shared/protocol/problem.ts";
import type { SignIn, SignIns } from "../core/sign-ins.ts";
import type { Actions } from "../runtime/actions.ts";
import type { ClusterWatch } from "../runtime/cluster-watch.ts";
import { readAction, readRoomsQuery, readSessionsQuery, readSignInBody } from "./bodies.ts";
import { cookieOf, setCookie } from "./cookie.ts";

const BODY_BYTES_MAX = 16 * 1024;
const HEAD_BYTES_MAX = 16 * 1024;
const SOCKETS_MAX = 256;
const REQUEST_MS_MAX = 10_000;
/** Refused tokens of one address. */
export const REFUSED_RATE: Rate = { perSecond: 0.2, burst: 5 };
/** Requests of one sign-in. An open page sends two a second. */
export const REQUEST_RATE: Rate = { perSecond: 10, burst: 40 };
const RATE_KEYS_MAX = 1_000;
const SECRET_BYTES = 32;

const DETAIL = {
  origin: "This Origin is not allowed: the setting ORIGINS lists the allowed ones.",
  signIn: "Sign in first: the sign-in is missing or has ended.",
  csrf: `The header ${CSRF_HEADER} does not hold the secret of this sign-in.`,
  admin: "Only an administrator may sign in here: the token has no admin claim.",
  keys: "The keys of the token issuer are not loaded yet.",
  full: "Too many administrators are signed in.",
  signInBody: "The body is not valid: expected an object with the text token only.",
  actionBody: "The body is not valid: expected one action with its own fields only.",
  query: "The query is not valid: expected the documented fields only.",
  json: "The body is not a JSON object.",
} as const;

export interface OperatorHttpParts {
  readonly config: {
    readonly origins: readonly string[];
    readonly webDir: string;
    readonly signIn: WebSignIn;
    readonly signInOrigins: readonly string[];
  };
  readonly auth: Pick<OpenedAuthenticator, "verify" | "keysLoaded">;
  readonly signIns: SignIns;
  readonly watch: ClusterWatch;
  readonly requests: Pick<OperatorRequests, "sessions">;
  readonly actions: Actions;
  readonly clock: Pick<Clock, "now" | "monotonic">;
  readonly logger: Logger;
}

type Handler = (request: FastifyRequest, reply: FastifyReply, signIn: SignIn) => Promise<unknown>;

export async function buildOperatorHttp(parts: OperatorHttpParts): Promise<FastifyInstance> {
  const { config, clock, logger, signIns } = parts;
  const app = createServer(logger);
  const rates = new Gcra(REQUEST_RATE, RATE_KEYS_MAX);
  app.addHook("onRequest", (request, reply, done) => {
    reply.headers(BASE_HEADERS);
    const isOurs = request.url.startsWith(`${OPERATOR_PATH}/`);
    const { origin } = request.headers;
    if (!isOurs || origin === undefined || config.origins.includes(origin)) return done();
    refuse(reply, "forbidden", { detail: DETAIL.origin }); // operator/http.2
  });

  /** operator/http.2 and operator/http.3. */
  const signedIn =
    (handle: Handler) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
      const id = cookieOf(request.headers.cookie);
      const signIn = id === undefined ? undefined : signIns.use(id, clock.now());
      if (signIn === undefined) return refuse(reply, "unauthorized", { detail: DETAIL.signIn });
      const verdict = rates.take(signIn.id, clock.monotonic());
      if (!verdict.ok) return refuse(reply, "rate_limited", { afterMs: verdict.afterMs });
      if (request.method !== "GET" && !isSame(request.headers[CSRF_HEADER], signIn.csrf)) {
        return refuse(reply, "forbidden", { detail: DETAIL.csrf });
      }
      return handle(request, reply, signIn);
    };
  addSignIn(app, parts, signedIn);
  addReads(app, parts, signedIn);
  app.post(
    `${OPERATOR_PATH}/actions`,
    signedIn(async (request, reply, { user }) => {
      const action = readAction(request.body);
      if (action === undefined) return refuse(reply, "bad_frame", { detail: DETAIL.actionBody });
      const outcome = await parts.actions.perform(action, { user, address: request.ip });
      if (outcome.kind === "done") return send(reply, outcome.result);
      return refuse(reply, outcome.error, { detail: outcome.detail });
    }),
  );
  const { webDir, signIn, signInOrigins } = config;
  await addWebPage(app, {
    webDir,
    sources: "client/operator",
    routes: {},
    origins: [],
    signIn,
    signInOrigins,
  });
  return app;
}

type Guard = (
  handle: Handler,
) => (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

function addSignIn(app: FastifyInstance, parts: OperatorHttpParts, signedIn: Guard): void {
  const { auth, clock, config, logger, signIns } = parts;
  const refused = new Gcra(REFUSED_RATE, RATE_KEYS_MAX);
  const isSecure = config.origins.every((origin) => origin.startsWith("https:"));
  const path = `${OPERATOR_PATH}/sign-in`;

  app.post(path, async (request, reply) => {
    const body = readSignInBody(request.body);
    if (body === undefined) return refuse(reply, "bad_frame", { detail: DETAIL.signInBody });
    if (!auth.keysLoaded) return refuse(reply, "unavailable", { detail: DETAIL.keys });
    const waitMs = refused.waitMs(request.ip, clock.monotonic());
    if (waitMs > 0) return refuse(reply, "rate_limited", { afterMs: waitMs }); // operator/http.3
    const verified = await auth.verify(body.token, clock.now());
    if (verified.kind === "refused" && verified.error === "unavailable") {
      return refuse(reply, verified.error, { detail: DETAIL.keys, afterMs: verified.afterMs });
    }
    const address = request.ip;
    if (verified.kind === "refused" || !verified.identity.admin) {
      refused.take(address, clock.monotonic());
      const user = verified.kind === "ok" ? verified.identity.user : undefined;
      logger.warn({ address, user }, "a sign-in at the admin page was refused");
      if (verified.kind === "refused") return refuse(reply, verified.error);
      return refuse(reply, "forbidden", { detail: DETAIL.admin }); // operator/http.1
    }
    const now = clock.now();
    const before = cookieOf(request.headers.cookie); // The page renews its sign-in.
    if (before !== undefined) signIns.end(before);
    const signIn = signIns.add({ id: newSecret(), csrf: newSecret() }, verified.identity, now);
    if (signIn === undefined) return refuse(reply, "busy", { detail: DETAIL.full });
    logger.info({ user: signIn.user, address }, "an administrator signed in");
    const seconds = Math.max(1, Math.floor((signIn.endsAt - now) / 1_000));
    reply.header("set-cookie", setCookie(signIn.id, seconds, isSecure)).code(201);
    return send(reply, describe(signIn));
  });

  app.get(
    path,
    signedIn((_request, reply, signIn) => Promise.resolve(send(reply, describe(signIn)))),
  );

  app.delete(
    path,
    signedIn((_request, reply, { id, user }) => {
      signIns.end(id);
      logger.info({ user }, "an administrator signed out");
      return Promise.resolve(
        send(reply.header("set-cookie", setCookie("", 0, isSecure)), { ok: true }),
      );
    }),
  );
}

function addReads(app: FastifyInstance, parts: OperatorHttpParts, signedIn: Guard): void {
  const { watch, requests } = parts;
  app.get(
    `${OPERATOR_PATH}/state`,
    signedIn(async (_request, reply) => send(reply, await watch.snapshot())),
  );
  app.get(
    `${OPERATOR_PATH}/rooms`,
    signedIn(async (request, reply) => {
      const query = readRoomsQuery(request.query);
      if (query === undefined) return refuse(reply, "bad_frame", { detail: DETAIL.query });
      const found = await watch.rooms();
      const matching = found.rooms.filter(({ room }) => room.includes(query.find));
      const rooms = matching.slice(0, ROOMS_SHOWN_MAX);
      const more = matching.length - rooms.length + found.more;
      return send(reply, { rooms, more } satisfies RoomsPage);
    }),
  );
  app.get(
    `${OPERATOR_PATH}/sessions`,
    signedIn(async (request, reply) => {
      const query = readSessionsQuery(request.query);
      if (query === undefined) return refuse(reply, "bad_frame", { detail: DETAIL.query });
      const { user, from } = query;
      const list = await requests.sessions(user);
      if (list.kind === "refused") return refuse(reply, "unavailable");
      const sessions = list.sessions.slice(from, from + SESSIONS_PAGE);
      const total = list.sessions.length + list.more;
      return send(reply, { sessions, from, total } satisfies SessionsPage);
    }),
  );
}

const BASE_HEADERS = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};

function createServer(logger: Logger): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    http: { maxHeaderSize: HEAD_BYTES_MAX },
    requestTimeout: REQUEST_MS_MAX,
    connectionTimeout: REQUEST_MS_MAX,
    return503OnClosing: false,
  });
  app.server.maxConnections = SOCKETS_MAX;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, text, done) => {
    const value = parseObject(String(text));
    done(null, value); // The handler refuses a value that is no object.
  });
  app.setNotFoundHandler((_request, reply) => refuse(reply, "not_found"));
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    if (error.code === "FST_ERR_CTP_BODY_TOO_LARGE") return refuse(reply, "too_large");
    if (error.statusCode !== undefined && error.statusCode < 500) {
      return refuse(reply, "bad_frame", { detail: DETAIL.json });
    }
    const route = request.routeOptions.url;
    logger.error({ error, route }, "a request of the admin page failed");
    return refuse(reply, "unavailable");
  });
  return app;
}

function refuse(reply: FastifyReply, name: ErrorName, more: ProblemDetail = {}): FastifyReply {
  const body = problem(name, more);
  if (body.afterMs !== undefined) reply.header("retry-after", Math.ceil(body.afterMs / 1_000));
  return reply
    .code(body.status)
    .header("cache-control", "no-store")
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(body));
}

function send(reply: FastifyReply, answer: object): FastifyReply {
  return reply.header("cache-control", "no-store").send(answer);
}

function describe({ user, csrf, endsAt }: SignIn): SignedIn {
  return { user, csrf, endsAt };
}

function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}

function isSame(given: string | readonly string[] | undefined, secret: string): boolean {
  if (typeof given !== "string" || given.length !== secret.length) return false;
  return timingSafeEqual(Buffer.from(given), Buffer.from(secret));
}
