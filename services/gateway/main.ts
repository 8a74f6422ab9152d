// Gateway: the wiring of the process. shared/process/bootstrap.ts does what all services share.

import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { openArchiveReader } from "#shared/adapters/archive-over-bus.ts";
import { systemClock, systemRandom } from "#shared/adapters/clock-system.ts";
import { openBusTable } from "#shared/adapters/table-over-bus.ts";
import { Counts } from "#shared/kit/counts.ts";
import { authConfig } from "#shared/process/auth-config.ts";
import { startService } from "#shared/process/bootstrap.ts";
import { RegionGrants } from "#shared/process/region-grants.ts";
import { openAttachments } from "#shared/process/attachment-config.ts";
import { registerStore } from "#shared/process/observed-store.ts";
import { OtherProcesses } from "#shared/process/other-processes.ts";
import { logTransition, registerBreakers } from "#shared/process/breaker.ts";
import { PARTITIONS_MAX } from "#shared/protocol/partition-map.ts";
import { CONTROL_ROOMS_MAX } from "#shared/protocol/control.ts";
import { registerAttachments } from "./adapters/attachment-metrics.ts";
import { HmacLinks, HmacProofs } from "./adapters/attachment-proof.ts";
import { AttachmentStats } from "./adapters/attachment-stats.ts";
import { openAuthenticator } from "#shared/adapters/auth.ts";
import { openDevSecret } from "#shared/adapters/dev-token.ts";
import { HTTP_ANSWERS_MAX, registerGateway, registerHttp } from "./adapters/gateway-metrics.ts";
import { buildHttp } from "./adapters/http.ts";
import { whatIsMissing } from "./adapters/http-meta.ts";
import { openInviteKey } from "./adapters/invite-key.ts";
import { refuseRevoked } from "#shared/adapters/revoked-tokens.ts";
import { startThumbnailThread } from "./adapters/thumbnail-thread.ts";
import { attachWebSockets, frameMaker } from "./adapters/websocket.ts";
import { configSchema, httpConfig, metricsPort } from "./config.ts";
import { Revocations } from "#shared/kit/revocations.ts";
import { Gateway } from "./runtime/gateway.ts";
import { AttachmentsOverBus } from "./runtime/attachments-over-bus.ts";
import { followGatewaySettings } from "./runtime/live-settings.ts";
import { LinkPreviewsOverBus } from "./runtime/link-previews-over-bus.ts";
import { Thumbnails } from "./runtime/thumbnails.ts";
import { WebhooksOverBus } from "./runtime/webhooks-over-bus.ts";

const MIB = 1024 * 1024;
/** A drain takes at most ten seconds; see runtime/gateway.ts. */
const STOP_DEADLINE_MS = 20_000;
/**
 * Connections that wait in the kernel while this process is busy (S11); fewer with a lower
 * `somaxconn`.
 */
const LISTEN_BACKLOG = 4_096;

const service = await startService({
  kind: "gateway",
  schema: configSchema,
  stopDeadlineMs: STOP_DEADLINE_MS,
});
const { id, config, logger, shutdown, version, tracer } = service;
const inviteKey = await service.orExit(
  openInviteKey(config),
  "the key of invites cannot be read: check INVITE_KEY_FILE",
);
const http = httpConfig(config, inviteKey);
const files = await service.orExit(
  openAttachments(config, systemClock),
  "the store of attachments is not usable: check ATTACHMENTS_*",
);
const bus = await service.connectBus();

const revocations = new Revocations();
const authenticator = await service.orExit(
  openAuthenticator(authConfig(config), {
    onKeysFailure: (reason) => logger.warn({ reason }, "the issuer's keys could not be fetched"),
    onBreaker: (transition) => logTransition(logger, transition),
  }),
  "tokens cannot be verified: check AUTH and its settings",
  { auth: config.AUTH },
);
const auth = refuseRevoked(authenticator, revocations);
shutdown.add("auth", () => Promise.resolve(auth.close()));
const devSecret = config.AUTH === "dev" ? await openDevSecret(config.DEV_SECRET_FILE) : undefined;
/** Without INVITE_KEY the tokens of invites are repeated by this process only. */
const key = inviteKey === undefined ? (devSecret ?? randomBytes(32)) : Buffer.from(inviteKey);
const proofs = new HmacProofs(key);

const gateway = new Gateway(
  {
    id,
    partitions: config.PARTITIONS,
    version,
    region: config.REGION,
    limits: http.limits,
    traceRatio: config.TRACE_RATIO,
    memoryBytesMax: config.GATEWAY_MEMORY_MIB * MIB,
  },
  {
    bus,
    archive: openArchiveReader(bus, systemClock),
    clock: systemClock,
    random: systemRandom,
    auth,
    frames: frameMaker,
    tracer,
    proofs: files === undefined ? undefined : proofs,
    report: (event, detail) => {
      gateway.stats.reports.add(event);
      logger.info(detail, event);
    },
  },
);
gateway.start();
/** Undefined without REGION: the gateway then serves without a grant. */
const right = config.REGION === undefined ? undefined : new RegionGrants(bus, systemClock);
if (right !== undefined) {
  gateway.suspend();
  right.onChange(() => (right.takesClients() ? gateway.resume() : gateway.suspend()));
  right.start();
  shutdown.add("grants", () => Promise.resolve(right.stop()));
}

const settings = openBusTable({ name: "settings", bus, clock: systemClock });
const knowsRevocations = Promise.withResolvers<boolean>();
let isWaiting = true;
const revoking = settings.watch(
  (change) => {
    const revocation = revocations.take(change, systemClock.now());
    if (revocation === undefined) return;
    const { user, at, by } = revocation;
    const closed = gateway.kick(user, at);
    logger.warn({ user, at, by, closed }, "tokens of a user revoked");
  },
  () => knowsRevocations.resolve(true),
);
shutdown.add("revocations", () => Promise.resolve(revoking.unsubscribe()));

const { REGION: region } = config;
const others = new OtherProcesses({ id, kind: "gateway", region, bus, clock: systemClock });
others.start();
shutdown.add("other gateways", () => Promise.resolve(others.stop()));

const requests = new Counts([], HTTP_ANSWERS_MAX);
const operations = await service.openOperations({
  bus,
  settings,
  port: metricsPort(config),
  missing: () =>
    isWaiting ? "the revoked tokens are not known yet" : whatIsMissing(gateway.roomApi, auth),
  register: (metrics) => {
    registerGateway(metrics, gateway, requests);
    if (authenticator.breaker !== undefined) registerBreakers(metrics, [authenticator.breaker]);
  },
  follow: (settings) => followGatewaySettings(settings, gateway),
  healing: { service: "gateway", hasReplacement: () => others.isAnyLive() },
  resources: {
    accounted: () => ({ bytes: gateway.memory.used, bytesMax: gateway.memory.bytesMax }),
    operations: () => gateway.stats.operations,
  },
  describe: () => {
    const { connections, rooms, unanswered } = gateway.gauges;
    return { partitionsMax: PARTITIONS_MAX, connections, rooms, unanswered };
  },
  rooms: () => gateway.rooms(CONTROL_ROOMS_MAX),
  kick: (user) => gateway.kick(user),
});

const holdFiles = (bytes: number): void => gateway.memory.add("files", bytes);
const fileStats = new AttachmentStats(holdFiles);
const thumbnails = new Thumbnails(systemClock, startThumbnailThread, holdFiles);
shutdown.add("thumbnails", () => Promise.resolve(thumbnails.stop()));

const app = await buildHttp({
  requests,
  metrics: operations.url === undefined ? operations.metrics : undefined,
  config: http,
  roomApi: gateway.roomApi,
  roomLists: gateway.roomLists,
  names: gateway.names,
  webhooks: new WebhooksOverBus(bus),
  linkPreviews: new LinkPreviewsOverBus(config.LINK_PREVIEWS === "on" ? bus : undefined),
  attachments: {
    store: files,
    records: new AttachmentsOverBus(bus),
    proofs,
    links: new HmacLinks(key),
    stats: fileStats,
    thumbnails,
    linkMs: config.ATTACHMENTS_LINK_S * 1_000,
    limits: {
      fileBytesMax: config.ATTACHMENTS_FILE_MIB * MIB,
      userBytesMax: config.ATTACHMENTS_USER_MIB * MIB,
      types: config.ATTACHMENTS_TYPES,
    },
    isRevoked: (identity, now) => revocations.covers(identity, now),
  },
  sessions: gateway.sessions,
  auth,
  devSecret,
  logger,
  clock: systemClock,
  shedding: gateway.shedding,
});
registerHttp(operations.metrics, app.sockets);
if (files !== undefined) {
  registerAttachments(operations.metrics, { stats: fileStats, thumbnails });
  registerStore(operations.metrics, files);
}
shutdown.add("http", () => app.close());
attachWebSockets({
  server: app.server,
  origins: http.origins,
  accept: (socket) => gateway.accept(socket),
  isDraining: () => gateway.roomApi.health.draining,
  shed: () => gateway.shedding.refuse("connection"),
  addressOf: (request) => app.clients.of(request),
  onUpgraded: (socket) => app.sockets.release(socket),
  logger,
});
// E6: no client connects before, so that none gets in with a token that was revoked earlier.
systemClock.after(config.REVOCATIONS_WAIT_S * 1_000, () => knowsRevocations.resolve(false));
if (!(await knowsRevocations.promise)) {
  logger.warn("no persistence process answers: tokens that were revoked are not known yet");
}
isWaiting = false;
await service.orExit(
  app.listen({ host: config.HOST, port: config.PORT, backlog: LISTEN_BACKLOG }),
  "the port cannot be opened: free it or set PORT",
  { port: config.PORT },
);
shutdown.add("gateway", () => gateway.drain());

const { port } = app.server.address() as AddressInfo;
const url = `http://${config.HOST}:${port}`;
service.announceReady({ url, metrics: operations.url ?? `${url}/metrics` });
