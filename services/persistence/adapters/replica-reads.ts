// ReplicaReads: reads that a streaming replica of PostgreSQL answers, as if the primary had.
//
// A read goes to the replica when the replica has replayed everything that the primary had written
// to its log when the read arrived. No answer that any process gave before can have more.
//
// Owns: the connections to the replica, the comparison of both servers, and the choice for each
// read. Does not own: the connections to the primary, and which reads may go to a replica
// (archive-postgres.ts).
//
//   replica-reads.1. A read goes to the replica only behind a comparison that began after the read
//        arrived. All reads that wait share the next comparison, and one is in flight at a time.
//   replica-reads.2. A comparison takes at most WAIT_MS. When the replica has not replayed enough
//        by then, or no answer came, the reads that wait use the primary. A replica that answered
//        in this time is behind, not away: the reads that it works on go on.
//   replica-reads.3. From then on reads use the primary at once. PROBE_MS after the last comparison
//        the next read begins another one, and does not wait for it. Its success ends that.
//   replica-reads.4. A server that is no standby, or whose timeline is another one than that of the
//        primary, gets no reads: it may have other events at the same position. A standby that has
//        followed a promotion counts again with its next restart point.
//   replica-reads.5. A read that fails on the replica is not answered. The caller repeats it on the
//        primary. When the replica does not answer, all reads that it works on fail at once.

import { DatabaseError } from "pg";
import type { Pool } from "pg";
import { Counts } from "#shared/kit/counts.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { Millis } from "#shared/protocol/ids.ts";
import { isAway, reasonOf } from "./postgres-errors.ts";
import { PostgresPool } from "./postgres-pool.ts";
import type { PoolBounds } from "./postgres-pool.ts";

/** The most that a reader waits for a replica that is a moment behind. */
export const WAIT_MS = 100;
export const PROBE_MS = 1_000;
/** Of a comparison that no reader waits for: it may have to open a connection. */
const PROBE_WAIT_MS = 8_000;
/** The statement timeout, among others. */
const QUERY_CANCELED = "57014";
/** Between two looks at what the replica has replayed. */
const LOOK_MS = 5;

/** A place in the log of a primary. */
export interface Position {
  /** In PostgreSQL's notation: `0/16B3748`. */
  readonly lsn: string;
  readonly timeline: number;
}

/**
 * `current`: it answers reads. `behind`: it has not replayed enough. `away`: it does not answer.
 * `other`: it is no standby, or has another timeline. `unverified`: the primary did not say its
 * position.
 */
export type ReplicaState = "current" | "behind" | "away" | "other" | "unverified";

/** The server that answered a read: the replica, or the primary for this reason. */
export type ReplicaOutcome = "replica" | "failed" | Exclude<ReplicaState, "current">;

export interface ReplicaReadsOptions {
  readonly url: string;
  readonly bounds: PoolBounds;
  readonly clock: Pick<Clock, "monotonic" | "after">;
  /** Default: WAIT_MS. */
  readonly waitMs?: Millis | undefined;
  /** Everything that the primary has committed is before this place. May reject. */
  readonly position: () => Promise<Position>;
  readonly onIdleError?: ((reason: string) => void) | undefined;
  /** Called when the state changes. */
  readonly onState?: ((state: ReplicaState, reason?: string) => void) | undefined;
}

interface Found {
  readonly state: ReplicaState;
  readonly reason?: string;
}

interface Comparison {
  /** Never rejects. */
  readonly result: Promise<Found>;
  /** The state when the answer takes too long: which server it waits for. */
  readonly late: () => ReplicaState;
}

interface Replayed {
  readonly standby: boolean;
  readonly has: boolean;
  readonly timeline: number;
}

export type Attempt<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "primary" };

const PRIMARY = { kind: "primary" } as const;

/** The flushed position: a transaction is visible only when its commit is flushed. */
const POSITION = {
  name: "position",
  text: `select pg_current_wal_flush_lsn()::text as lsn, pg_walfile_name(pg_current_wal_lsn()) as wal`,
};
/** The timeline is the first part of the name of a WAL file. */
const TIMELINE_DIGITS = 8;

/** $1 a position. */
const COMPARE = {
  name: "compare",
  text: `select pg_is_in_recovery() as standby,
    coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false) as has,
    (select timeline_id from pg_control_checkpoint()) as timeline`,
};

/** Rejects when PostgreSQL does, also on a standby. */
export async function readPosition(db: Pool): Promise<Position> {
  const { rows } = await db.query<{ lsn: string; wal: string }>(POSITION);
  const { lsn = "", wal = "" } = rows[0] ?? {};
  return { lsn, timeline: Number.parseInt(wal.slice(0, TIMELINE_DIGITS), 16) };
}

export class ReplicaReads {
  readonly outcomes = new Counts<ReplicaOutcome>([
    "replica",
    "behind",
    "away",
    "other",
    "unverified",
    "failed",
  ]);
  readonly #options: ReplicaReadsOptions;
  #pool: PostgresPool;
  #state: ReplicaState = "current";
  /** Since when reads use the primary. */
  #since: Millis = 0;
  #comparedAt: Millis = -Infinity;
  #isComparing = false;
  /** replica-reads.1. */
  #waiting: ((state: ReplicaState) => void)[] = [];
  #isClosed = false;

  constructor(options: ReplicaReadsOptions) {
    this.#options = options;
    this.#pool = this.#open();
  }

  get #waitMs(): Millis {
    return this.#options.waitMs ?? WAIT_MS;
  }

  get state(): ReplicaState {
    return this.#state;
  }

  /** How long reads have used the primary; 0 while the replica answers them. */
  get behindMs(): Millis {
    return this.#state === "current" ? 0 : this.#options.clock.monotonic() - this.#since;
  }

  /**
   * `primary`: the caller reads from there. Rejects with the error of a statement that PostgreSQL
   * ended for its time: the primary would need as long.
   */
  async run<T>(read: (db: Pool) => Promise<T>): Promise<Attempt<T>> {
    const state = await this.#admit();
    if (state !== "current") {
      this.outcomes.add(state);
      return PRIMARY;
    }
    const pool = this.#pool;
    try {
      const value = await pool.run(read);
      this.outcomes.add("replica");
      return { kind: "done", value };
    } catch (error: unknown) {
      this.outcomes.add("failed");
      if (error instanceof DatabaseError && error.code === QUERY_CANCELED) throw error;
      if (isAway(error) && pool === this.#pool)
        this.#enter({ state: "away", reason: reasonOf(error) });
      return PRIMARY;
    }
  }

  /** Resolves when no read is in flight. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.#pool.retire();
  }

  #admit(): Promise<ReplicaState> | ReplicaState {
    if (this.#state !== "current") {
      const isDue = this.#options.clock.monotonic() - this.#comparedAt >= PROBE_MS;
      if (isDue && !this.#isComparing) void this.#compareAll(); // replica-reads.3
      return this.#state;
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (!this.#isComparing) void this.#compareAll();
    });
  }

  /** Never rejects. */
  async #compareAll(): Promise<void> {
    this.#isComparing = true;
    do {
      const waiting = this.#waiting;
      this.#waiting = [];
      const asked = this.#compare();
      const found = await this.#within(asked, waiting.length > 0 ? this.#waitMs : PROBE_WAIT_MS);
      this.#comparedAt = this.#options.clock.monotonic();
      this.#enter(found);
      for (const resolve of waiting) resolve(found.state);
      if (found.state === "current") continue;
      for (const resolve of this.#waiting) resolve(found.state);
      this.#waiting = [];
      await asked.result; // One is in flight at a time.
    } while (this.#waiting.length > 0);
    this.#isComparing = false;
  }

  /** replica-reads.2. */
  #within({ result, late }: Comparison, waitMs: Millis): Promise<Found> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(waitMs, () =>
        resolve({ state: late(), reason: `not in ${waitMs} ms` }),
      );
      void result.then((found) => {
        timer.cancel();
        resolve(found);
      });
    });
  }

  /** Asks both servers, and looks for `waitMs` whether the replica reaches the place. */
  #compare(): Comparison {
    const { clock, position } = this.#options;
    const until = clock.monotonic() + this.#waitMs;
    let late: "unverified" | "away" | "behind" = "unverified";
    const ask = async (): Promise<Found> => {
      const { lsn, timeline } = await position();
      late = "away"; // Until its first answer.
      for (;;) {
        const query = { ...COMPARE, values: [lsn] };
        const { rows } = await this.#pool.run((db) => db.query<Replayed>(query));
        const [found] = rows;
        if (found?.standby !== true || found.timeline !== timeline) return { state: "other" };
        if (found.has) return { state: "current" };
        late = "behind";
        if (clock.monotonic() >= until) return { state: "behind" };
        await new Promise<void>((run) => clock.after(LOOK_MS, run));
      }
    };
    const result = ask().catch((error: unknown): Found => {
      const state = late === "unverified" ? late : "away";
      return { state, reason: reasonOf(error) };
    });
    return { result, late: () => late };
  }

  #enter({ state, reason }: Found): void {
    const isNew = state !== this.#state;
    if (isNew && state === "away" && !this.#isClosed) {
      this.#pool.giveUp("the replica does not answer"); // replica-reads.5
      this.#pool = this.#open();
    }
    if (!isNew) return;
    if (this.#state === "current") this.#since = this.#options.clock.monotonic();
    this.#state = state;
    this.#options.onState?.(state, reason);
  }

  #open(): PostgresPool {
    const { url, bounds, onIdleError } = this.#options;
    return new PostgresPool(url, bounds, onIdleError);
  }
}
