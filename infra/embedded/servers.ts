// Servers: NATS and PostgreSQL of an embedded cluster, each as something that can be supervised.
//
// The launchers are those of the tests, so a cluster, a test and a bench run the same servers with
// the same settings (`sync_interval: always`, D7). Data stays in the folder that they are given.

import { setTimeout as sleep } from "node:timers/promises";
import { launchNats } from "#shared/testing/launch-nats.ts";
import type { ClusterMember, NatsServer } from "#shared/testing/launch-nats.ts";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import type { PostgresServer } from "#shared/testing/launch-postgres.ts";
import type { Running } from "./supervised.ts";

export interface ServerOptions {
  /** The server's own; it stays. */
  readonly dir: string;
  /** The same one at every launch, so that clients find a restarted server again. */
  readonly port: number;
  readonly onSpawn: (pid: number) => void;
  /** No further try after it; what was launched by then is the caller's to end. */
  readonly abort: AbortSignal;
}

/** Backends of a killed PostgreSQL live on for a moment, and while one does, a new one refuses. */
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
