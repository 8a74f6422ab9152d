// SimulatedCluster: the service processes of a run, built from the product's own classes on
// simulated ports.
//
// Owns: which processes run, and how each kind is built, killed and asked to leave. Does not own:
// which faults occur and when (fault-injector.ts).
//
//   sim/cluster.1. A process leaves nothing behind in memory: its replacement has a new name and no
//                  state. Only the log and the database are durable.
//   sim/cluster.2. Services consist of the same classes that their main.ts builds. Only the ports
//                  differ.

import { MemorySessionStore } from "#shared/adapters/session-store-memory.ts";
import { openArchiveReader } from "#shared/adapters/archive-over-bus.ts";
import type { ProcessId, UserId } from "#shared/protocol/ids.ts";
import type { SessionEvent } from "#shared/protocol/session-records.ts";
import { firstLogSeq } from "#shared/protocol/partition-map.ts";
import type { Bus } from "#shared/ports/bus.ts";
import type { PartitionLog } from "#shared/ports/log.ts";
import type { RegionRight } from "#shared/process/region-grants.ts";
import type { ArchiveReader, ArchiveStore } from "#shared/ports/archive.ts";
import type { RoomListReader, RoomListStore } from "#shared/ports/room-lists.ts";
import type { NameReader, NameStore } from "#shared/ports/names.ts";
import type { SearchReader, SearchStore } from "#shared/ports/search.ts";
import { Gateway } from "../../services/gateway/runtime/gateway.ts";
import type { Authenticator } from "#shared/ports/identity.ts";
import type { FrameMaker } from "../../services/gateway/runtime/client-socket.ts";
import { HistoryServer } from "../../services/persistence/adapters/history-server.ts";
import { PageCache } from "../../services/persistence/adapters/page-cache.ts";
import { LIMITS } from "../../services/persistence/core/archiver-io.ts";
import { LogWatch } from "../../services/persistence/runtime/log-watch.ts";
import { SessionServer } from "../../services/persistence/adapters/session-server.ts";
import { SessionReaper } from "../../services/persistence/runtime/session-reaper.ts";
import { PersistenceNode } from "../../services/persistence/runtime/persistence-node.ts";
import { ArchiveRunner } from "../../services/persistence/runtime/archive-runner.ts";
import type { RunnerReport } from "../../services/persistence/runtime/archive-runner.ts";
import type { LoadReading } from "../../services/room/core/load-window.ts";
import { RegionalLog } from "../../services/room/runtime/regional-log.ts";
import { RoomNode } from "../../services/room/runtime/room-node.ts";
import { SimulatedBus, STALE_CONNECTION_MS } from "./bus.ts";
import { SimulatedStore } from "./database.ts";
import type { Database } from "./database.ts";
import { SeededRng } from "./seeded-rng.ts";
import type { Findings } from "./findings.ts";
import { SimulatedLog } from "./log.ts";
import type { LogServer } from "./log-server.ts";
import type { SimulatedBroker } from "./broker.ts";
import type { Options } from "./options.ts";
import type { RegionTerm } from "./region-term.ts";
import { SimulatedProcess } from "./process.ts";
import type { ProcessKind } from "./process.ts";

export type ServiceKind = Exclude<ProcessKind, "client">;

export interface SimulatedService {
  readonly process: SimulatedProcess;
  readonly bus: SimulatedBus;
  readonly gateway?: Gateway;
  readonly room?: RoomNode;
  isLeaving: boolean;
  /** The setting `partitions.count` has arrived. A gateway does not follow it. */
  split?(count: number): void;
  /** Resolves when the hand-over is complete. */
  leave(): Promise<void>;
}

/** The ports of a service process. A planted bug replaces some of them (planted-bugs.ts). */
export interface Ports {
  readonly bus: Bus;
  readonly log: PartitionLog;
  readonly archive: ArchiveReader & RoomListReader & SearchReader & NameReader;
  readonly store: ArchiveStore & RoomListStore & SearchStore & NameStore;
  readonly frames: FrameMaker;
  /** The right of the region to serve; undefined: the cluster is no region. */
  readonly right?: RegionRight | undefined;
}

/** Changes the ports of a service process; returns them unchanged for the other kinds. */
export type PlantedBug = (kind: ServiceKind, ports: Ports) => Ports;

export interface SimulatedClusterOptions {
  readonly options: Options;
  readonly broker: SimulatedBroker;
  readonly logs: LogServer;
  readonly database: Database;
  readonly findings: Findings;
  readonly skewMs: () => number;
  /** For the arrival of settings; default: at once. */
  readonly rng?: SeededRng;
  /** Set: the processes serve only while it is held. */
  readonly term: RegionTerm | undefined;
  readonly plantedBug: PlantedBug;
  /** Default: SMALL_SETTINGS. */
  readonly settings?: ServiceSettings;
}

/** The bounds and intervals of the services. */
export interface ServiceSettings {
  /** The memory of the rooms of one room node, in bytes. */
  readonly memoryMax: number;
  /** The share of a log's maximum size below which archived entries stay. */
  readonly keepShare: number;
  /** How often a trim is considered. */
  readonly trimEveryMs: number;
  /** How often an archiver repeats its watermark. */
  readonly tickMs: number;
  readonly pingMs: number;
  /** At most one partition moves in this time; undefined: room nodes measure no load. */
  readonly balanceMs?: number;
  /** Persistence watches the sizes of its logs, for metrics. */
  readonly watchesLogs: boolean;
}

/** Small and frequent, so that a run of seconds reaches every bound. */
const SMALL_SETTINGS: ServiceSettings = {
  /** In some seeds owners shed lines and read them from the log (room-memory.1). */
  memoryMax: 100_000,
  keepShare: 0,
  /** Runs contain trims. */
  trimEveryMs: 1_000,
  tickMs: 1_000,
  /** A half-open socket is detected within a run. */
  pingMs: 4_000,
  /** Partitions move in a run. */
  balanceMs: 5_000,
  watchesLogs: false,
};

interface Host {
  readonly process: SimulatedProcess;
  readonly bus: SimulatedBus;
}

const VERSION = "sim";
/** The CPU time of one command or event on a node of speed 1. */
const WORK_MS = 10;
/** Nodes of one cluster differ, so that their load does. */
const SPEEDS = [1, 0.5, 0.25] as const;
/** How often a run doubles its partitions: 1 becomes 4. */
const SPLIT_FACTOR_MAX = 4;
/** A setting takes effect within a second, and later after a lost message. */
const SETTING_MS_MAX = 2_000;
const PREFIX: Readonly<Record<ServiceKind, string>> = {
  gateway: "gw",
  room: "room",
  persistence: "pers",
};

/** Accepts every token: the token is the user's id. */
const nameTokens: Authenticator = {
  verify: (token) =>
    Promise.resolve({
      kind: "ok",
      identity: { user: token as UserId, admin: false, expiresAt: Infinity },
    }),
};

/** Joins the lines of a frame without an RFC 6455 header. The header has tests of its own. */
const plainFrames: FrameMaker = {
  frame(parts) {
    const length = parts.reduce((sum, part) => sum + part.length + 1, -1);
    const frame = new Uint8Array(Math.max(0, length)).fill(10);
    let at = 0;
    for (const part of parts) {
      frame.set(part, at);
      at += part.length + 1;
    }
    return frame;
  },
};

export class SimulatedCluster {
  readonly #options: SimulatedClusterOptions;
  readonly #services: SimulatedService[] = [];
  readonly #settings: ServiceSettings;
  /** Durable, as the log is. */
  readonly #sessions: MemorySessionStore;
  #count = 0;

  constructor(options: SimulatedClusterOptions) {
    this.#options = options;
    this.#settings = options.settings ?? SMALL_SETTINGS;
    const { scheduler } = options.broker.options;
    this.#sessions = new MemorySessionStore({ monotonic: () => scheduler.now });
  }

  /** The starts and ends of all sessions, in their order. */
  get sessionEvents(): readonly SessionEvent[] {
    return this.#sessions.events;
  }

  /** The number of partitions that the operator wants. */
  get partitions(): number {
    return this.#options.logs.partitions;
  }

  /**
   * `parley partitions split`: creates the logs of the upper halves and sets the number. The
   * setting reaches each process at its own time, also a process that starts later.
   */
  split(): void {
    const { logs, broker, options } = this.#options;
    const count = logs.partitions * 2;
    if (count > options.partitions * SPLIT_FACTOR_MAX) return;
    broker.options.trace.add(`split into ${count}`);
    logs.grow(count);
    for (const service of this.#services) this.#announceCount(service);
  }

  /** The running processes of one kind. A leaving process counts until it exits. */
  of(kind: ServiceKind): readonly SimulatedService[] {
    return this.#services.filter(({ process }) => process.kind === kind);
  }

  get services(): readonly SimulatedService[] {
    return this.#services;
  }

  start(kind: ServiceKind): SimulatedService {
    const { broker, skewMs, findings, options } = this.#options;
    const number = ++this.#count;
    const id = `${PREFIX[kind]}-${number}` as ProcessId;
    const process = this.createProcess(kind, id);
    process.adjustClock(skewMs());
    const bus = new SimulatedBus(broker, process);
    bus.onStatus((status) => {
      if (status === "disconnected") findings.count("bus connection lost");
    });
    broker.options.trace.add(`start ${id} seed ${options.seed}`);
    const ports = this.#options.plantedBug(kind, this.#ports(process, bus));
    const service = this.#build(kind, { process, bus }, ports);
    this.#services.push(service);
    process.onExit(() => this.#services.splice(this.#services.indexOf(service), 1));
    if (this.partitions > options.partitions) this.#announceCount(service);
    return service;
  }

  #announceCount(service: SimulatedService): void {
    const { rng } = this.#options;
    const count = this.partitions;
    const delay = rng?.between(0, SETTING_MS_MAX) ?? 0;
    service.process.clock.after(delay, () => service.split?.(count));
  }

  createProcess(kind: ProcessKind, id: ProcessId): SimulatedProcess {
    const { broker, findings, options } = this.#options;
    const { scheduler, trace } = broker.options;
    return new SimulatedProcess({
      id,
      kind,
      scheduler,
      random: new SeededRng(options.seed, `process ${id}`).random,
      skewMs: 0,
      onThrow: (_, error) => {
        const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
        trace.add(`exception in ${id}`);
        findings.violation("exception", `${id}: ${reason}`);
      },
    });
  }

  /** kill -9. With `withHost` the host vanishes, so the broker keeps the connection for a while. */
  kill(service: SimulatedService, withHost: boolean): void {
    const { trace } = this.#options.broker.options;
    trace.add(`kill ${service.process.id}${withHost ? " with its host" : ""}`);
    service.process.exit();
    service.bus.removeFromBroker(withHost ? STALE_CONNECTION_MS : 1);
    this.#options.findings.count("process killed");
  }

  leave(service: SimulatedService): void {
    if (service.isLeaving) return;
    service.isLeaving = true;
    const { broker, findings } = this.#options;
    const { process, bus } = service;
    broker.options.trace.add(`leave ${process.id}`);
    process.run(() => {
      void service.leave().then(() => {
        broker.options.trace.add(`left ${process.id}`);
        findings.count("process left after its hand-over");
        service.process.exit();
        bus.removeFromBroker(1);
      });
    });
  }

  #ports(process: SimulatedProcess, bus: SimulatedBus): Ports {
    const { broker, logs: server, database, term } = this.#options;
    return {
      bus: term !== undefined && process.kind === "room" ? term.checked(bus) : bus,
      log: new SimulatedLog({ ...broker.options, bus, server }),
      archive: openArchiveReader(bus, process.clock),
      store: new SimulatedStore(database, process),
      frames: plainFrames,
      right: term?.rightOf(process),
    };
  }

  #build(kind: ServiceKind, host: Host, ports: Ports): SimulatedService {
    if (kind === "gateway") return this.#buildGateway(host, ports);
    if (kind === "room") return this.#buildRoom(host, ports);
    return this.#buildPersistence(host, ports);
  }

  #buildGateway(host: Host, ports: Ports): SimulatedService {
    const { id, clock, random } = host.process;
    const { partitions } = this.#options.options;
    const { pingMs } = this.#settings;
    const gateway = new Gateway(
      { id, partitions, version: VERSION, limits: false, pingMs },
      { ...ports, clock, random, auth: nameTokens, report: () => undefined },
    );
    host.process.run(() => gateway.start());
    const { right } = ports;
    if (right !== undefined) {
      gateway.suspend();
      right.onChange(() => (right.takesClients() ? gateway.resume() : gateway.suspend()));
    }
    return { ...host, gateway, isLeaving: false, leave: () => gateway.drain() };
  }

  #buildRoom(host: Host, ports: Ports): SimulatedService {
    const { id, clock } = host.process;
    const { partitions } = this.#options.options;
    const { findings } = this.#options;
    const { memoryMax, balanceMs } = this.#settings;
    const { right, bus } = ports;
    const log =
      right === undefined ? ports.log : new RegionalLog({ log: ports.log, right, bus, clock });
    const room: RoomNode = new RoomNode(
      {
        id,
        partitions,
        version: VERSION,
        memoryMax,
        mayServe: right && ((p) => right.allows(p) === "everything"),
        balanceMs: balanceMs ?? 0,
      },
      {
        ...ports,
        log,
        clock,
        ...(balanceMs !== undefined && { readLoad: this.#loadReader(host, () => room) }),
        report: (event) => {
          if (event === "partition fenced") findings.count("stale owner refused");
          if (event === "partition moved by load") findings.count(event);
        },
        fault: (error) => {
          findings.violation(
            "exception",
            `${id}: ${error instanceof Error ? error.stack : String(error)}`,
          );
          host.process.exit();
        },
      },
    );
    host.process.run(() => room.start());
    right?.onChange(() => room.onRightsChanged());
    const split = (count: number): void => room.split(count);
    return { ...host, room, isLeaving: false, leave: () => room.leave(), split };
  }

  /** Virtual time passes between steps only, so the CPU time of a node follows from its work. */
  #loadReader({ process }: Host, room: () => RoomNode): () => LoadReading {
    const { id, clock } = process;
    const speed = new SeededRng(this.#options.options.seed, `speed of ${id}`).pick(SPEEDS) ?? 1;
    return () => {
      const work = [...room().work.values()].reduce((sum, n) => sum + n, 0);
      const cpuMs = (work * WORK_MS) / speed;
      return { at: clock.monotonic(), cpuMs, loopCpuMs: cpuMs, loopBusyMs: cpuMs, limit: 1 };
    };
  }

  #buildPersistence(host: Host, ports: Ports): SimulatedService {
    const { id, clock, random } = host.process;
    const { partitions, keepEntries } = this.#options.options;
    const { bus, log, store } = ports;
    const { keepShare, trimEveryMs, tickMs, watchesLogs } = this.#settings;
    const limits = { ...LIMITS, keepEntries, keepShare, trimEveryMs, tickMs };
    const onReport = (_: number, report: RunnerReport): void => this.#onReport(report);
    const node = new PersistenceNode({
      id,
      partitions,
      version: VERSION,
      bus,
      clock,
      createRunner: (p) => {
        const own = { ...limits, firstSeq: firstLogSeq(p, partitions) };
        return new ArchiveRunner(p, { log, store, bus, clock, random, onReport }, own);
      },
    });
    const pages = new PageCache(store, clock);
    const localWatermark = (p: number): ReturnType<PersistenceNode["watermarkOf"]> =>
      node.watermarkOf(p);
    const history = new HistoryServer({ bus, store, pages, localWatermark, clock });
    const watch = new LogWatch({ log, clock, assigned: () => node.assigned() });
    const revocations = { revoke: () => Promise.resolve("full" as const) };
    const sessions = new SessionServer({ bus, store: this.#sessions, revocations, clock });
    const { findings } = this.#options;
    const onLost = (): void => findings.count("sessions of a lost gateway ended");
    const reaper = new SessionReaper({ store: this.#sessions, clock, onLost });
    host.process.run(() => {
      history.start(partitions);
      node.start();
      sessions.start();
      reaper.start();
      if (watchesLogs) watch.start();
    });
    const leave = async (): Promise<void> => {
      watch.stop();
      reaper.stop();
      await node.leave();
      await history.stop();
      sessions.stop();
      await bus.flush();
    };
    const split = (count: number): void => {
      history.start(count);
      node.grow(count);
    };
    return { ...host, isLeaving: false, leave, split };
  }

  #onReport(report: RunnerReport): void {
    const { findings } = this.#options;
    if (report.kind === "moved") findings.count("archive runner overtaken");
    if (report.kind === "trimmed" && report.outcome === "ok") findings.count("log trimmed");
    if (report.kind === "hole" && report.lost) {
      findings.violation("D5", `the archive runner found a gap at ${report.watermark}`);
    }
    if (report.kind === "unread") findings.violation("I3", `unread entry: ${report.reason}`);
    if (report.kind === "wrote" && report.quarantined > 0) {
      findings.violation("I1", `${report.quarantined} events were quarantined`);
    }
  }
}
