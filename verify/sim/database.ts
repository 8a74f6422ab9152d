// Database: PostgreSQL of a simulated world, one process' way to it, and a replica that lags.
//
// Owns: delay, errors, doubt and lag. Does not own: what a write means: that is the memory archive,
// which passes the same contract as PostgreSQL does.
//
//   database.1. A write is done wholly or not at all; in doubt it is done and its answer is an error.
//   database.2. Reads of rooms go to the replica, which has every write of the primary, in order, later.
//        The watermark by itself is read from the primary, as the real adapter does.

import { MemoryArchive } from "#shared/adapters/archive-memory.ts";
import type {
  Claim,
  ArchiveBatch,
  ArchiveStore,
  Found,
  Read,
  Watermark,
  WriteOutcome,
} from "#shared/ports/archive.ts";
import type { ArchivedRange, RoomSnapshot } from "#shared/protocol/history.ts";
import type {
  LogSeq,
  MessageId,
  Millis,
  Partition,
  RoomId,
  Seq,
  UserId,
} from "#shared/protocol/ids.ts";
import type { Dice } from "./seeded-rng.ts";
import type { Findings } from "./findings.ts";
import type { SimProcess } from "./process.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Trace } from "./trace.ts";
import type { Weather } from "./conditions.ts";

export interface DatabaseOptions {
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly weather: Weather;
  readonly trace: Trace;
  readonly findings: Findings;
  readonly onStored: (batch: ArchiveBatch) => void;
}

const CALL_MS = { min: 0.5, max: 4 };
/** A statement that gets no answer is given up by the adapter. */
const STATEMENT_TIMEOUT_MS = 2_500;

export class Database {
  readonly options: DatabaseOptions;
  readonly primary: MemoryArchive;
  readonly replica: MemoryArchive;
  #replicaBusyUntil: Millis = 0;

  constructor(options: DatabaseOptions) {
    this.options = options;
    const schedule = (run: () => void): void => void options.scheduler.after(0, run);
    this.primary = new MemoryArchive({ schedule });
    this.replica = new MemoryArchive({ schedule });
  }

  async write(batch: ArchiveBatch): Promise<WriteOutcome> {
    const { scheduler, weather, trace, onStored } = this.options;
    const outcome = await this.primary.write(batch);
    trace.add(`archive ${batch.p} ${batch.from}…${batch.to}: ${outcome.kind}`);
    if (outcome.kind !== "ok") return outcome;
    onStored(batch);
    this.#replicaBusyUntil = Math.max(
      this.#replicaBusyUntil,
      scheduler.now + weather.database.replicaLagMs,
    );
    scheduler.at(this.#replicaBusyUntil, () => void this.replica.write(batch)); // database.2
    return outcome;
  }
}

/** One process' connections to the database. */
export class SimStore implements ArchiveStore {
  readonly #database: Database;
  readonly #process: SimProcess;

  constructor(database: Database, process: SimProcess) {
    this.#database = database;
    this.#process = process;
  }

  write(batch: ArchiveBatch): Promise<WriteOutcome> {
    const { dice, weather } = this.#database.options;
    return this.#call(async () => {
      const outcome = await this.#database.write(batch);
      if (!dice.chance(weather.database.doubt)) return outcome;
      this.#database.options.findings.saw("archive write in doubt");
      return { kind: "unavailable", reason: "the connection was lost after the commit" }; // database.1
    });
  }

  watermark(p: Partition, claim?: Claim): Promise<Read<Watermark>> {
    return this.#call(() => this.#database.primary.watermark(p, claim));
  }

  range(room: RoomId, first: Seq, last: Seq): Promise<Read<ArchivedRange>> {
    return this.#call(() => this.#database.replica.range(room, first, last));
  }

  snapshot(p: Partition, room: RoomId, since: Millis): Promise<Read<RoomSnapshot>> {
    return this.#call(() => this.#database.replica.snapshot(p, room, since));
  }

  lookup(
    p: Partition,
    room: RoomId,
    sender: UserId,
    id: MessageId,
  ): Promise<Read<{ readonly found?: Found; readonly watermark: LogSeq }>> {
    return this.#call(() => this.#database.replica.lookup(p, room, sender, id));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The process may die or be stopped while the database works for it. */
  #call<T>(work: () => Promise<T>): Promise<T | Unavailable> {
    const { scheduler, dice, weather } = this.#database.options;
    const { slowMs, error, isDown } = weather.database;
    return new Promise((resolve) => {
      const answer = (outcome: T | Unavailable): void => {
        scheduler.after(dice.between(CALL_MS.min, CALL_MS.max), () => {
          this.#process.run(() => resolve(outcome));
        });
      };
      if (isDown || dice.chance(error)) {
        answer({ kind: "unavailable", reason: "the database is not reachable" });
        return;
      }
      const delay = Math.min(slowMs > 0 ? dice.between(0, slowMs) : 0, STATEMENT_TIMEOUT_MS);
      scheduler.after(delay + dice.between(CALL_MS.min, CALL_MS.max), () => {
        void work().then(answer);
      });
    });
  }
}

interface Unavailable {
  readonly kind: "unavailable";
  readonly reason: string;
}
