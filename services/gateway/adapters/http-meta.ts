// HttpMeta: health, readiness, the descriptions of the API and dev tokens.

import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { isUserId } from "#shared/protocol/ids.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { Metrics } from "#shared/process/metrics.ts";
import type { RoomApi } from "../core/room-api-port.ts";
import { displayName, grants } from "#shared/adapters/auth.ts";
import type { OpenedAuthenticator } from "#shared/adapters/auth.ts";
import { mintDevToken } from "#shared/adapters/dev-token.ts";
import { KEYS_MISSING } from "./http-hooks.ts";
import type { HttpRoute } from "./http-route.ts";
import { sendProblem } from "./problem.ts";
import { DRAINING, SOCKET_PATH, SUBPROTOCOL } from "./upgrade.ts";

/** Half a day, so that a token does not expire during a working day. */
const DEV_TOKEN_SECONDS = 12 * 3_600;

export function healthRoutes(roomApi: RoomApi, auth: OpenedAuthenticator): readonly HttpRoute[] {
  const shared = { method: "GET", access: "open", limited: false, checks: {} } as const;
  const ok = z.object({ ok: z.literal(true) });
  return [
    {
      ...shared,
      url: "/healthz",
      name: "checkHealth",
      summary: "Succeeds while the event loop runs",
      answer: { status: 200, schema: ok },
      errors: [],
      handle: () => ({ ok: true }),
    },
    {
      ...shared,
      url: "/readyz",
      name: "checkReadiness",
      summary: "Succeeds while the gateway accepts requests",
      description: "NATS is connected, the keys are loaded, and the gateway does not drain (H3).",
      answer: { status: 200, schema: ok },
      errors: ["unavailable"],
      handle: (_request, reply) => {
        const missing = whatIsMissing(roomApi, auth);
        if (missing === undefined) return { ok: true };
        return sendProblem(reply, "unavailable", { detail: missing });
      },
    },
  ];
}

/** The reason why this gateway cannot serve; undefined when it can. */
export function whatIsMissing(roomApi: RoomApi, auth: OpenedAuthenticator): string | undefined {
  if (roomApi.health.away === true) return AWAY;
  if (roomApi.health.draining) return DRAINING;
  if (!roomApi.health.natsUp) return "NATS is not connected.";
  return auth.keysLoaded ? undefined : KEYS_MISSING;
}

const AWAY = "The region of this gateway does not serve now: use the other region.";

const devTokenBody = z.object({
  user: z.string().min(1).max(128).refine(isUserId).meta({
    description: "1 to 128 bytes of UTF-8 without U+0000.",
    pattern: "^[^\\u0000]+$",
  }),
  name: displayName.optional(),
  rooms: grants.optional().meta({
    maxProperties: 256,
    propertyNames: { type: "string", pattern: "^[A-Za-z0-9_-]{1,64}$" },
    description: "Room id → role.",
  }),
  admin: z.boolean().optional(),
  svc: z.boolean().optional().meta({ description: "A service token." }),
});

/** Exists with AUTH=dev only; otherwise the path is not found. */
export function devTokenRoute(secret: Uint8Array, clock: Clock): HttpRoute {
  return {
    method: "POST",
    url: "/v1/dev/token",
    access: "open",
    limited: true,
    name: "createDevToken",
    summary: "Create a token for any user (AUTH=dev only)",
    checks: { body: devTokenBody },
    answer: { status: 200, schema: z.object({ token: z.string() }) },
    errors: [],
    async handle(request, reply) {
      const claims = request.body as z.output<typeof devTokenBody>;
      const token = await mintDevToken(secret, claims, DEV_TOKEN_SECONDS, clock.now());
      return reply.header("cache-control", "no-store").send({ token });
    },
  };
}

/**
 * Both descriptions. Most gateways are never asked for them, so the first request makes them and
 * loads the code for it.
 */
export function addDescriptions(app: FastifyInstance, routes: readonly HttpRoute[]): void {
  const makers = {
    "/openapi.json": async () => (await import("./openapi.ts")).openApiDocument(routes),
    "/asyncapi.json": async () => (await import("./asyncapi.ts")).asyncApiDocument(),
  };
  for (const [path, make] of Object.entries(makers)) {
    let document: Promise<string> | undefined;
    app.get(path, async (_request, reply) => {
      document ??= make().then((made) => JSON.stringify(made));
      return reply.type("application/json; charset=utf-8").send(await document);
    });
  }
}

/** A request to the WebSocket path without an upgrade. */
export function addSocketPath(app: FastifyInstance): void {
  app.get(SOCKET_PATH, (_request, reply) => {
    reply.headers({ upgrade: "websocket", connection: "close, Upgrade" });
    return sendProblem(reply, "bad_frame", {
      status: 426,
      detail: `This path accepts WebSockets only: new WebSocket(url, "${SUBPROTOCOL}").`,
    });
  });
}

/** Prometheus text for a gateway on a developer's machine. It is not a part of the API. */
export function addMetrics(app: FastifyInstance, metrics: Metrics): void {
  app.get("/metrics", async (_request, reply) => {
    const text = await metrics.render();
    return reply.type(metrics.contentType).send(text);
  });
}
