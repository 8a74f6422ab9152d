// ScaleRun: one simulated cluster without faults, whose messages on the bus are counted: while no
// user sends, while users send, and after one room node has ended.
//
// Owns: the phases of the run. Does not own: the counts (bus-counter.ts), the users
// (scale-users.ts), the model (model.ts).
//
//   scale-run.1. The services have the intervals of production. Nothing is faster or smaller than
//        there, except for what `Size` says.
//   scale-run.2. A run depends only on its size and its seed.

import { partitionOf } from "#shared/protocol/ids.ts";
import type { Millis } from "#shared/protocol/ids.ts";
import { LIMITS } from "../../services/persistence/core/archiver-io.ts";
import { PING_MS } from "#shared/protocol/limits.ts";
import { SimulatedBroker } from "../sim/broker.ts";
import { SimulatedCluster } from "../sim/cluster.ts";
import type { ServiceSettings } from "../sim/cluster.ts";
import { withoutFaults } from "../sim/conditions.ts";
import { Database } from "../sim/database.ts";
import { forbidNondeterminism } from "../sim/determinism-guard.ts";
import { Findings } from "../sim/findings.ts";
import { LogServer } from "../sim/log-server.ts";
import { optionsOf } from "../sim/options.ts";
import { Scheduler } from "../sim/scheduler.ts";
import { SeededRng, STREAMS } from "../sim/seeded-rng.ts";
import { Trace } from "../sim/trace.ts";
import { BusCounter } from "./bus-counter.ts";
import type { Flows } from "./kinds.ts";
import { lightenNodes } from "./lighter-nodes.ts";
import { NO_FLOWS, plus, times } from "./model.ts";
import type { Cluster, Load, Lost } from "./model.ts";
import { ScaleUsers } from "./scale-users.ts";

export interface Size extends Cluster, Load {
  readonly seed: number;
  readonly roomsPerUser: number;
  readonly idleMs: Millis;
  readonly loadMs: Millis;
  /** All room nodes start at the same moment; default: one after the other. */
  readonly startsTogether?: boolean;
}

export interface ScaleResult {
  readonly size: Size;
  readonly users: number;
  /** Messages while the room nodes started, in all. */
  readonly start: Flows;
  /** Messages a second while no user sends. */
  readonly idle: Flows;
  /** Messages a second while users send, idle ones included. */
  readonly loaded: Flows;
  /** Messages in TAKE_OVER_MS after a room node has ended, idle ones included. */
  readonly takeOver: Flows;
  /** What that room node has served. */
  readonly lost: Lost;
  /** Chat messages a second in the second phase. */
  readonly messagesPerSecond: number;
  /** How long users sent, in virtual time. */
  readonly loadedMs: Millis;
  /** The whole run, in virtual time. */
  readonly virtualMs: Millis;
  readonly sent: number;
  readonly acked: number;
  readonly delivered: number;
  readonly findings: readonly string[];
  readonly fingerprint: string;
  readonly events: number;
}

export interface ScaleRunOptions {
  /** False: without the short cuts of lighter-nodes.ts. */
  readonly isLight?: boolean;
  /** Asked after each SLICE_MS of chat: true ends this phase early. Default: never. */
  readonly isOver?: () => boolean;
  /** Called after each phase. */
  readonly report?: (what: string) => void;
}

/** scale-run.1. */
const SETTINGS: ServiceSettings = {
  memoryMax: 256 * 1024 * 1024,
  keepShare: 0.5,
  trimEveryMs: LIMITS.trimEveryMs,
  tickMs: LIMITS.tickMs,
  pingMs: PING_MS,
  watchesLogs: true,
};
const KEEP_ENTRIES = 1_000;
/** Between two starts of room nodes: longer than LISTEN_MS, so that no two of them join at once. */
const START_GAP_MS = 500;
/** From the last start until every partition is served. */
const SERVING_MS = 10_000;
const CONNECT_MS = 10_000;
/** The last presence list follows 30 s after the last join. */
const SETTLED_MS = 60_000;
/** The last messages are delivered, archived, and their heads repeated. */
const DRAIN_MS = 5_000;
/** Between two questions whether the phase is over. */
const SLICE_MS = 10_000;
/** The last presence list follows 30 s after the last sync. */
export const TAKE_OVER_MS = 60_000;

/** The virtual time of a run beside `idleMs` and `loadMs`. */
export function fixedMs({ roomNodes }: Pick<Size, "roomNodes">): Millis {
  return START_GAP_MS * roomNodes + SERVING_MS + SETTLED_MS + DRAIN_MS + TAKE_OVER_MS;
}

export async function runScale(size: Size, options: ScaleRunOptions = {}): Promise<ScaleResult> {
  const scheduler = new Scheduler();
  const allow = forbidNondeterminism(() => scheduler.isInside);
  const restore = options.isLight === false ? () => undefined : lightenNodes();
  try {
    return await new ScaleRun(scheduler, size, options).run();
  } finally {
    restore();
    allow();
  }
}

class ScaleRun {
  readonly #size: Size;
  readonly #report: (what: string) => void;
  readonly #isOver: () => boolean;
  readonly #scheduler: Scheduler;
  readonly #findings = new Findings();
  readonly #counter = new BusCounter();
  readonly #trace: Trace;
  readonly #cluster: SimulatedCluster;
  readonly #users: ScaleUsers;

  constructor(scheduler: Scheduler, size: Size, { report, isOver }: ScaleRunOptions) {
    const { seed, partitions } = size;
    this.#size = size;
    this.#report = report ?? (() => undefined);
    this.#isOver = isOver ?? (() => false);
    this.#scheduler = scheduler;
    this.#trace = new Trace(() => scheduler.now);
    const findings = this.#findings;
    const common = { scheduler, conditions: withoutFaults(), trace: this.#trace, findings };
    const logs = new LogServer({ ...common, partitions, onTrim: () => undefined });
    const database = new Database({
      ...common,
      rng: new SeededRng(seed, STREAMS.database),
      onStored: () => undefined,
    });
    const broker = new SimulatedBroker({
      ...common,
      rng: new SeededRng(seed, STREAMS.broker),
      onRouted: (message) => this.#counter.onRouted(message),
    });
    this.#cluster = new SimulatedCluster({
      options: { ...optionsOf(seed), ...size, seed, keepEntries: KEEP_ENTRIES },
      broker,
      logs,
      database,
      findings,
      skewMs: () => 0,
      term: undefined,
      plantedBug: this.#counter.countPorts,
      settings: SETTINGS,
    });
    this.#users = new ScaleUsers({ ...size, broker, cluster: this.#cluster });
  }

  async run(): Promise<ScaleResult> {
    const { idleMs } = this.#size;
    const start = await this.#start();
    const idle = perSecond(await this.#pass("idle", idleMs, () => undefined), idleMs);
    const { counts, loadedMs } = await this.#load();
    const { sent } = this.#users;
    await this.#pass("drain", DRAIN_MS, () => undefined);
    this.#check();
    const lost = this.#lost();
    const takeOver = await this.#pass("take-over", TAKE_OVER_MS, () => this.#killRoomNode());
    return {
      size: this.#size,
      users: this.#users.users,
      start,
      idle,
      loaded: perSecond(counts, loadedMs),
      takeOver,
      lost,
      messagesPerSecond: (sent * 1_000) / loadedMs,
      loadedMs,
      virtualMs: this.#scheduler.now,
      sent,
      acked: this.#users.acked,
      delivered: this.#users.delivered,
      findings: this.#findings.list.map(({ invariant, detail }) => `${invariant}: ${detail}`),
      fingerprint: this.#trace.fingerprint,
      events: this.#scheduler.events,
    };
  }

  async #load(): Promise<{ readonly counts: Flows; readonly loadedMs: Millis }> {
    const { loadMs, messagesPerSecond } = this.#size;
    const until = this.#scheduler.now + loadMs;
    let counts = NO_FLOWS;
    let loadedMs = 0;
    while (loadedMs < loadMs && !this.#isOver()) {
      const ms = Math.min(SLICE_MS, loadMs - loadedMs);
      const begin = (): void => {
        if (loadedMs === 0) this.#users.send(messagesPerSecond, until);
      };
      counts = plus(counts, await this.#pass("load", ms, begin));
      loadedMs += ms;
    }
    this.#users.stop();
    return { counts, loadedMs };
  }

  async #start(): Promise<Flows> {
    const { gateways, roomNodes, persistence, startsTogether } = this.#size;
    const counts = await this.#pass("start", START_GAP_MS * roomNodes, () => {
      for (let i = 0; i < persistence; i++) this.#cluster.start("persistence");
      for (let i = 0; i < roomNodes; i++) {
        const at = startsTogether === true ? 0 : i * START_GAP_MS;
        this.#scheduler.after(at, () => this.#cluster.start("room"));
      }
    });
    await this.#pass("start of gateways", SERVING_MS, () => {
      for (let i = 0; i < gateways; i++) this.#cluster.start("gateway");
    });
    if (!this.#cluster.of("room").every(({ room }) => room?.isSettled === true)) {
      this.#findings.violation("scale-run", "not all partitions are served after the start");
    }
    await this.#pass("connect", SETTLED_MS, () => this.#users.connect(CONNECT_MS));
    if (this.#users.online < this.#users.users) {
      this.#findings.violation("scale-run", `${this.#users.online} users are online`);
    }
    return counts;
  }

  /** Every message was acknowledged, and every member received it once and in order. */
  #check(): void {
    const { sent, acked, delivered, wrong } = this.#users;
    const { members } = this.#size;
    if (acked === sent && delivered === sent * members && wrong === 0) return;
    this.#findings.violation(
      "scale-run",
      `${sent} sent, ${acked} acknowledged, ${delivered} delivered, ${wrong} of them wrong`,
    );
  }

  #lost(): Lost {
    const [node] = this.#cluster.of("room");
    const owned = new Set(Object.keys(node?.room?.owns() ?? {}).map(Number));
    const { partitions } = this.#size;
    const rooms = this.#users.rooms.filter((room) => owned.has(partitionOf(room, partitions)));
    return { partitions: owned.size, rooms: rooms.length };
  }

  #killRoomNode(): void {
    const [node] = this.#cluster.of("room");
    if (node !== undefined) this.#cluster.kill(node, false);
  }

  /** Messages within `ms` of virtual time. */
  async #pass(name: string, ms: Millis, begin: () => void): Promise<Flows> {
    const before = this.#counter.flows;
    this.#scheduler.after(0, begin);
    await this.#scheduler.runUntil(this.#scheduler.now + ms);
    const { flows } = this.#counter;
    this.#report(name);
    return plus(flows, times(before, -1));
  }
}

function perSecond(counts: Flows, ms: Millis): Flows {
  return times(counts, 1_000 / ms);
}
