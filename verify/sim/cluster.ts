// Cluster: the product's own processes, built as their main.ts builds them, on simulated ports.
//
// Owns: which processes there are, how each kind is put together, killed and asked to leave. Does
// not own: what happens to them and when (fault-injector.ts).
//
//   sim/cluster.1. Nothing of a process survives it: a new one gets a new name and empty memory. What lasts
//        is the log and the database.
//   sim/cluster.2. Services are built from the very classes that their main.ts uses; only ports differ.

import { openArchiveReader } from "#shared/adapters/archive-over-bus.ts";
import type { ProcessId, UserId } from "#shared/protocol/ids.ts";
import type { Bus } from "#shared/ports/bus.ts";
import type { PartitionLog } from "#shared/ports/log.ts";
import type { ArchiveReader, ArchiveStore } from "#shared/ports/archive.ts";
import { Gateway } from "../../services/gateway/runtime/gateway.ts";
import type { Authenticator } from "../../services/gateway/core/identity.ts";
import type { FrameMaker } from "../../services/gateway/runtime/client-socket.ts";
import { HistoryServer } from "../../services/persistence/adapters/history-server.ts";
import { PageCache } from "../../services/persistence/adapters/page-cache.ts";
import { LIMITS } from "../../services/persistence/core/archiving.ts";
import { PersistenceNode } from "../../services/persistence/runtime/persistence-node.ts";
import { ArchiveRunner } from "../../services/persistence/runtime/archive-runner.ts";
import type { WorkerReport } from "../../services/persistence/runtime/archive-runner.ts";
import { RoomNode } from "../../services/room/runtime/room-node.ts";
import { SimBus } from "./bus.ts";
import { SimStore } from "./database.ts";
import type { Database } from "./database.ts";
import { Dice } from "./seeded-rng.ts";
import type { Findings } from "./findings.ts";
import { SimLog } from "./log.ts";
import type { LogServer } from "./log-server.ts";
import type { Net } from "./broker.ts";
import type { Options } from "./options.ts";
import { SimProcess } from "./process.ts";
import type { ProcessKind } from "./process.ts";

export type ServiceKind = Exclude<ProcessKind, "client">;

export interface Member {
  readonly process: SimProcess;
  readonly bus: SimBus;
  readonly gateway?: Gateway;
  readonly room?: RoomNode;
  isLeaving: boolean;
  /** Resolves when it has handed everything over. */
  leave(): Promise<void>;
}

/** What a planted bug changes: the ports of one kind of process (planted-bugs.ts). */
export interface Ports {
  readonly bus: Bus;
  readonly log: PartitionLog;
  readonly archive: ArchiveReader;
  readonly store: ArchiveStore;
  readonly frames: FrameMaker;
}

export type Plant = (kind: ServiceKind, ports: Ports) => Ports;

export interface ClusterOptions {
  readonly options: Options;
  readonly net: Net;
  readonly logs: LogServer;
  readonly database: Database;
  readonly findings: Findings;
  readonly skewMs: () => number;
  readonly plant: Plant;
}

const VERSION = "sim";
/** Small enough that some seeds read entries back (architecture.md, "Archive"). */
const MEMORY_MAX = 100_000;
/** A trim is considered this often; the product's own pace would never show in a run. */
const TRIM_EVERY_MS = 1_000;
const TICK_MS = 1_000;
/** Shorter than in production, so that a half-open socket is found within a short run. */
const PING_MS = 4_000;
const PREFIX: Readonly<Record<ServiceKind, string>> = {
  gateway: "gw",
  room: "room",
  persistence: "pers",
};

/** A token is the user's name. */
const nameTokens: Authenticator = {
  verify: (token) =>
    Promise.resolve({
      kind: "ok",
      identity: { user: token as UserId, admin: false, expiresAt: Infinity },
    }),
};

/** A frame here is its text; the bytes of RFC 6455 have tests of their own. */
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

export class Cluster {
  readonly #options: ClusterOptions;
  readonly #members: Member[] = [];
  #count = 0;

  constructor(options: ClusterOptions) {
    this.#options = options;
  }

  /** Those that live; one that leaves counts until it is gone. */
  of(kind: ServiceKind): readonly Member[] {
    return this.#members.filter(({ process }) => process.kind === kind);
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  start(kind: ServiceKind): Member {
    const { net, skewMs, findings, options } = this.#options;
    const number = ++this.#count;
    const id = `${PREFIX[kind]}-${number}` as ProcessId;
    const process = this.createProcess(kind, id);
    process.jump(skewMs());
    const bus = new SimBus(net, process);
    bus.onStatus((status) => {
      if (status === "disconnected") findings.saw("bus connection lost");
    });
    net.options.trace.add(`start ${id} seed ${options.seed}`);
    const ports = this.#options.plant(kind, this.#ports(process, bus));
    const member = this.#build(kind, { process, bus }, ports);
    this.#members.push(member);
    process.onDeath(() => this.#members.splice(this.#members.indexOf(member), 1));
    return member;
  }

  createProcess(kind: ProcessKind, id: ProcessId): SimProcess {
    const { net, findings, options } = this.#options;
    const { scheduler, trace } = net.options;
    return new SimProcess({
      id,
      kind,
      scheduler,
      random: new Dice(options.seed, `process ${id}`).random,
      skewMs: 0,
      onThrow: (_, error) => {
        const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
        trace.add(`throw in ${id}`);
        findings.broken("throw", `${id}: ${reason}`);
      },
    });
  }

  /** kill -9. `vanishes`: the host is gone, and the server does not know it yet. */
  kill(member: Member, vanishes: boolean): void {
    const { trace } = this.#options.net.options;
    trace.add(`kill ${member.process.id}${vanishes ? ", host and all" : ""}`);
    member.process.die();
    member.bus.vanish(vanishes ? 3_000 : 1);
    this.#options.findings.saw("process killed");
  }

  leave(member: Member): void {
    if (member.isLeaving) return;
    member.isLeaving = true;
    const { net, findings } = this.#options;
    const { process, bus } = member;
    net.options.trace.add(`leave ${process.id}`);
    process.run(() => {
      void member.leave().then(() => {
        net.options.trace.add(`left ${process.id}`);
        findings.saw("process left in good order");
        process.die();
        bus.vanish(1);
      });
    });
  }

  #ports(process: SimProcess, bus: SimBus): Ports {
    const { net, logs: server, database } = this.#options;
    return {
      bus,
      log: new SimLog({ ...net.options, bus, server }),
      archive: openArchiveReader(bus),
      store: new SimStore(database, process),
      frames: plainFrames,
    };
  }

  #build(kind: ServiceKind, at: { process: SimProcess; bus: SimBus }, ports: Ports): Member {
    if (kind === "gateway") return this.#gateway(at, ports);
    if (kind === "room") return this.#room(at, ports);
    return this.#persistence(at, ports);
  }

  #gateway(at: { process: SimProcess; bus: SimBus }, ports: Ports): Member {
    const { id, clock, random } = at.process;
    const { partitions } = this.#options.options;
    const gateway = new Gateway(
      { id, partitions, version: VERSION, limits: false, pingMs: PING_MS },
      { ...ports, clock, random, auth: nameTokens, report: () => undefined },
    );
    at.process.run(() => gateway.start());
    return { ...at, gateway, isLeaving: false, leave: () => gateway.drain() };
  }

  #room(at: { process: SimProcess; bus: SimBus }, ports: Ports): Member {
    const { id, clock } = at.process;
    const { partitions } = this.#options.options;
    const { findings } = this.#options;
    const room = new RoomNode(
      { id, partitions, version: VERSION, memoryMax: MEMORY_MAX },
      {
        ...ports,
        clock,
        report: (event) => {
          if (event === "partition fenced") findings.saw("stale owner refused");
        },
        fault: (error) => {
          findings.broken(
            "throw",
            `${id}: ${error instanceof Error ? error.stack : String(error)}`,
          );
          at.process.die();
        },
      },
    );
    at.process.run(() => room.start());
    return { ...at, room, isLeaving: false, leave: () => room.leave() };
  }

  #persistence(at: { process: SimProcess; bus: SimBus }, ports: Ports): Member {
    const { id, clock, random } = at.process;
    const { partitions, keepEntries } = this.#options.options;
    const { bus, log, store } = ports;
    const limits = {
      ...LIMITS,
      keepEntries,
      keepShare: 0,
      trimEveryMs: TRIM_EVERY_MS,
      tickMs: TICK_MS,
    };
    const onReport = (_: number, report: WorkerReport): void => this.#onReport(report);
    const node = new PersistenceNode({
      id,
      partitions,
      version: VERSION,
      bus,
      clock,
      createWorker: (p) =>
        new ArchiveRunner(p, { log, store, bus, clock, random, onReport }, limits),
    });
    const pages = new PageCache(store);
    const known = (p: number): ReturnType<PersistenceNode["known"]> => node.known(p);
    const history = new HistoryServer({ bus, store, pages, known });
    at.process.run(() => {
      history.start(partitions);
      node.start();
    });
    const leave = async (): Promise<void> => {
      await node.leave();
      history.stop();
      await bus.flush();
    };
    return { ...at, isLeaving: false, leave };
  }

  #onReport(report: WorkerReport): void {
    const { findings } = this.#options;
    if (report.kind === "moved") findings.saw("archive worker overtaken");
    if (report.kind === "trimmed" && report.outcome === "ok") findings.saw("log trimmed");
    if (report.kind === "hole" && report.lost) {
      findings.broken("D5", `the archive found a hole at ${report.watermark}`);
    }
    if (report.kind === "unread") findings.broken("I3", `unread entry: ${report.reason}`);
    if (report.kind === "wrote" && report.quarantined > 0) {
      findings.broken("I1", `${report.quarantined} events were quarantined`);
    }
  }
}
