// Losses: what the restore drill and its test do to a cluster, and how it comes back.
//
// A PostgreSQL of its own, so that it can be lost and put back while everything else goes on; NATS
// is the embedded cluster's, with its users, and comes back empty by itself, as a server does whose
// disk was replaced. Each loss ends with everything compared; what it took is in ms.

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
import type { RestoreWish } from "#infra/embedded/restore-at-start.ts";
import { REPOSITORY } from "#infra/embedded/service-process.ts";
import { putBack, takeBackup } from "./base-backup.ts";
import { LedgerClients } from "./ledger-clients.ts";
import type { Finding } from "./ledger-clients.ts";

export interface LossOptions {
  readonly dataDir: string;
  readonly rooms: readonly RoomId[];
  readonly partitions: number;
  /** Acknowledged before each step. */
  readonly acked: number;
  readonly say: (line: string) => void;
}

export interface Outcome extends Finding {
  /** Named durations, in the order in which they passed. */
  readonly took: Readonly<Record<string, number>>;
  /** Rooms that have another birth than before. */
  readonly reborn: readonly RoomId[];
}

const PATIENCE_MS = 90_000;

export class LossyCluster implements AsyncDisposable {
  readonly #options: LossOptions;
  readonly #postgres: PostgresServer;
  readonly #port: number;
  #cluster: Cluster;
  readonly keepers: LedgerClients;

  static async open(options: LossOptions): Promise<LossyCluster> {
    const dir = join(options.dataDir, "postgres-of-its-own");
    const postgres = await launchPostgres({ dir, embedded: true });
    const [port = 0] = await freePorts(1);
    const cluster = await start(options, postgres, port);
    const keepers = await LedgerClients.open(cluster.url, options.rooms);
    return new LossyCluster(options, { postgres, port, cluster, keepers });
  }

  private constructor(
    options: LossOptions,
    parts: { postgres: PostgresServer; port: number; cluster: Cluster; keepers: LedgerClients },
  ) {
    this.#options = options;
    this.#postgres = parts.postgres;
    this.#port = parts.port;
    this.#cluster = parts.cluster;
    this.keepers = parts.keepers;
  }

  /** PostgreSQL and its folder are gone; it is restored from a backup, and the log has the rest. */
  async losePostgres(): Promise<Outcome> {
    const { keepers } = this;
    const { acked, dataDir } = this.#options;
    const [backup, { dir, url }] = [join(dataDir, "backup"), this.#postgres];
    keepers.talk();
    await keepers.ackedMore(acked);
    const births = await this.#births();
    const copying = performance.now();
    await takeBackup(url, dir, backup);
    const copied = performance.now();
    await keepers.ackedMore(acked);
    const lost = performance.now();
    this.#postgres.kill();
    await this.#postgres.exited();
    rmSync(dir, { recursive: true, force: true });
    await keepers.ackedMore(acked); // Chat goes on.
    const restoring = performance.now();
    await putBack(backup, dir);
    await this.#postgres.restart();
    const up = performance.now();
    const target = keepers.acked;
    await this.#archived(target);
    const done = performance.now();
    rmSync(backup, { recursive: true, force: true });
    return {
      ...(await this.#compare(births)),
      took: {
        backup: ms(copied - copying),
        "lost until restoring": ms(restoring - lost),
        "restoring until PostgreSQL serves": ms(up - restoring),
        "from there until all is archived": ms(done - up),
      },
    };
  }

  /** NATS loses everything after the cluster was stopped in order. */
  async loseLogsAfterStop(): Promise<Outcome> {
    const { keepers } = this;
    keepers.talk();
    await keepers.ackedMore(this.#options.acked);
    await keepers.hush();
    const births = await this.#births();
    await this.#cluster.stop();
    this.#removeLogs();
    const refusing = performance.now();
    const refusal = await this.#start("no").catch((error: unknown) => String(error));
    if (typeof refusal !== "string") throw new Error("it started as if nothing had happened");
    this.#options.say(refusal);
    const starting = performance.now();
    this.#cluster = await this.#start("logs-intact"); // RESTORE=logs-intact make start
    const started = performance.now();
    keepers.talk();
    const back = await keepers.back(started);
    return {
      ...(await this.#compare(births)),
      took: {
        "until make start says what is lost": ms(starting - refusing),
        "RESTORE=logs-intact make start": ms(started - starting),
        "from there until the first room is served": back.first,
        "and every room": back.last,
      },
    };
  }

  /** NATS loses everything while messages are in the log alone. */
  async loseLogsUnderLoad(): Promise<Outcome> {
    const { keepers } = this;
    const { acked } = this.#options;
    keepers.talk();
    await keepers.ackedMore(acked);
    const births = await this.#births();
    this.#cluster.pause("persistence-1");
    await keepers.ackedMore(acked);
    const lost = performance.now();
    const killed = this.#cluster.kill("nats-1");
    this.#removeLogs();
    await killed;
    this.#removeLogs(); // What it wrote in between.
    await until(() => this.#cluster.pid("nats-1") !== undefined, {
      withinMs: PATIENCE_MS,
      what: "NATS to be back, empty",
    });
    this.#cluster.resume("persistence-1");
    const restoring = performance.now();
    await this.#restore("--archive-intact", "--yes");
    const restored = performance.now();
    const back = await keepers.back(restored);
    return {
      ...(await this.#compare(births)),
      took: {
        "lost until NATS is back, empty": ms(restoring - lost),
        "parley restore logs": ms(restored - restoring),
        "from there until the first room is served": back.first,
        "and every room": back.last,
      },
    };
  }

  /** PostgreSQL is restored from a backup that is older than what the logs reach back to. */
  async losePostgresTooLate(): Promise<Outcome> {
    const { keepers } = this;
    const { acked, dataDir, partitions } = this.#options;
    const [backup, { dir, url }] = [join(dataDir, "backup"), this.#postgres];
    keepers.talk();
    await takeBackup(url, dir, backup);
    await keepers.ackedMore(acked);
    const births = await this.#births();
    await this.#archived(keepers.acked);
    await this.#withNats((connection) => forgetArchived(connection, partitions, this.#marks()));
    this.#postgres.kill();
    await this.#postgres.exited();
    await putBack(backup, dir);
    await this.#postgres.restart();
    rmSync(backup, { recursive: true, force: true });
    const restoring = performance.now();
    if (await this.#restore("--yes")) throw new Error("logs with entries were replaced");
    const discard = Array.from({ length: partitions }, (_, p) => p).join(",");
    await this.#restore("--discard", discard, "--yes");
    const restored = performance.now();
    const back = await keepers.back(restored);
    return {
      ...(await this.#compare(births)),
      took: {
        "parley restore logs, refused and then with --discard": ms(restored - restoring),
        "from there until the first room is served": back.first,
        "and every room": back.last,
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.keepers[Symbol.dispose]();
    await this.#cluster.stop();
    await this.#postgres.stop();
    const { dir } = this.#postgres; // It may lie elsewhere, where PostgreSQL's user can reach it.
    for (const path of [dir, `${dir}.log`]) rmSync(path, { recursive: true, force: true });
  }

  #start(restore: RestoreWish): Promise<Cluster> {
    return start(this.#options, this.#postgres, this.#port, restore);
  }

  #removeLogs(): void {
    for (const folder of NATS_DIRS[1]) {
      rmSync(join(this.#options.dataDir, folder, "jetstream"), { recursive: true, force: true });
    }
  }

  /** `parley restore logs`, as a person runs it; says whether it did what was asked. */
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
    const { keepers } = this;
    await keepers.ackedMore(this.#options.acked);
    await keepers.hush();
    const lasts = await this.#logEnds();
    await until(
      async () => {
        const marks = await this.#marks();
        return lasts.every((last, p) => (marks.get(p) ?? 0) >= last);
      },
      { withinMs: PATIENCE_MS, what: "the archive to have the whole log" },
    );
    const lines: string[] = [];
    await dumpArchive(this.#postgres.url, (line) => lines.push(line));
    const now = await this.#births();
    const reborn = this.#options.rooms.filter((room) => now.get(room) !== births.get(room));
    return { ...(await keepers.compare(lines)), reborn };
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

  #marks(): Promise<ReadonlyMap<number, number>> {
    return archivedThrough(this.#postgres.url);
  }

  /** Of all rooms: one whose first message is not archived yet is waited for. */
  async #births(): Promise<ReadonlyMap<string, string>> {
    let births: ReadonlyMap<string, string> = new Map();
    const text = "select room, born from rooms";
    const read = async (): Promise<boolean> => {
      const rows = await query<{ room: string; born: string }>(this.#postgres.url, text);
      births = new Map(rows.map(({ room, born }) => [room, born]));
      return this.#options.rooms.every((room) => births.has(room));
    };
    await until(read, { withinMs: PATIENCE_MS, what: "every room to be archived" });
    return births;
  }

  async #archived(count: number): Promise<void> {
    const counted = async (): Promise<number> => {
      const [row] = await query<{ n: string }>(this.#postgres.url, "select count(*) n from events");
      return Number(row?.n);
    };
    await until(async () => (await counted()) >= count, {
      withinMs: PATIENCE_MS,
      what: "the archive to have what was acknowledged",
    });
  }
}

/**
 * Removes from each log all that is archived, as trimming does when a log is more than half full.
 */
async function forgetArchived(
  connection: NatsConnection,
  partitions: number,
  marks: Promise<ReadonlyMap<number, number>>,
): Promise<void> {
  const manager = await jetstreamManager(connection);
  for (let p = 0; p < partitions; p++) {
    const seq = (await marks).get(p) ?? 0;
    await manager.streams.purge(subjects.stream(p), { seq });
  }
}

function start(
  { dataDir, partitions, say }: LossOptions,
  postgres: PostgresServer,
  port: number,
  restore: RestoreWish = "no",
): Promise<Cluster> {
  const databaseUrl = postgres.url;
  return startCluster({ dataDir, port, partitions, databaseUrl, restore, limits: "off", say });
}

async function query<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  client.on("error", () => undefined); // The query below tells of a server that goes away.
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
