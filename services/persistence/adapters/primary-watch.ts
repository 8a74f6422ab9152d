// PrimaryWatch: finds the primary among the servers of the archive, and notices a promotion.
//
// Owns: one connection to each server, for the question whether it is the primary. Does not own:
// the choice (core/primary-choice.ts), the connections of the archive (archive-postgres.ts), the
// promotion itself: an operator or an agent promotes.
//
//   primary-watch.1. It asks each server ASK_MS after its last answer. A server that is silent
//        delays no other one.
//   primary-watch.2. `find` waits for the answers of all servers, so that an old primary that
//        still runs is not chosen because it answered first. It rejects with the state of each.
//   primary-watch.3. With a single server there is no choice, and it asks nothing.

import { PrimaryChoice } from "../core/primary-choice.ts";
import type { ServerState } from "../core/primary-choice.ts";
import type { Clock, Timer } from "#shared/ports/clock.ts";
import { reasonOf } from "./postgres-errors.ts";
import { PostgresPool } from "./postgres-pool.ts";

const ASK_MS = 1_000;
/** A PostgreSQL that is seconds away still answers. postgres-pool.ts bounds a new connection. */
const ANSWER_MS = 4_000;

/** The timeline is the first part of the name of a WAL file. A standby has no current file. */
const ASK = `select case when pg_is_in_recovery() then null
  else pg_walfile_name(pg_current_wal_lsn()) end as wal`;
const TIMELINE_DIGITS = 8;

export interface PrimaryWatchOptions {
  /** One server or more. */
  readonly urls: readonly string[];
  readonly clock: Pick<Clock, "after">;
  /** Called when another server has become the primary, after `find`. */
  readonly onMoved: (url: string) => void;
}

export class PrimaryWatch {
  readonly #options: PrimaryWatchOptions;
  readonly #choice = new PrimaryChoice<string>();
  readonly #pools = new Map<string, PostgresPool>();
  readonly #timers = new Map<string, Timer>();
  #isStopped = false;

  constructor(options: PrimaryWatchOptions) {
    this.#options = options;
  }

  /** The URL of the primary. Begins to watch for promotions. */
  async find(): Promise<string> {
    const { urls } = this.#options;
    const [only] = urls;
    if (only !== undefined && urls.length === 1) return only; // primary-watch.3
    const states = await Promise.all(urls.map(async (url) => [url, await this.#ask(url)] as const));
    for (const [url, state] of states) this.#choice.learn(url, state);
    const found = this.#choice.server;
    if (found === undefined) {
      this.stop();
      throw new Error(`no primary: ${states.map(describe).join(", ")}`); // primary-watch.2
    }
    for (const url of urls) this.#askLater(url);
    return found;
  }

  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers.values()) timer.cancel();
    for (const pool of this.#pools.values()) pool.giveUp("the process ends");
  }

  #askLater(url: string): void {
    this.#timers.set(
      url,
      this.#options.clock.after(ASK_MS, () => void this.#askAgain(url)),
    );
  }

  async #askAgain(url: string): Promise<void> {
    const state = await this.#ask(url);
    if (this.#isStopped) return;
    if (this.#choice.learn(url, state)) this.#options.onMoved(url);
    this.#askLater(url);
  }

  async #ask(url: string): Promise<ServerState> {
    let pool = this.#pools.get(url);
    if (pool === undefined) {
      pool = new PostgresPool(url, { max: 1, timeoutMs: ANSWER_MS });
      this.#pools.set(url, pool);
    }
    try {
      const { rows } = await pool.run((db) => db.query<{ wal: string | null }>(ASK));
      const wal = rows[0]?.wal ?? undefined;
      if (wal === undefined) return { kind: "standby" };
      return { kind: "primary", timeline: Number.parseInt(wal.slice(0, TIMELINE_DIGITS), 16) };
    } catch (error: unknown) {
      return { kind: "silent", reason: reasonOf(error) };
    }
  }
}

/** Without a password. */
function describe([url, state]: readonly [string, ServerState]): string {
  const text = state.kind === "silent" ? state.reason : `a ${state.kind}`;
  return `${new URL(url).host} is ${text}`;
}
