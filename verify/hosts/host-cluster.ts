// HostCluster: the clients of a cluster on hosts, and the judgement of their record.

import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { until } from "#shared/testing/wait.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { encodeRecord } from "../checker/record.ts";
import { checkFolder, FILES } from "../checker/folder.ts";
import type { Report } from "../checker/check.ts";
import { LoadProcess } from "../chaos/load-process.ts";
import { HookReceiver } from "../chaos/hook-receiver.ts";
import { runNow } from "../chaos/run-clock.ts";
import { saveDumps } from "../chaos/saved-dumps.ts";
import { GROUPS, PARTITIONS } from "./inventory.ts";
import { GATEWAY_ADDRESS } from "./lab.ts";
import type { Lab, LabHost } from "./lab.ts";

const JOINED_WITHIN_MS = 120_000;
const DRAINED_WITHIN_MS = 180_000;
const QUIET_MS = 10_000;
/**
 * An old id waits for the archive, and the later sends of its sender wait behind it. So that the
 * longest wait of a room is not the wait of such a sender, only one client sends old ids.
 */
const LOAD = {
  seed: 1,
  rooms: 12,
  perRoom: 2,
  roomsPerClient: 4,
  rate: 40,
  oldIdClients: 1,
} as const;
const GATEWAY_PORT = 8080;
/** A back end gets the events of these rooms. */
const HOOKED = Array.from({ length: 4 }, (_, i) => `room-${i}` as RoomId);

interface Options {
  /** The record and the dumps. */
  readonly folder: string;
  readonly adminSeed: string;
  readonly databasePassword: string;
}

export class HostCluster {
  readonly #lab: Lab;
  readonly #options: Options;
  /** The host of the primary of PostgreSQL; a failover changes it. */
  primary: string = GROUPS.postgres_primary[0];
  #load: LoadProcess | undefined;
  #receiver: HookReceiver | undefined;
  /** The file of records, which the generator appends to, too. */
  #records: number | undefined;

  constructor(lab: Lab, options: Options) {
    this.#lab = lab;
    this.#options = options;
  }

  host(name: string): LabHost {
    const found = this.#lab.hosts.find((host) => host.name === name);
    if (found === undefined) throw new Error(`no host ${name}`);
    return found;
  }

  databaseUrl(name: string): string {
    const { address } = this.host(name);
    return `postgres://parley:${this.#options.databasePassword}@${address}:5432/parley`;
  }

  get gatewayUrls(): string[] {
    return this.#gateways.map(({ url }) => url);
  }

  get #gateways(): { readonly name: string; readonly url: string }[] {
    return GROUPS.gateways.map((name) => ({
      name,
      url: `http://${this.host(name).address}:${GATEWAY_PORT}`,
    }));
  }

  /**
   * Subscribes the receiver of webhooks, and begins the load. Resolves when all clients have joined
   * their rooms.
   */
  async startLoad(): Promise<void> {
    rmSync(this.#options.folder, { recursive: true, force: true });
    mkdirSync(this.#options.folder, { recursive: true });
    const file = join(this.#options.folder, FILES.records);
    const records = openSync(file, "a");
    this.#records = records;
    const http = this.#gateways[0]?.url ?? "";
    this.#receiver = new HookReceiver(
      (record) => writeSync(records, `${encodeRecord(record)}\n`),
      GATEWAY_ADDRESS,
    );
    await this.#receiver.subscribe(http, HOOKED); // Before the first event.
    const load = new LoadProcess();
    this.#load = load;
    const endpoints = this.#gateways.map(({ name, url }) => ({
      name,
      url: new URL("/v1/ws", url.replace("http", "ws")).href,
    }));
    load.open({ ...LOAD, endpoints, file }, http);
    await until(() => load.state.isJoined, {
      withinMs: JOINED_WITHIN_MS,
      what: "every client to join its rooms",
    });
    load.start();
  }

  /** Resolves when the rooms take messages again: new acknowledgements, and no room waits. */
  async calm(): Promise<void> {
    const load = this.#running();
    const from = load.reports;
    const isCalm = (): boolean =>
      load.reports > from + 1 &&
      load.state.pending < LOAD.rate * 2 &&
      load.state.quietMs < 3_000 &&
      load.state.isJoined;
    await until(isCalm, { withinMs: DRAINED_WITHIN_MS, what: "the clients to have no backlog" });
  }

  /** The longest time since the last acknowledgement of a room while `run` runs. */
  async longestWait<T>(
    run: () => Promise<T>,
  ): Promise<{ readonly result: T; readonly ms: number }> {
    const load = this.#running();
    let ms = 0;
    const watch = setInterval(() => (ms = Math.max(ms, load.state.quietMs)), 50);
    try {
      const result = await run();
      await this.calm();
      return { result, ms };
    } finally {
      clearInterval(watch);
    }
  }

  /**
   * Ends the load, waits until the receiver has every event, dumps what the cluster stores, and
   * judges the record.
   */
  async judge(): Promise<Report> {
    const load = this.#running();
    load.finish();
    const from = load.reports;
    await until(() => load.reports > from + 2 && load.state.pending === 0 && load.state.isJoined, {
      withinMs: DRAINED_WITHIN_MS,
      what: "every send to be acknowledged",
    });
    const end = runNow() + QUIET_MS; // Presence must be right at the end of the run.
    await until(() => runNow() > end, { withinMs: 2 * QUIET_MS, what: "presence to settle" });
    const { surprises } = load.state;
    await this.#receiver?.caughtUp();
    const { forged = 0 } = this.#receiver ?? {};
    if (forged > 0) throw new Error(`${forged} webhooks had no valid signature`);
    await this.#load?.end();
    const mark = encodeRecord({ t: runNow(), op: "mark", what: "end" });
    writeSync(this.#records ?? -1, `${mark}\n`);
    await this.endLoad();
    await saveDumps(this.#options.folder, { cluster: this.#stored(), partitions: PARTITIONS });
    if (surprises.length > 0) throw new Error(`unexpected answers: ${surprises.join("; ")}`);
    return checkFolder(this.#options.folder);
  }

  async endLoad(): Promise<void> {
    await this.#load?.end();
    this.#load = undefined;
    await this.#receiver?.close();
    this.#receiver = undefined;
    if (this.#records !== undefined) closeSync(this.#records);
    this.#records = undefined;
  }

  #running(): LoadProcess {
    if (this.#load === undefined) throw new Error("no load runs");
    return this.#load;
  }

  #stored(): Parameters<typeof saveDumps>[1]["cluster"] {
    const servers = GROUPS.nats.map((name) => `nats://${this.host(name).address}:4222`);
    const { adminSeed: nkeyFile } = this.#options;
    return {
      natsAccess: { url: servers.join(","), nkeyFile },
      databaseUrl: this.databaseUrl(this.primary),
      url: this.#gateways[0]?.url ?? "",
    };
  }
}
