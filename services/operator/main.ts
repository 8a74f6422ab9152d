// Operator: the wiring of the process that serves the admin page. shared/process/bootstrap.ts does
// what all services share.

import type { AddressInfo } from "node:net";
import { openAuthenticator } from "#shared/adapters/auth.ts";
import { systemClock } from "#shared/adapters/clock-system.ts";
import { OperatorRequests } from "#shared/adapters/operator-requests.ts";
import { refuseRevoked } from "#shared/adapters/revoked-tokens.ts";
import { openBusTable } from "#shared/adapters/table-over-bus.ts";
import { Revocations } from "#shared/kit/revocations.ts";
import { authConfig } from "#shared/process/auth-config.ts";
import { startService } from "#shared/process/bootstrap.ts";
import { logTransition } from "#shared/process/breaker.ts";
import { buildOperatorHttp } from "./adapters/http.ts";
import { configSchema, originsOf, pageSignIn } from "./config.ts";
import { SignIns } from "./core/sign-ins.ts";
import { Actions } from "./runtime/actions.ts";
import { ClusterWatch } from "./runtime/cluster-watch.ts";

const STOP_DEADLINE_MS = 10_000;

const service = await startService({
  kind: "operator",
  schema: configSchema,
  stopDeadlineMs: STOP_DEADLINE_MS,
});
const { config, logger, shutdown } = service;
const bus = await service.connectBus();
const authenticator = await service.orExit(
  openAuthenticator(authConfig(config), {
    onKeysFailure: (reason) => logger.warn({ reason }, "the issuer's keys could not be fetched"),
    onBreaker: (transition) => logTransition(logger, transition),
  }),
  "tokens cannot be verified: check AUTH and its settings",
  { auth: config.AUTH },
);
shutdown.add("auth", () => Promise.resolve(authenticator.close()));

const revocations = new Revocations();
const settings = openBusTable({ name: "settings", bus, clock: systemClock });
const revoking = settings.watch(
  (change) => void revocations.take(change, systemClock.now()),
  () => undefined,
);
shutdown.add("revocations", () => Promise.resolve(revoking.unsubscribe()));

const signIns = new SignIns((signIn, now) => revocations.covers(signIn, now));
const requests = new OperatorRequests(bus.connection);
const operations = await service.openOperations({
  bus,
  settings,
  port: config.METRICS_PORT ?? 0,
  register: (metrics) =>
    metrics.gauge(
      "parley_operator_sign_ins",
      "Administrators who are signed in",
      () => signIns.size,
    ),
  describe: () => ({}),
});
const app = await buildOperatorHttp({
  config: {
    origins: originsOf(config),
    webDir: config.WEB_DIR,
    signIn: pageSignIn(config),
    signInOrigins: config.OIDC_ORIGINS,
  },
  auth: refuseRevoked(authenticator, revocations),
  signIns,
  watch: new ClusterWatch({ requests, bus, clock: systemClock }),
  requests,
  actions: new Actions({ requests, logger }),
  clock: systemClock,
  logger,
});
shutdown.add("http", () => app.close());
await service.orExit(
  app.listen({ host: config.HOST, port: config.PORT }),
  "the port cannot be opened: free it or set PORT",
  { port: config.PORT },
);
await bus.flush();
const { port } = app.server.address() as AddressInfo;
service.announceReady({ url: `http://${config.HOST}:${port}`, metrics: operations.url });
