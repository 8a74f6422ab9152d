// Servers: NATS and PostgreSQL of an embedded cluster, as processes for supervised.ts.
//
// The launchers are those of the tests, so that a cluster, a test and a bench run the same servers
// with the same settings (`sync_interval: always`, D7). Data stay in the given folder.

import { setTimeout as sleep } from "node:timers/promises";
import { launchNats } from "#shared/testing/launch-nats.ts";
import type { ClusterMember, NatsServer } from "#shared/testing/launch-nats.ts";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import type { PostgresServer } from "#shared/testing/launch-postgres.ts";
import type { Running } from "./supervised.ts";

export interface ServerOptions {
  /** The server's own folder; it is kept. */
  readonly dir: string;
  /** The same port at every launch, so that clients find a restarted server. */
  readonly port: number;
  readonly onSpawn: (pid: number) => void;
  /** Stops further attempts. The caller ends a server that was launched before. */
  readonly abort: AbortSignal;
}

/**
 * After a kill the old PostgreSQL backends run on for a moment, and meanwhile a new server refuses
 * to start.
 */
const POSTGRES_TRIES = 10;
const POSTGRES_RETRY_MS = 500;

export async function runNats(
  options: ServerOptions & {
    readonly binary: string;
    readonly authorization: string;
    readonly member?: ClusterMember;
  },
): Promise<Running> {
  const { abort: _neverRetried, ...launch } = options;
  return asRunning(await launchNats({ ...launch, detached: true }));
}

export async function runPostgres(options: ServerOptions): Promise<Running> {
  const { dir, port, onSpawn, abort } = options;
  for (let tries = 1; ; tries++) {
    try {
      return asRunning(
        await launchPostgres({ dir, port, onSpawn, embedded: true, detached: true }),
      );
    } catch (error: unknown) {
      if (tries === POSTGRES_TRIES || abort.aborted) throw error;
      await sleep(POSTGRES_RETRY_MS);
    }
  }
}

function asRunning(server: NatsServer | PostgresServer): Running {
  return {
    pid: server.pid,
    url: server.url,
    ended: server.exited(),
    signal: (name) => server.signal(name),
  };
}
