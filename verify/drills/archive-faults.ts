// Archive faults: the faults of PostgreSQL and persistence (rows F4 and F12) for the drill and the
// test, and how far the archive is behind the acknowledgements.

import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { childrenOf, signalIfThere } from "#shared/testing/process-tree.ts";
import { until } from "#shared/testing/wait.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import type { Acks } from "./acks.ts";

export interface ArchiveTarget {
  readonly cluster: Cluster;
  readonly acks: Acks;
}

export interface Recovery {
  /** Acknowledgements a second during the fault. */
  readonly arrival: number;
  /** Acknowledged events that the archive lacked at the heal. */
  readonly backlog: number;
  /** From the heal until the archive had all of them. */
  readonly drainMs: number;
  /** Archived events a second in that time, new ones included. */
  readonly drain: number;
}

const DRAINED_WITHIN_MS = 120_000;

/** Pauses the server with all its backends. A query waits. */
export async function pausePostgres({ cluster }: ArchiveTarget, forMs: number): Promise<void> {
  const resume = stopPostgres(cluster);
  await sleep(forMs);
  resume();
}

/** Pauses the server until the returned function is called. Backends may exit at any time. */
export function stopPostgres(cluster: Cluster): () => void {
  const postmaster = cluster.pid("postgres") ?? 0;
  const stopped = new Set<number>();
  // The postmaster first, so that it starts no new backend.
  for (const pid of [postmaster, ...childrenOf(postmaster)]) {
    if (signalIfThere(pid, "SIGSTOP")) stopped.add(pid);
  }
  return () => {
    for (const pid of stopped) signalIfThere(pid, "SIGCONT");
  };
}

export async function killPostgres({ cluster }: ArchiveTarget): Promise<void> {
  await killAndAwait(cluster, "postgres");
}

export async function killPersistence({ cluster }: ArchiveTarget): Promise<void> {
  await killAndAwait(cluster, "persistence-1");
}

export async function pausePersistence({ cluster }: ArchiveTarget, forMs: number): Promise<void> {
  cluster.pause("persistence-1");
  await sleep(forMs);
  cluster.resume("persistence-1");
}

/**
 * Injects the fault and measures until the archive has every event acknowledged before the heal.
 */
export async function recover(
  { cluster, acks }: ArchiveTarget,
  fault: () => Promise<void>,
): Promise<Recovery> {
  const [began, ackedBefore] = [performance.now(), acks.count];
  await fault();
  const [healed, acked] = [performance.now(), acks.count];
  await using archive = await Counter.open(cluster.databaseUrl);
  const archivedAtHeal = await archive.count();
  let archived = archivedAtHeal;
  await until(async () => (archived = await archive.count()) >= acked, {
    withinMs: DRAINED_WITHIN_MS,
    what: "the archive to have every event from before the heal",
  });
  const drainMs = performance.now() - healed;
  return {
    arrival: Math.round(((acked - ackedBefore) * 1_000) / (healed - began)),
    backlog: acked - archivedAtHeal,
    drainMs: Math.round(drainMs),
    drain: Math.round(((archived - archivedAtHeal) * 1_000) / drainMs),
  };
}

class Counter implements AsyncDisposable {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  static async open(url: string): Promise<Counter> {
    const client = new Client({ connectionString: url });
    await client.connect();
    return new Counter(client);
  }

  async count(): Promise<number> {
    const { rows } = await this.#client.query<{ n: string }>("select count(*) as n from events");
    return Number(rows[0]?.n);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client.end();
  }
}

async function killAndAwait(cluster: Cluster, name: string): Promise<void> {
  await cluster.kill(name);
  await until(() => cluster.pid(name) !== undefined, {
    withinMs: DRAINED_WITHIN_MS,
    what: `${name} to be back`,
  });
}
