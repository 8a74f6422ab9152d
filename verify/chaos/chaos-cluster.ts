// ChaosCluster: the cluster of a chaos run, with all that a fault reads from it or does to it.
//
// Owns: the administrator's NATS connection, the owners of the partitions (from the beats), the
// memory samples, the bounds of the logs. Does not own: the order of the steps (run.ts).

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import type { JetStreamManager, StreamInfo } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { connectNats } from "#shared/adapters/nats-connect.ts";
import { PartitionMap } from "#shared/protocol/partition-map.ts";
import { splitPartitions } from "#client/cli/partitions.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { decodeBeat } from "#shared/protocol/beat.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { until } from "#shared/testing/wait.ts";
import { archivedThrough } from "../dumps/dump.ts";
import type { FaultScope, RunRecord } from "../checker/record.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import type { HookReceiver } from "./hook-receiver.ts";
import type { LoadProcess } from "./load-process.ts";
import type { Network } from "./network.ts";
import type { TwoVersions } from "./two-versions.ts";
import { runNow } from "./run-clock.ts";

export interface ChaosClusterOptions {
  readonly cluster: Cluster;
  readonly load: LoadProcess;
  readonly network: Network;
  /** At the begin of the run. */
  readonly partitions: number;
  readonly rooms: readonly RoomId[];
  readonly logBytesMax: number;
  readonly sleepers: number;
  /** Undefined with another version, which sends no webhooks. */
  readonly hooks: HookReceiver | undefined;
  readonly versions: TwoVersions | undefined;
  /** Preloaded into a service to give it a wrong clock; undefined when it is not installed. */
  readonly fakeTimeLibrary: string | undefined;
}

type RoomsScope = Extract<FaultScope, { kind: "rooms" }>;

export interface GatewayCounters {
  readonly slowDemoted: number;
  readonly holesRepaired: number;
}

/** 14,000 log lines of about 130 bytes: 1.8 MB in each process. */
const NOISE_BURSTS = 35;
const NOISE_BURST = 400;
const NOISE_EVERY_MS = 150;
const SCRAPE_WITHIN_MS = 1_000;
/** A log that elects its leader on a busy machine answers late. After this time the run ends. */
const LOG_ANSWER_WITHIN_MS = 120_000;
/** The bound of the resident memory of a process by role, in MiB (I12). */
const MIB_MAX: Readonly<Record<string, number>> = {
  gateway: 768,
  room: 768,
  persistence: 768,
  webhooks: 512,
};

export class ChaosCluster {
  readonly #options: ChaosClusterOptions;
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;
  /** Gateway process → its last scraped counters. A crashed process keeps its entry. */
  readonly #gateways = new Map<number, GatewayCounters>();
  /** Node id → the partitions of its newest beat. */
  readonly #owns = new Map<string, ReadonlySet<number>>();
  /** By partition: the newest epoch, and the version of its owner. */
  readonly #epochs = new Map<number, { readonly epoch: number; readonly version: string }>();
  /** New tenures of all partitions, as far as beats report them. */
  tenures = 0;
  readonly #map: PartitionMap;
  #logs: number;
  #changedAt = 0;

  private constructor(
    options: ChaosClusterOptions,
    connection: NatsConnection,
    manager: JetStreamManager,
  ) {
    this.#options = options;
    this.#map = new PartitionMap(options.partitions);
    this.#logs = options.partitions;
    this.#connection = connection;
    this.#manager = manager;
    connection.subscribe(subjects.beat("room"), {
      callback: (_, message) => {
        const beat = decodeBeat(message.string());
        if (beat === undefined) return;
        const owns = Object.entries(beat.owns ?? {}).map(
          ([p, epoch]) => [Number(p), epoch] as const,
        );
        this.#owns.set(beat.id, new Set(owns.map(([p]) => p)));
        for (const [p] of owns) this.#map.learn(p);
        for (const [p, epoch] of owns) this.#onEpoch(p, { epoch, version: beat.version });
      },
    });
  }

  static async open(options: ChaosClusterOptions): Promise<ChaosCluster> {
    const connection = await connectNats({
      ...options.cluster.natsAccess,
      name: "chaos",
      inboxPrefix: "_INBOX_admin",
    });
    return new ChaosCluster(options, connection, await jetstreamManager(connection));
  }

  get cluster(): Cluster {
    return this.#options.cluster;
  }
  get load(): LoadProcess {
    return this.#options.load;
  }
  get network(): Network {
    return this.#options.network;
  }
  get logBytesMax(): number {
    return this.#options.logBytesMax;
  }

  get hooks(): HookReceiver | undefined {
    return this.#options.hooks;
  }

  get sleepers(): number {
    return this.#options.sleepers;
  }

  /** The processes of a role: "gateway" → gateway-1, gateway-2. */
  names(role: string): string[] {
    return this.cluster.names.filter((name) => name.startsWith(`${role}-`));
  }

  /** The rooms of the partitions that the last beat of a node lists. */
  roomsOf(node: string): RoomsScope {
    const { rooms } = this.#options;
    const owned = this.#owns.get(this.cluster.idOf(node) ?? "") ?? new Set();
    return {
      kind: "rooms",
      rooms: rooms.filter((room) => owned.has(this.#map.partitionOf(room))),
    };
  }

  #onEpoch(p: number, tenure: { readonly epoch: number; readonly version: string }): void {
    const before = this.#epochs.get(p);
    if (tenure.epoch <= (before?.epoch ?? 0)) return;
    if (before !== undefined) {
      this.tenures++;
      this.#options.versions?.passed(before.version, tenure.version);
    }
    this.#changedAt = runNow();
    this.#epochs.set(p, tenure);
  }

  /** Milliseconds since a partition last changed its owner. */
  get settledMs(): number {
    return runNow() - this.#changedAt;
  }

  /** The number of logs. A split that was begun has created all of its logs. */
  get logs(): number {
    return this.#logs;
  }

  /** Doubles the partitions. Resolves when all are served. */
  async split(): Promise<void> {
    await splitPartitions(this.cluster.natsAccess, {}, (line) => {
      const into = /^splitting into (\d+) /.exec(line)?.[1];
      if (into !== undefined) this.#logs = Number(into);
    });
  }

  /** The NATS server that leads the most logs. */
  async leader(): Promise<string> {
    const leads = new Map<string, number>();
    for (let p = 0; p < this.#logs; p++) {
      const { cluster } = await this.#infoOf(p);
      const leader = cluster?.leader ?? "";
      leads.set(leader, (leads.get(leader) ?? 0) + 1);
    }
    const [most] = [...leads].sort(([, a], [, b]) => b - a);
    return most?.[0] ?? "";
  }

  /** Sets `max_bytes` of every log from its current size. */
  async boundLogs(bytesMax: (held: number) => number): Promise<void> {
    for (let p = 0; p < this.#logs; p++) {
      const { state } = await this.#infoOf(p);
      await this.#manager.streams.update(subjects.stream(p), { max_bytes: bytesMax(state.bytes) });
    }
  }

  /**
   * Every service logs each invalid control message. These are more lines than a pipe and the log
   * queue hold.
   */
  async makeNoise(): Promise<void> {
    for (let burst = 0; burst < NOISE_BURSTS; burst++) {
      for (let i = 0; i < NOISE_BURST; i++) {
        this.#connection.publish(subjects.control("status"), "noise");
      }
      await this.#connection.flush();
      await sleep(NOISE_EVERY_MS);
    }
  }

  /** The last log sequence of each partition. */
  async lasts(): Promise<number[]> {
    const lasts: number[] = [];
    for (let p = 0; p < this.#logs; p++) {
      lasts.push((await this.#infoOf(p)).state.last_seq);
    }
    return lasts;
  }

  /** Asks again while NATS does not answer: the faults of the run end its answers for a while. */
  async #infoOf(p: number): Promise<StreamInfo> {
    let info: StreamInfo | undefined;
    await until(
      async () => {
        info = await this.#manager.streams.info(subjects.stream(p)).catch(() => undefined);
        return info !== undefined;
      },
      { withinMs: LOG_ANSWER_WITHIN_MS, what: `NATS to describe the log of partition ${p}` },
    );
    if (info === undefined) throw new Error(`NATS did not describe the log of partition ${p}`);
    return info;
  }

  /**
   * How many entries up to `lasts` the archive lacks; Infinity while PostgreSQL does not answer.
   */
  async backlog(lasts: readonly number[]): Promise<number> {
    try {
      const watermarks = await archivedThrough(this.cluster.databaseUrl);
      return lasts.reduce((sum, last, p) => sum + Math.max(0, last - (watermarks.get(p) ?? 0)), 0);
    } catch {
      return Infinity;
    }
  }

  fakeClock(hours: number): NodeJS.ProcessEnv {
    return {
      LD_PRELOAD: this.#options.fakeTimeLibrary,
      FAKETIME: `${hours > 0 ? "+" : ""}${hours}h`,
      // Only the wall clock is wrong; timers work.
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
  }

  samples(): RunRecord[] {
    const { gateways, rooms, persistence, webhooks = [] } = this.cluster.info();
    return [...gateways, ...rooms, ...persistence, ...webhooks].flatMap(({ name, pid }) => {
      const mib = residentMib(pid);
      const mibMax = MIB_MAX[name.replace(/-\d+$/, "")] ?? 0;
      return mib === undefined ? [] : [{ t: runNow(), op: "sample", process: name, mib, mibMax }];
    });
  }

  /** The gateways' counters of slow readers and repaired gaps: a lower bound. */
  get gatewayCounters(): GatewayCounters {
    const all = [...this.#gateways.values()];
    return {
      slowDemoted: all.reduce((sum, { slowDemoted }) => sum + slowDemoted, 0),
      holesRepaired: all.reduce((sum, { holesRepaired }) => sum + holesRepaired, 0),
    };
  }

  async scrape(): Promise<void> {
    const { gateways } = this.cluster.info();
    await Promise.all(
      gateways.map(async ({ pid, metrics }) => {
        const counters = await readCounters(metrics);
        if (counters !== undefined) this.#gateways.set(pid, counters);
      }),
    );
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }
}

/** Undefined while the gateway does not answer, as under many faults. */
async function readCounters(url: string): Promise<GatewayCounters | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(SCRAPE_WITHIN_MS) });
    const text = await response.text();
    const value = (name: string): number =>
      Number(new RegExp(`^${name} (\\S+)`, "m").exec(text)?.[1] ?? 0);
    return {
      slowDemoted: value("parley_gateway_slow_readers_total"),
      holesRepaired: value("parley_gateway_holes_total"),
    };
  } catch {
    return undefined;
  }
}

function residentMib(pid: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024);
  } catch {
    return undefined; // The process exited.
  }
}
