// PostgresPool: the connections of the archive to one server.
//
// Owns: their bounds, and giving all of them up at once. Does not own: which server it is
// (primary-watch.ts), and when a pool is replaced (archive-postgres.ts).
//
//   postgres-pool.1. After `giveUp` every call in flight rejects at once, whatever the network
//        does, and no new one begins. The server may still perform a statement that it received.
//   postgres-pool.2. After `retire` no new call begins. Statements in flight end as usual.
//   postgres-pool.3. An idle connection to a host that is gone is closed after about 20 s.
//   postgres-pool.4. No connection keeps an answer. The pool of `pg` keeps the callback of the call
//        that opened a connection for as long as the connection is open, and a query of the pool
//        itself would have its rows in there. So a query here first takes a connection (C6).

import { Socket } from "node:net";
import { Pool, types } from "pg";
import type { QueryConfig, QueryResult } from "pg";
import { reasonOf } from "./postgres-errors.ts";

/**
 * Four round trips, with SCRAM, to a PostgreSQL one second away. Also the longest wait for a free
 * connection.
 */
const CONNECT_TIMEOUT_MS = 8_000;
/**
 * How long after the statement timeout this client gives up (the server or the network is frozen).
 */
const GIVE_UP_AFTER_MS = 2_000;
/** postgres-pool.3. After this silence the kernel asks the peer ten times, once a second. */
const KEEP_ALIVE_AFTER_MS = 10_000;

export interface PoolBounds {
  /** Connections. They stay open. */
  readonly max: number;
  /** Of a statement. */
  readonly timeoutMs: number;
}

/** The calls of a pool that was given up. It does not count as a failure of the server. */
class GivenUp extends Error {
  override readonly name = "GivenUp";
}

/** postgres-pool.4. */
class ForgetfulPool extends Pool {
  // The archive calls it with a text or a configuration, and without a callback.
  override query = (async (query: QueryConfig | string, values?: unknown[]) => {
    const client = await this.connect();
    client.on("error", ignore); // The statement rejects with it, too.
    try {
      const result: QueryResult = await client.query(query as string, values);
      client.release();
      return result;
    } catch (error: unknown) {
      client.release(error instanceof Error ? error : true);
      throw error;
    } finally {
      client.off("error", ignore);
    }
  }) as Pool["query"];
}

function ignore(): void {}

export class PostgresPool {
  readonly #pool: Pool;
  readonly #sockets = new Set<Socket>();
  readonly #calls = new Set<(reason: Error) => void>();
  #ended: Promise<void> | undefined;

  /** `onIdleError` gets the reason when an idle connection breaks. The pool opens a new one. */
  constructor(
    url: string,
    { max, timeoutMs }: PoolBounds,
    onIdleError: (reason: string) => void = () => {},
  ) {
    this.#pool = new ForgetfulPool({
      connectionString: url,
      max,
      application_name: "parley-persistence",
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      idleTimeoutMillis: 0,
      // To compile a statement costs more than it saves: each one reads few rows, and PostgreSQL
      // compiles a prepared one at each execution.
      options: "-c jit=off",
      statement_timeout: timeoutMs,
      query_timeout: timeoutMs + GIVE_UP_AFTER_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
      stream: () => this.#openSocket(),
      types: {
        // These bigints are below 2^53, so they become numbers here.
        getTypeParser: (oid, format) =>
          oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format),
      },
    });
    this.#pool.on("error", (error) => onIdleError(reasonOf(error)));
  }

  async run<T>(call: (db: Pool) => Promise<T>): Promise<T> {
    const { promise: givenUp, reject } = Promise.withResolvers<never>();
    this.#calls.add(reject);
    try {
      return await Promise.race([call(this.#pool), givenUp]);
    } finally {
      this.#calls.delete(reject);
    }
  }

  /** postgres-pool.2. Idempotent. Resolves when no statement is in flight. */
  retire(): Promise<void> {
    this.#ended ??= this.#pool.end();
    return this.#ended;
  }

  /** postgres-pool.1. */
  giveUp(reason: string): void {
    void this.retire();
    for (const reject of this.#calls) reject(new GivenUp(reason));
    for (const socket of this.#sockets) socket.destroy();
  }

  #openSocket(): Socket {
    const socket = new Socket();
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    return socket;
  }
}
