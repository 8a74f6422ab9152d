// PostgresSession: a session with the primary, its locks, and the pool for the statements.
//
//   postgres-session.1. The session has a connection of its own for the locks. The kernel of the
//        server ends it within about 20 s when the host of this process is gone.
//   postgres-session.2. Of several servers it takes the first one that is no standby.

import { Client, Pool, types } from "pg";
import type { SessionFeed } from "../core/ports.ts";
import type { WebhookSession } from "../runtime/webhooks-node.ts";
import { PostgresWebhooks } from "./postgres-webhooks.ts";

/** Statements of all subscriptions in flight. Further ones wait. */
const POOL_MAX = 6;
const CONNECT_TIMEOUT_MS = 8_000;
const STATEMENT_TIMEOUT_MS = 10_000;
/** "hook" as bytes: the class of the advisory locks. */
const LOCK_CLASS = 0x686f6f6b;
const LOCK = "select pg_try_advisory_lock($1::int, hashtext($2)) as mine";
const UNLOCK = "select pg_advisory_unlock($1::int, hashtext($2))";
const KEEP_ALIVE = `set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 3;
  set tcp_keepalives_count = 3; set tcp_user_timeout = 20000`;

/** The ids of types. */
const [INT8, INT8_ARRAY, NUMERIC] = [20, 1016, 1700];

const bounds = {
  connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  statement_timeout: STATEMENT_TIMEOUT_MS,
  query_timeout: STATEMENT_TIMEOUT_MS + 2_000,
  keepAlive: true,
  application_name: "parley-webhooks",
  types: {
    // These bigints are below 2^53, so they become numbers here.
    getTypeParser: (oid: number, format?: "text" | "binary") => {
      if (oid === INT8 || oid === NUMERIC) return Number;
      if (oid === INT8_ARRAY) return (text: string) => text.slice(1, -1).split(",").map(Number);
      return types.getTypeParser(oid, format);
    },
  },
};

/** Rejects when no server is the primary. */
export async function openPostgresSession(
  urls: readonly string[],
  sessions: SessionFeed | undefined,
): Promise<WebhookSession> {
  const { client, url } = await openPrimary(urls);
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  client.once("end", resolve);
  client.on("error", () => resolve());
  const pool = new Pool({ ...bounds, connectionString: url, max: POOL_MAX });
  pool.on("error", () => undefined); // The pool opens a new connection.
  // A socket of Unix has none of them.
  await client.query(KEEP_ALIVE).catch(() => undefined);
  const held = new Set<string>();
  return {
    store: new PostgresWebhooks({ db: pool, sessions }),
    ended,
    async lock(webhook) {
      // A second lock of the same session would need two unlocks.
      if (held.has(webhook)) return true;
      const { rows } = await client.query<{ mine: boolean }>(LOCK, [LOCK_CLASS, webhook]);
      if (rows[0]?.mine === true) held.add(webhook);
      return held.has(webhook);
    },
    async unlock(webhook) {
      if (held.delete(webhook)) await client.query(UNLOCK, [LOCK_CLASS, webhook]);
    },
    async close() {
      await Promise.allSettled([client.end(), pool.end()]);
    },
  };
}

async function openPrimary(urls: readonly string[]): Promise<{ client: Client; url: string }> {
  let failure: unknown = new Error("DATABASE_URL names no server");
  for (const url of urls) {
    const client = new Client({ ...bounds, connectionString: url });
    client.on("error", () => undefined); // The statement rejects and reports it.
    try {
      await client.connect();
      const { rows } = await client.query<{ standby: boolean }>(
        "select pg_is_in_recovery() as standby",
      );
      if (rows[0]?.standby === false) return { client, url };
      failure = new Error("no server is the primary");
    } catch (error: unknown) {
      failure = error;
    }
    await client.end().catch(() => undefined);
  }
  throw failure;
}
