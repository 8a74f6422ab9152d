// Bootstrap: the part of a start that all processes share.
//
// Owns: the configuration, the logger, the process id, telemetry, connections to NATS, operations
// (metrics, health, settings, control) and the ready message. Does not own: what a service does.
// Its main.ts opens that between `startService` and `announceReady`.
//
//   bootstrap.1. A process that cannot start exits as start-failure.1 describes: with code 1 and
//        one fatal line. `orExit` applies the same rule to what main.ts opens.
//   bootstrap.2. Everything that is opened here registers its stop in `shutdown`. Stops run in
//        reverse order of opening: operations, then the service's own parts, then NATS, then
//        telemetry.
//   bootstrap.3. When all modules are loaded, and before it connects to anything, a service stores
//        what Node compiled (NODE_COMPILE_CACHE). A killed process then has stored it too, and
//        Node drops its copy of all stored code, 3 MiB in a gateway.

import { flushCompileCache } from "node:module";
import type { z } from "zod";
import { openNatsBus } from "../adapters/bus-nats.ts";
import type { NatsBus, NatsBusOptions } from "../adapters/bus-nats.ts";
import { systemClock } from "../adapters/clock-system.ts";
import { openBusTable } from "../adapters/table-over-bus.ts";
import type { SettingsStore } from "../ports/settings-store.ts";
import type { Tracer } from "../ports/tracer.ts";
import type { NodeKind, ProcessId } from "../protocol/ids.ts";
import type { ServiceConfig } from "./config.ts";
import { announceReady } from "./health.ts";
import type { ReadyInfo } from "./health.ts";
import { newProcessId } from "./ids.ts";
import { createLogger } from "./logger.ts";
import type { Logger } from "./logger.ts";
import { openOperations } from "./operations.ts";
import type { Operations, OperationsOptions } from "./operations.ts";
import { openServiceManager } from "./service-manager.ts";
import { Shutdown } from "./shutdown.ts";
import { failStart, readConfigOrExit } from "./start-failure.ts";
import { startTelemetry } from "./telemetry.ts";
import { collectStartGarbage } from "./young-generation.ts";

/** A process with a configuration and a logger: a job, or the base of a service. */
export interface Job<C> {
  readonly config: Readonly<C>;
  readonly logger: Logger;
  /** Awaits `opening`. When it rejects, logs `event` with the reason and exits (bootstrap.1). */
  orExit<T>(opening: Promise<T>, event: string, detail?: object): Promise<T>;
}

export interface Service<C> extends Job<C> {
  readonly id: ProcessId;
  readonly version: string;
  readonly shutdown: Shutdown;
  readonly tracer: Tracer;
  /** Connects to NATS as the service's own user, or exits. */
  connectBus(): Promise<NatsBus>;
  /** Connects to NATS as a second user with fewer rights, or exits. */
  connectBusAs(user: "trim", nkeyFile: string): Promise<NatsBus>;
  /** Opens metrics, health, settings and control. Rejects when the port is not free. */
  openOperations(options: ServiceOperations): Promise<Operations>;
  /** Reports to the supervisor, to systemd and to the log that the service serves. */
  announceReady(addresses: Omit<ReadyInfo, "name">): void;
}

export interface ServiceOperations extends Omit<
  OperationsOptions,
  "id" | "kind" | "version" | "level" | "logger" | "shutdown" | "host" | "settings" | "config"
> {
  /** The service's copy of the settings table; opened here when left out. */
  readonly settings?: SettingsStore;
}

/** The prefix of a process id. */
const PREFIXES = {
  gateway: "gw",
  room: "room",
  persistence: "pers",
  region: "region",
  webhooks: "hook",
  operator: "op",
} as const;

/**
 * The prefix of the NATS inboxes of that kind (X2). All processes answer the operator on one
 * prefix; an operator process has a part of it.
 */
const INBOXES = { ...PREFIXES, operator: "ctl.op" } as const;

/**
 * No client waits for the requests of the second user. They time out by themselves, and are
 * repeated.
 */
const SECOND_PING_MS = 10_000;

/** For a process that does one thing and ends. */
export function startJob<S extends z.ZodObject>(name: string, schema: S): Job<z.output<S>> {
  const logger = createLogger({ name });
  const config = readConfigOrExit(schema, logger);
  return {
    config,
    logger,
    orExit: (opening, event, detail = {}) =>
      opening.catch((error: unknown) => failStart(logger, event, detail, error)),
  };
}

/** For a process that serves until it is stopped. Exits when the environment is not valid. */
export async function startService<S extends z.ZodObject & z.ZodType<ServiceConfig>>(options: {
  readonly kind: NodeKind;
  readonly schema: S;
  /** The process exits this long after its stop began (shutdown.2). */
  readonly stopDeadlineMs: number;
}): Promise<Service<z.output<S>>> {
  const { kind, schema, stopDeadlineMs } = options;
  const prefix = PREFIXES[kind];
  const id = newProcessId(prefix);
  const job = startJob(id, schema);
  const { config, logger } = job;
  logger.level = config.LOG_LEVEL;

  const shutdown = new Shutdown(logger, { deadlineMs: stopDeadlineMs });
  shutdown.listen();
  // Node reports leaks of listeners and deprecated calls as warnings, on standard error.
  process.on("warning", ({ name, message }) =>
    logger.warn({ kind: name, message }, "node warning"),
  );
  const manager = openServiceManager(logger);
  const telemetry = await startTelemetry({ service: kind, instance: id });
  shutdown.add("telemetry", () => telemetry.stop());

  const connect = async (
    step: string,
    user: Pick<NatsBusOptions, "nkeyFile" | "name" | "pingMs"> & { readonly inbox: string },
  ): Promise<NatsBus> => {
    const { inbox, ...more } = user;
    const url = config.NATS_URL;
    const inboxPrefix = `_INBOX_${inbox}.${id}`;
    const opening = openNatsBus({ url, inboxPrefix, logger, ...more });
    const bus = await job.orExit(opening, "NATS is not reachable", { url });
    shutdown.add(step, () => bus.close()); // bootstrap.2
    return bus;
  };

  flushCompileCache(); // bootstrap.3
  collectStartGarbage();
  const version = process.env["npm_package_version"] ?? "dev";
  return {
    ...job,
    id,
    version,
    shutdown,
    tracer: telemetry.tracer,
    connectBus: () =>
      connect("bus", { nkeyFile: config.NATS_NKEY_FILE, name: id, inbox: INBOXES[kind] }),
    connectBusAs: (user, nkeyFile) => {
      const name = `${id}-${user}`;
      return connect(`bus of ${user}`, { nkeyFile, name, inbox: user, pingMs: SECOND_PING_MS });
    },
    openOperations: (parts) =>
      openOperations({
        settings: openBusTable({ name: "settings", bus: parts.bus, clock: systemClock }),
        ...parts,
        id,
        kind,
        version,
        level: config.LOG_LEVEL,
        logger,
        shutdown,
        host: config.METRICS_HOST,
        config,
      }),
    announceReady: (addresses) => {
      announceReady({ name: id, ...addresses }, logger);
      void manager.ready(); // It never rejects.
    },
  };
}
