// Database: the simulated PostgreSQL with one lagging replica, and each process' connection to it.
//
// Owns: delays, errors, uncertain outcomes, replica lag. Does not own: the effect of a write, which
// is that of the memory archive. The memory archive passes the same contract suite as PostgreSQL.
//
//   database.1. A write is stored completely or not at all. When its outcome is uncertain, the
//               write is stored and the caller receives an error.
//   database.2. Reads of rooms use the replica, which applies every write of the primary in order
//               and later. The watermark alone is read from the primary, as in the real adapter.

import { MemoryArchive } from "#shared/adapters/archive-memory.ts";
import type {
  Claim,
  ArchiveBatch,
  ArchiveEvent,
  ArchiveStore,
  LookedUp,
  Read,
  Watermark,
  WriteOutcome,
} from "#shared/ports/archive.ts";
import type { RoomListStore } from "#shared/ports/room-lists.ts";
import type { NameStore } from "#shared/ports/names.ts";
import type { SearchStore } from "#shared/ports/search.ts";
import type {
  FindQuery,
  FoundRooms,
  ReadPosition,
  RoomsPage,
  RoomsQuery,
} from "#shared/protocol/room-list.ts";
import type { NamedUser, SaidName } from "#shared/protocol/names.ts";
import type { FoundMessages, SearchQuery } from "#shared/protocol/search.ts";
import type {
  ArchivedRange,
  MembersPage,
  MessagesPage,
  MessagesQuery,
  RoomSnapshot,
} from "#shared/protocol/history.ts";
import type { MessageId, Millis, Partition, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { SeededRng } from "./seeded-rng.ts";
import type { Findings } from "./findings.ts";
import type { SimulatedProcess } from "./process.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Trace } from "./trace.ts";
import type { Conditions } from "./conditions.ts";

export interface DatabaseOptions {
  readonly scheduler: Scheduler;
  readonly rng: SeededRng;
  readonly conditions: Conditions;
  readonly trace: Trace;
  readonly findings: Findings;
  /** Called for every batch that the primary has stored. */
  readonly onStored: (batch: ArchiveBatch) => void;
  /** The reason why an event is refused; default: every event is stored (archive.4). */
  readonly refuse?: (event: ArchiveEvent) => string | undefined;
}

const CALL_MS = { min: 0.5, max: 4 };
/** The adapter cancels a statement without an answer after this time. */
const STATEMENT_TIMEOUT_MS = 2_500;

export class Database {
  readonly options: DatabaseOptions;
  readonly primary: MemoryArchive;
  readonly replica: MemoryArchive;
  #replicaBusyUntil: Millis = 0;

  constructor(options: DatabaseOptions) {
    this.options = options;
    const schedule = (run: () => void): void => void options.scheduler.after(0, run);
    const { refuse } = options;
    const archiveOptions = { schedule, ...(refuse !== undefined && { refuse }) };
    this.primary = new MemoryArchive(archiveOptions);
    this.replica = new MemoryArchive(archiveOptions);
  }

  /** The time at which the replica has every write. */
  get replicaAt(): Millis {
    return this.#replicaBusyUntil;
  }

  async write(batch: ArchiveBatch): Promise<WriteOutcome> {
    const { scheduler, conditions, trace, onStored } = this.options;
    const outcome = await this.primary.write(batch);
    trace.add(`archive ${batch.p} ${batch.from}…${batch.to}: ${outcome.kind}`);
    if (outcome.kind !== "ok") return outcome;
    onStored(batch);
    this.#replicaBusyUntil = Math.max(
      this.#replicaBusyUntil,
      scheduler.now + conditions.database.replicaLagMs,
    );
    scheduler.at(this.#replicaBusyUntil, () => void this.replica.write(batch)); // database.2
    return outcome;
  }

  async putReads(reads: readonly ReadPosition[]): Promise<Read<readonly ReadPosition[]>> {
    const { scheduler, conditions } = this.options;
    const outcome = await this.primary.putReads(reads);
    this.#replicaBusyUntil = Math.max(
      this.#replicaBusyUntil,
      scheduler.now + conditions.database.replicaLagMs,
    );
    scheduler.at(this.#replicaBusyUntil, () => void this.replica.putReads(reads)); // database.2
    return outcome;
  }
}

/** The ArchiveStore port of one process. */
export class SimulatedStore implements ArchiveStore, RoomListStore, SearchStore, NameStore {
  readonly #database: Database;
  readonly #process: SimulatedProcess;

  constructor(database: Database, process: SimulatedProcess) {
    this.#database = database;
    this.#process = process;
  }

  write(batch: ArchiveBatch): Promise<WriteOutcome> {
    const { rng, conditions } = this.#database.options;
    return this.#call(async () => {
      const outcome = await this.#database.write(batch);
      if (!rng.chance(conditions.database.answerLoss)) return outcome;
      this.#database.options.findings.count("archive write outcome unknown");
      // database.1
      return { kind: "unavailable", reason: "the connection was lost after the commit" };
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

  members(room: RoomId, after: UserId): Promise<Read<MembersPage>> {
    return this.#call(() => this.#database.replica.members(room, after));
  }

  messages(room: RoomId, query: MessagesQuery): Promise<Read<MessagesPage>> {
    return this.#call(() => this.#database.replica.messages(room, query));
  }

  lookup(
    p: Partition,
    room: RoomId,
    sender: UserId,
    id: MessageId,
    target?: Seq,
  ): Promise<Read<LookedUp>> {
    return this.#call(() => this.#database.replica.lookup(p, room, sender, id, target));
  }

  rooms(query: RoomsQuery): Promise<Read<RoomsPage>> {
    return this.#call(() => this.#database.replica.rooms(query));
  }

  findRooms(query: FindQuery): Promise<Read<FoundRooms>> {
    return this.#call(() => this.#database.replica.findRooms(query));
  }

  search(query: SearchQuery): Promise<Read<FoundMessages>> {
    return this.#call(() => this.#database.replica.search(query));
  }

  names(users: readonly UserId[]): Promise<Read<readonly NamedUser[]>> {
    return this.#call(() => this.#database.replica.names(users));
  }

  putName(said: SaidName): Promise<Read<undefined>> {
    return this.#call(() => this.#database.replica.putName(said));
  }

  putReads(reads: readonly ReadPosition[]): Promise<Read<readonly ReadPosition[]>> {
    return this.#call(() => this.#database.putReads(reads));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The process may exit or be paused before the answer arrives. */
  #call<T>(work: () => Promise<T>): Promise<T | Unavailable> {
    const { scheduler, rng, conditions } = this.#database.options;
    const { slowMs, error, isDown } = conditions.database;
    return new Promise((resolve) => {
      const answer = (outcome: T | Unavailable): void => {
        scheduler.after(rng.between(CALL_MS.min, CALL_MS.max), () => {
          this.#process.run(() => resolve(outcome));
        });
      };
      if (isDown || rng.chance(error)) {
        answer({ kind: "unavailable", reason: "the database is not reachable" });
        return;
      }
      const delay = Math.min(slowMs > 0 ? rng.between(0, slowMs) : 0, STATEMENT_TIMEOUT_MS);
      scheduler.after(delay + rng.between(CALL_MS.min, CALL_MS.max), () => {
        void work().then(answer);
      });
    });
  }
}

interface Unavailable {
  readonly kind: "unavailable";
  readonly reason: string;
}
