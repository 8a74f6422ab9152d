// Gateway: wiring only. Builds the ports top to bottom and stops them in reverse.

import type { AddressInfo } from "node:net";
import { openArchiveReader } from "#shared/adapters/archive-over-bus.ts";
import { openNatsBus } from "#shared/adapters/bus-nats.ts";
import { systemClock, systemRandom } from "#shared/adapters/clock-system.ts";
import { openBusTable } from "#shared/adapters/table-over-bus.ts";
import { Counts } from "#shared/kit/counts.ts";
import { configOrEnd, giveUp } from "#shared/process/give-up.ts";
import { CONTROL_ROOMS_MAX } from "#shared/protocol/control.ts";
import { announceReady } from "#shared/process/health.ts";
import { newProcessId } from "#shared/process/ids.ts";
import { createLogger } from "#shared/process/logger.ts";
import { openOperations } from "#shared/process/operations.ts";
import { Shutdown } from "#shared/process/shutdown.ts";
import { startTelemetry } from "#shared/process/telemetry.ts";
import { openAuthenticator } from "./adapters/auth.ts";
import { openDevSecret } from "./adapters/dev-token.ts";
import { HTTP_ANSWERS_MAX, registerGateway, registerHttp } from "./adapters/gateway-metrics.ts";
import { buildHttp } from "./adapters/http.ts";
import { whatIsMissing } from "./adapters/http-meta.ts";
import { withoutRevoked } from "./adapters/revoked-tokens.ts";
import { attachWebSockets, frameMaker } from "./adapters/websocket.ts";
import { authConfig, configSchema, httpConfig, metricsPort } from "./config.ts";
import { Revocations } from "./core/revocations.ts";
import { Gateway } from "./runtime/gateway.ts";
import { followGatewaySettings } from "./runtime/live-settings.ts";

/** Leaving takes at most ten seconds by itself; see gateway.ts. */
const STOP_DEADLINE_MS = 20_000;
/** Connects that wait while this process is busy (S11); the kernel takes fewer where `somaxconn` is less. */
const LISTEN_BACKLOG = 4_096;

const id = newProcessId("gw");
const logger = createLogger({ name: id });
const config = configOrEnd(configSchema, logger);
logger.level = config.LOG_LEVEL;
const http = httpConfig(config);

const shutdown = new Shutdown(logger, { deadlineMs: STOP_DEADLINE_MS });
shutdown.listen();

const telemetry = await startTelemetry({ service: "gateway", instance: id });
shutdown.add("telemetry", () => telemetry.stop());

const bus = await openNatsBus({
  url: config.NATS_URL,
  nkeyFile: config.NATS_NKEY_FILE,
  name: id,
  inboxPrefix: `_INBOX_gw.${id}`,
  logger,
}).catch((error: unknown) =>
  giveUp(logger, "NATS is not reachable", { url: config.NATS_URL }, error),
);
shutdown.add("bus", () => bus.close());

const revocations = new Revocations();
const judge = await openAuthenticator(authConfig(config), {
  onKeysFailure: (reason) => logger.warn({ reason }, "the issuer's keys could not be fetched"),
}).catch((error: unknown) =>
  giveUp(logger, "tokens cannot be verified", { auth: config.AUTH }, error),
);
const auth = withoutRevoked(judge, revocations);
shutdown.add("auth", () => Promise.resolve(auth.close()));
const devSecret = config.AUTH === "dev" ? await openDevSecret(config.DEV_SECRET_FILE) : undefined;

const version = process.env["npm_package_version"] ?? "dev";
const gateway = new Gateway(
  {
    id,
    partitions: config.PARTITIONS,
    version,
    limits: http.limits,
    traceRatio: config.TRACE_RATIO,
    memoryBytesMax: config.GATEWAY_MEMORY_MIB * 1024 * 1024,
  },
  {
    bus,
    archive: openArchiveReader(bus),
    clock: systemClock,
    random: systemRandom,
    auth,
    frames: frameMaker,
    tracer: telemetry.tracer,
    report: (event, detail) => {
      gateway.stats.reports.add(event);
      logger.info(detail, event);
    },
  },
);
gateway.start();

const settings = openBusTable({ name: "settings", bus, clock: systemClock });
const revoking = settings.watch((change) => {
  const revocation = revocations.take(change, systemClock.now());
  if (revocation === undefined) return;
  const { user, at, by } = revocation;
  const closed = gateway.kick(user, at);
  logger.warn({ user, at, by, closed }, "a user's tokens were revoked");
});
shutdown.add("revocations", () => Promise.resolve(revoking.unsubscribe()));

const requests = new Counts([], HTTP_ANSWERS_MAX);
const operations = await openOperations({
  id,
  kind: "gateway",
  version,
  level: config.LOG_LEVEL,
  logger,
  bus,
  settings,
  shutdown,
  host: config.METRICS_HOST,
  port: metricsPort(config),
  missing: () => whatIsMissing(gateway.roomApi, auth),
  register: (metrics) => registerGateway(metrics, gateway, requests),
  follow: (settings) => followGatewaySettings(settings, gateway),
  describe: () => {
    const { connections, rooms, unanswered } = gateway.gauges;
    return { connections, rooms, unanswered };
  },
  rooms: () => gateway.rooms(CONTROL_ROOMS_MAX),
  kick: (user) => gateway.kick(user),
});

const app = await buildHttp({
  requests,
  metrics: operations.url === undefined ? operations.metrics : undefined,
  config: http,
  roomApi: gateway.roomApi,
  auth,
  devSecret,
  logger,
  clock: systemClock,
});
registerHttp(operations.metrics, app.sockets);
shutdown.add("http", () => app.close());
attachWebSockets({
  server: app.server,
  origins: http.origins,
  accept: (socket) => gateway.accept(socket),
  isDraining: () => gateway.roomApi.health.draining,
  addressOf: (request) => app.clients.of(request),
  onUpgraded: (socket) => app.sockets.release(socket),
  logger,
});
await app
  .listen({ host: config.HOST, port: config.PORT, backlog: LISTEN_BACKLOG })
  .catch((error: unknown) => giveUp(logger, "the port is not free", { port: config.PORT }, error));
shutdown.add("gateway", () => gateway.leave());

const { port } = app.server.address() as AddressInfo;
const url = `http://${config.HOST}:${port}`;
announceReady({ name: id, url, metrics: operations.url ?? `${url}/metrics` }, logger);
