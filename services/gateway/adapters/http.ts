// Http: assembles the gateway's HTTP side on Fastify. The WebSocket upgrade shares its server.
//
// Owns: the order of hooks, the routes, the bounds on a request, the answers to failures. Does not
// own: listening and closing (main.ts), sockets after the upgrade (websocket.ts).
//
//   http.1. Every refusal is a problem of the error table (H1), including those of Fastify and of
//        Node's parser: an unknown path, a broken URL, a body that is too large, bytes that are not
//        HTTP.
//   http.2. A slow client occupies one socket until its timeout expires. Other requests do not wait
//        for it (http-sockets.ts).
//   http.3. A request with more than HEADERS_MAX headers is refused. Node's own limit is off: Node
//        would silently drop further headers, and a request without its Origin header would pass
//        the origin check.
//   http.4. Only an upgrade to WebSocket is accepted. Some clients offer `Upgrade: h2c` with every
//        request; the offer is ignored.

import { randomBytes } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { systemRandom } from "#shared/adapters/clock-system.ts";
import type { Counts } from "#shared/kit/counts.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { Logger } from "#shared/process/logger.ts";
import type { Metrics } from "#shared/process/metrics.ts";
import type { RoomApi } from "../core/room-api-port.ts";
import type { NamesApi } from "../core/names-port.ts";
import type { RoomListsApi } from "../core/room-lists-port.ts";
import type { WebhooksApi } from "../core/webhooks-port.ts";
import type { LinkPreviewsApi } from "../core/link-previews-port.ts";
import type { SessionsApi } from "../core/sessions-port.ts";
import type { Shedding } from "../core/shedding.ts";
import type { OpenedAuthenticator } from "#shared/adapters/auth.ts";
import { ClientAddresses, NO_PROXIES } from "./client-address.ts";
import type { ProxyConfig } from "./client-address.ts";
import {
  answersHook,
  authHook,
  countHook,
  createRates,
  headersHook,
  holdAnswerHook,
  logHook,
  rateHook,
  shedHook,
  traceHook,
} from "./http-hooks.ts";
import { originHook } from "./cors.ts";
import { actingHook } from "./http-acting.ts";
import { collectMethods, methodHook } from "./http-methods.ts";
import {
  addDescriptions,
  addMetrics,
  addSocketPath,
  devTokenRoute,
  healthRoutes,
} from "./http-meta.ts";
import { addDocs } from "./http-docs.ts";
import { exportRoute } from "./http-export.ts";
import { attachmentRoutes } from "./http-attachments.ts";
import type { AttachmentOptions } from "./http-attachments.ts";
import { importRoute } from "./http-import.ts";
import { linkPreviewRoute } from "./http-link-previews.ts";
import { nameRoutes } from "./http-names.ts";
import { inviteRoutes } from "./http-invites.ts";
import { memberRoutes } from "./http-members.ts";
import { messageRoutes } from "./http-messages.ts";
import { sessionRoutes } from "./http-sessions.ts";
import { roomListRoutes } from "./http-room-lists.ts";
import { roomRoutes } from "./http-rooms.ts";
import { searchRoute } from "./http-search.ts";
import { addRoute } from "./http-route.ts";
import { createServer } from "./http-server.ts";
import { HTTP_BOUNDS } from "./http-sockets.ts";
import type { HttpBounds } from "./http-sockets.ts";
import type { WebAttachments, WebLinkPreviews, WebSignIn } from "#shared/adapters/http-page.ts";
import { addWebPage } from "#shared/adapters/http-static.ts";
import { webhookRoutes } from "./http-webhooks.ts";

const HEADERS_MAX = 64;

export interface HttpConfig {
  /** The exact Origins that browsers may use, for HTTP and WebSocket. */
  readonly origins: readonly string[];
  /** False with LIMITS=off. */
  readonly limits: boolean;
  readonly webDir: string;
  /** Default: another application signs users in. */
  readonly signIn?: WebSignIn;
  /** For the page. Default: there are none. */
  readonly attachments?: WebAttachments;
  /** For the page. Default: there are none. */
  readonly linkPreviews?: WebLinkPreviews;
  /** Origins that the page calls to sign in, besides the issuer's. */
  readonly signInOrigins?: readonly string[];
  /** Default: the secret of AUTH=dev, else a key of this process. */
  readonly inviteKey?: string | undefined;
  /** Default: clients connect without a proxy. */
  readonly proxies?: ProxyConfig;
}

export interface HttpOptions {
  readonly config: HttpConfig;
  readonly roomApi: RoomApi;
  readonly roomLists: RoomListsApi;
  readonly names: NamesApi;
  readonly webhooks: WebhooksApi;
  readonly linkPreviews: LinkPreviewsApi;
  readonly attachments: AttachmentOptions;
  readonly sessions: SessionsApi;
  readonly auth: OpenedAuthenticator;
  /** Set with AUTH=dev only. Enables `POST /v1/dev/token`. */
  readonly devSecret?: Uint8Array | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Counts answers by method, route and status. */
  readonly requests?: Counts;
  /** Set when /metrics is served here. In production it has its own port. */
  readonly metrics?: Metrics | undefined;
  /** Default: no request is refused because of overload. */
  readonly shedding?: Pick<Shedding, "refuse">;
  /** Replaces values of HTTP_BOUNDS. */
  readonly bounds?: Partial<HttpBounds>;
}

/** Without INVITE_KEY the tokens of invites are repeated by this process only. */
function inviteKeyOf({ config: { inviteKey }, devSecret }: HttpOptions): Uint8Array {
  if (inviteKey !== undefined) return Buffer.from(inviteKey);
  return devSecret ?? randomBytes(32);
}

export async function buildHttp(options: HttpOptions): Promise<FastifyInstance> {
  const { config, roomApi, auth, devSecret, logger, clock } = options;
  const addresses = new ClientAddresses(config.proxies ?? NO_PROXIES);
  const bounds = {
    ...HTTP_BOUNDS,
    ...(!config.limits && { socketsPerAddressMax: Infinity }),
    ...options.bounds,
  };
  const app = createServer(logger, clock, addresses, bounds, config.origins);
  collectMethods(app);
  const rates = config.limits ? createRates() : undefined;

  app.addHook("onRequest", traceHook());
  app.addHook("onResponse", logHook(logger, addresses));
  if (options.requests !== undefined) app.addHook("onResponse", countHook(options.requests));
  app.addHook("onRequest", originHook(config.origins));
  app.addHook("onRequest", headersHook(HEADERS_MAX));
  app.addHook("onRequest", methodHook());
  if (options.shedding !== undefined) app.addHook("onRequest", shedHook(options.shedding));
  app.addHook("onRequest", authHook(auth, clock, rates, addresses));
  if (rates !== undefined) app.addHook("onRequest", rateHook(rates, clock, addresses));
  app.addHook("onRequest", actingHook());
  app.addHook("onRequest", answersHook(app.sockets));
  app.addHook("onSend", holdAnswerHook(app.sockets));

  const routes = [
    ...roomRoutes(roomApi, clock, systemRandom),
    ...memberRoutes(roomApi, clock, systemRandom),
    ...messageRoutes(roomApi, clock, systemRandom),
    ...roomListRoutes(options.roomLists),
    searchRoute(roomApi, options.roomLists),
    ...nameRoutes(options.names),
    ...webhookRoutes(options.webhooks),
    linkPreviewRoute(options.linkPreviews),
    ...attachmentRoutes(options.attachments, { roomApi, clock, logger }),
    exportRoute(roomApi),
    importRoute(roomApi),
    ...sessionRoutes(options.sessions),
    ...inviteRoutes(roomApi, { clock, random: systemRandom, key: inviteKeyOf(options) }),
    ...(devSecret === undefined ? [] : [devTokenRoute(devSecret, clock)]),
    ...healthRoutes(roomApi, auth),
  ];
  for (const route of routes) await addRoute(app, route);
  addDescriptions(app, routes);
  addDocs(app, config.webDir, routes);
  if (options.metrics !== undefined) addMetrics(app, options.metrics);
  addSocketPath(app);
  await addWebPage(app, {
    ...config,
    sources: "client/web",
    routes: { access: "file" },
    // It allows the address of the service worker, and nothing else.
    policy: "parley",
  });
  return app;
}
