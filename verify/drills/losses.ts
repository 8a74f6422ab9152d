// Losses: what the restore drill and its test do to a cluster, and how the cluster recovers.
//
// The cluster has a PostgreSQL outside of it, so that a loss can hit PostgreSQL alone. NATS is the
// embedded cluster's own; after a loss it restarts empty, like a server with a new disk. Each loss
// ends with a comparison of all ledgers with the archive. Durations are in ms.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { Client } from "pg";
import { connectNats } from "#shared/adapters/nats-connect.ts";
import { findLogs } from "#shared/adapters/nats-restore.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import type { PostgresServer } from "#shared/testing/launch-postgres.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import { until } from "#shared/testing/wait.ts";
import { archivedThrough, dumpArchive } from "../dumps/dump.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { NATS_DIRS } from "#infra/embedded/launches.ts";
import { freePorts } from "#infra/embedded/ports.ts";
import type { RestoreMode } from "#infra/embedded/restore-at-start.ts";
import { REPOSITORY } from "#infra/embedded/service-process.ts";
import { putBack, takeBackup } from "./base-backup.ts";
import { LedgerClients } from "./ledger-clients.ts";
import type { Finding } from "./ledger-clients.ts";

export interface LossOptions {
  readonly dataDir: string;
  readonly rooms: readonly RoomId[];
  readonly partitions: number;
  /** Acknowledged messages before each step. */
  readonly acked: number;
  readonly say: (line: string) => void;
}

export interface Outcome extends Finding {
  /** Named durations in the order of the steps. */
  readonly took: Readonly<Record<string, number>>;
  /** Rooms that have another birth than before. */
  readonly recreated: readonly RoomId[];
}

const WITHIN_MS = 90_000;

export class LossyCluster implements AsyncDisposable {
  readonly #options: LossOptions;
  readonly #postgres: PostgresServer;
  readonly #port: number;
  #cluster: Cluster;
  readonly clients: LedgerClients;

  static async open(options: LossOptions): Promise<LossyCluster> {
    const dir = join(options.dataDir, "external-postgres");
    const postgres = await launchPostgres({ dir, embedded: true });
    const [port = 0] = await freePorts(1);
    const cluster = await start(options, postgres, port);
    const clients = await LedgerClients.open(cluster.url, options.rooms);
    return new LossyCluster(options, { postgres, port, cluster, clients });
  }

  private constructor(
    options: LossOptions,
    parts: { postgres: PostgresServer; port: number; cluster: Cluster; clients: LedgerClients },
  ) {
    this.#options = options;
    this.#postgres = parts.postgres;
    this.#port = parts.port;
    this.#cluster = parts.cluster;
    this.clients = parts.clients;
  }

  /**
   * PostgreSQL loses its folder. It is restored from a backup, and the logs have the later events.
   */
  async losePostgres(): Promise<Outcome> {
    const { clients } = this;
    const { acked, dataDir } = this.#options;
    const [backup, { dir, url }] = [join(dataDir, "backup"), this.#postgres];
    clients.send();
    await clients.ackedMore(acked);
    const births = await this.#births();
    const copying = performance.now();
    await takeBackup(url, dir, backup);
    const copied = performance.now();
    await clients.ackedMore(acked);
    const lost = performance.now();
    this.#postgres.kill();
    await this.#postgres.exited();
    rmSync(dir, { recursive: true, force: true });
    await clients.ackedMore(acked); // Clients get acknowledgements without PostgreSQL.
    const restoring = performance.now();
    await putBack(backup, dir);
    await this.#postgres.restart();
    const up = performance.now();
    const target = clients.acked;
    await this.#archived(target);
    const done = performance.now();
    rmSync(backup, { recursive: true, force: true });
    return {
      ...(await this.#compare(births)),
      took: {
        backup: ms(copied - copying),
        "lost until restoring": ms(restoring - lost),
        "restoring until PostgreSQL serves": ms(up - restoring),
        "then until all is archived": ms(done - up),
      },
    };
  }

  /** NATS loses all data after a planned stop of the cluster. */
  async loseLogsAfterStop(): Promise<Outcome> {
    const { clients } = this;
    clients.send();
    await clients.ackedMore(this.#options.acked);
    await clients.stopSending();
    const births = await this.#births();
    await this.#cluster.stop();
    this.#removeLogs();
    const refusing = performance.now();
    const refusal = await this.#start("no").catch((error: unknown) => String(error));
    if (typeof refusal !== "string")
      throw new Error("make start did not refuse to start without its logs");
    this.#options.say(refusal);
    const starting = performance.now();
    this.#cluster = await this.#start("logs-intact"); // RESTORE=logs-intact make start
    const started = performance.now();
    clients.send();
    const back = await clients.back(started);
    return {
      ...(await this.#compare(births)),
      took: {
        "until make start reports the loss": ms(starting - refusing),
        "RESTORE=logs-intact make start": ms(started - starting),
        "then until the first room is served": back.first,
        "then until every room is served": back.last,
      },
    };
  }

  /** NATS loses all data while some messages are in the logs only. */
  async loseLogsUnderLoad(): Promise<Outcome> {
    const { clients } = this;
    const { acked } = this.#options;
    clients.send();
    await clients.ackedMore(acked);
    const births = await this.#births();
    this.#cluster.pause("persistence-1");
    await clients.ackedMore(acked);
    const lost = performance.now();
    const killed = this.#cluster.kill("nats-1");
    this.#removeLogs();
    await killed;
    this.#removeLogs(); // Files that it wrote meanwhile.
    await until(() => this.#cluster.pid("nats-1") !== undefined, {
      withinMs: WITHIN_MS,
      what: "NATS to run again, empty",
    });
    this.#cluster.resume("persistence-1");
    const restoring = performance.now();
    await this.#restore("--archive-intact", "--yes");
    const restored = performance.now();
    const back = await clients.back(restored);
    return {
      ...(await this.#compare(births)),
      took: {
        "lost until NATS runs again, empty": ms(restoring - lost),
        "parley restore logs": ms(restored - restoring),
        "then until the first room is served": back.first,
        "then until every room is served": back.last,
      },
    };
  }

  /** PostgreSQL is restored from a backup that is older than the first entries of the logs. */
  async losePostgresTooLate(): Promise<Outcome> {
    const { clients } = this;
    const { acked, dataDir, partitions } = this.#options;
    const [backup, { dir, url }] = [join(dataDir, "backup"), this.#postgres];
    clients.send();
    await takeBackup(url, dir, backup);
    await clients.ackedMore(acked);
    const births = await this.#births();
    await this.#archived(clients.acked);
    await this.#withNats((connection) => trimArchived(connection, partitions, this.#watermarks()));
    this.#postgres.kill();
    await this.#postgres.exited();
    await putBack(backup, dir);
    await this.#postgres.restart();
    rmSync(backup, { recursive: true, force: true });
    const restoring = performance.now();
    if (await this.#restore("--yes"))
      throw new Error("parley restore logs replaced logs that have entries");
    const discard = Array.from({ length: partitions }, (_, p) => p).join(",");
    await this.#restore("--discard", discard, "--yes");
    const restored = performance.now();
    const back = await clients.back(restored);
    return {
      ...(await this.#compare(births)),
      took: {
        "parley restore logs, refused and then with --discard": ms(restored - restoring),
        "then until the first room is served": back.first,
        "then until every room is served": back.last,
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.clients[Symbol.dispose]();
    await this.#cluster.stop();
    await this.#postgres.stop();
    const { dir } = this.#postgres; // It may be in another place that PostgreSQL's user can access.
    for (const path of [dir, `${dir}.log`]) rmSync(path, { recursive: true, force: true });
  }

  #start(restore: RestoreMode): Promise<Cluster> {
    return start(this.#options, this.#postgres, this.#port, restore);
  }

  #removeLogs(): void {
    for (const folder of NATS_DIRS[1]) {
      rmSync(join(this.#options.dataDir, folder, "jetstream"), { recursive: true, force: true });
    }
  }

  /** Runs `parley restore logs` as an operator does. Returns whether it succeeded. */
  async #restore(...flags: string[]): Promise<boolean> {
    const { url, nkeyFile = "" } = this.#cluster.natsAccess;
    const where = ["--nats", url, "--nats-nkey", nkeyFile, "--database", this.#postgres.url];
    const child = spawn(
      process.execPath,
      ["client/cli/parley.ts", ...where, "restore", "logs", ...flags],
      { cwd: REPOSITORY, stdio: ["ignore", "pipe", "inherit"] },
    );
    for await (const line of createInterface(child.stdout)) this.#options.say(`  ${line}`);
    if (child.exitCode === null) await once(child, "exit");
    return child.exitCode === 0;
  }

  async #compare(births: ReadonlyMap<string, string>): Promise<Omit<Outcome, "took">> {
    const { clients } = this;
    await clients.ackedMore(this.#options.acked);
    await clients.stopSending();
    const lasts = await this.#logEnds();
    await until(
      async () => {
        const watermarks = await this.#watermarks();
        return lasts.every((last, p) => (watermarks.get(p) ?? 0) >= last);
      },
      { withinMs: WITHIN_MS, what: "the archive to have the whole log" },
    );
    const lines: string[] = [];
    await dumpArchive(this.#postgres.url, (line) => lines.push(line));
    const now = await this.#births();
    const recreated = this.#options.rooms.filter((room) => now.get(room) !== births.get(room));
    return { ...(await clients.compare(lines)), recreated };
  }

  async #logEnds(): Promise<readonly number[]> {
    const { partitions } = this.#options;
    const logs = await this.#withNats((connection) => findLogs(connection, partitions));
    return logs.map((log) => log?.last ?? 0);
  }

  async #withNats<T>(use: (connection: NatsConnection) => Promise<T>): Promise<T> {
    const inboxPrefix = "_INBOX_admin";
    const access = this.#cluster.natsAccess;
    const connection = await connectNats({ ...access, name: "drill", inboxPrefix });
    try {
      return await use(connection);
    } finally {
      await connection.close();
    }
  }

  #watermarks(): Promise<ReadonlyMap<number, number>> {
    return archivedThrough(this.#postgres.url);
  }

  /** The births of all rooms. Waits until the first message of each is archived. */
  async #births(): Promise<ReadonlyMap<string, string>> {
    let births: ReadonlyMap<string, string> = new Map();
    const text = "select room, born from rooms";
    const read = async (): Promise<boolean> => {
      const rows = await query<{ room: string; born: string }>(this.#postgres.url, text);
      births = new Map(rows.map(({ room, born }) => [room, born]));
      return this.#options.rooms.every((room) => births.has(room));
    };
    await until(read, { withinMs: WITHIN_MS, what: "every room to be archived" });
    return births;
  }

  async #archived(count: number): Promise<void> {
    const counted = async (): Promise<number> => {
      const [row] = await query<{ n: string }>(this.#postgres.url, "select count(*) n from events");
      return Number(row?.n);
    };
    await until(async () => (await counted()) >= count, {
      withinMs: WITHIN_MS,
      what: "the archive to have every acknowledged message",
    });
  }
}

/**
 * Removes the archived entries from each log, as the trimmer does when a log is more than half
 * full.
 */
async function trimArchived(
  connection: NatsConnection,
  partitions: number,
  watermarks: Promise<ReadonlyMap<number, number>>,
): Promise<void> {
  const manager = await jetstreamManager(connection);
  for (let p = 0; p < partitions; p++) {
    const seq = (await watermarks).get(p) ?? 0;
    await manager.streams.purge(subjects.stream(p), { seq });
  }
}

function start(
  { dataDir, partitions, say }: LossOptions,
  postgres: PostgresServer,
  port: number,
  restore: RestoreMode = "no",
): Promise<Cluster> {
  const databaseUrl = postgres.url;
  return startCluster({ dataDir, port, partitions, databaseUrl, restore, limits: "off", say });
}

async function query<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  client.on("error", () => undefined); // The query below reports a lost server.
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

function ms(value: number): number {
  return Math.round(value);
}
