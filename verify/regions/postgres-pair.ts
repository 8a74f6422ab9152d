// PostgresPair: a primary in one region and its streaming standby in the other.
//
// Owns: both servers and their roles. Does not own: when a standby is promoted.
//
//   postgres-pair.1. A region has either a server or none. A new standby is a fresh copy of the
//        primary, so nothing that only the old primary had remains.

import { rm, writeFile } from "node:fs/promises";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import type { PostgresServer } from "#shared/testing/launch-postgres.ts";
import { freePort } from "#shared/testing/ports.ts";
import { until } from "#shared/testing/wait.ts";
import { takeBackup } from "../drills/base-backup.ts";
import { REGION_NETWORK, REGIONS } from "./region-network.ts";
import type { Place, RegionName } from "./region-network.ts";

const STREAMING_WITHIN_MS = 60_000;
/** Of the host that does not answer, for a standby that waits to connect. */
const CONNECT_S = 2;

export class PostgresPair implements AsyncDisposable {
  readonly #dir: string;
  readonly #places: Readonly<Record<RegionName, Place>>;
  readonly #servers = new Map<RegionName, PostgresServer>();
  /** A new server of a region has the port of the old one: services keep their URL. */
  readonly #ports = new Map<RegionName, number>();
  #copies = 0;

  /** A primary in `first`, and a standby that streams from it in the other region. */
  static async open(
    dir: string,
    places: Readonly<Record<RegionName, Place>>,
    first: RegionName,
  ): Promise<PostgresPair> {
    const pair = new PostgresPair(dir, places);
    for (const region of REGIONS) pair.#ports.set(region, await freePort());
    try {
      pair.#servers.set(first, await pair.#launch(first));
      await pair.follow(other(first));
      return pair;
    } catch (error: unknown) {
      await pair.stop();
      throw error;
    }
  }

  private constructor(dir: string, places: Readonly<Record<RegionName, Place>>) {
    this.#dir = dir;
    this.#places = places;
  }

  url(region: RegionName): string {
    return this.#server(region).url;
  }

  /** Ends the server of a region at once. */
  kill(region: RegionName): Promise<void> {
    return this.#killed(this.#server(region));
  }

  async promote(region: RegionName): Promise<void> {
    await query(this.url(region), "select pg_promote()");
  }

  /** Replaces the server of a region with a standby of the other one. Resolves when it streams. */
  async follow(region: RegionName, onStep?: (what: string) => void): Promise<void> {
    const primary = this.#server(other(region));
    const old = this.#servers.get(region);
    this.#servers.delete(region);
    if (old !== undefined) {
      // A fresh copy replaces it, and a shutdown in order takes seconds.
      await this.#killed(old);
      await endAndRemove(old);
    }
    onStep?.("has ended its PostgreSQL");
    const copy = join(this.#dir, `postgres-${region}-${++this.#copies}`);
    await takeBackup(primary.url, primary.dir, copy);
    onStep?.("has a copy of the primary");
    await writeFile(join(copy, "standby.signal"), "");
    const { hostname, port } = new URL(primary.url);
    const source = `host=${hostname} port=${port} user=postgres connect_timeout=${CONNECT_S}`;
    const settings = `primary_conninfo = '${source} application_name=${region}'\n`;
    appendFileSync(join(copy, "postgresql.auto.conf"), settings);
    this.#servers.set(region, await this.#launch(region, copy));
    onStep?.("has started its PostgreSQL");
    await until(() => this.#isStreaming(primary.url, region), {
      withinMs: STREAMING_WITHIN_MS,
      what: `the PostgreSQL of ${region} to stream`,
    });
  }

  async stop(): Promise<void> {
    const servers = [...this.#servers.values()];
    this.#servers.clear();
    await Promise.all(servers.map(endAndRemove));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #isStreaming(url: string, region: RegionName): Promise<boolean> {
    const text =
      "select 1 from pg_stat_replication where application_name = $1 and state = 'streaming'";
    return (await query(url, text, [region])) > 0;
  }

  async #launch(region: RegionName, dir?: string): Promise<PostgresServer> {
    const { host, runner } = this.#places[region];
    return launchPostgres({
      dir: dir ?? join(this.#dir, `postgres-${region}-${++this.#copies}`),
      port: this.#ports.get(region) ?? 0,
      host,
      runner,
      trusts: REGION_NETWORK,
      embedded: true,
      detached: true,
    });
  }

  async #killed(server: PostgresServer): Promise<void> {
    server.kill();
    await server.exited();
  }

  #server(region: RegionName): PostgresServer {
    const server = this.#servers.get(region);
    if (server === undefined) throw new Error(`${region} has no PostgreSQL`);
    return server;
  }
}

export function other(region: RegionName): RegionName {
  return region === "east" ? "west" : "east";
}

async function endAndRemove(server: PostgresServer): Promise<void> {
  await server.stop();
  for (const path of [server.dir, `${server.dir}.log`]) {
    await rm(path, { recursive: true, force: true });
  }
}

/** Returns the number of rows. */
async function query(url: string, text: string, values: readonly string[] = []): Promise<number> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text, [...values])).rowCount ?? 0;
  } finally {
    await client.end();
  }
}
