// PostgresArchive: ArchiveStore on PostgreSQL.
//
// In PostgreSQL one statement sees one moment, so every read that returns a watermark is a single
// statement (archive.3). Watermarks, and what an owner needs of a room (snapshots, members,
// look-ups), come from the primary: sends wait for them. All other reads may come from a replica
// (replica-reads.ts).
//
// Bounds: WRITERS + 3 (for watermarks, claims, the index of the search) and READERS connections to
// the primary, READERS to the replica. They stay open: a new one costs four round trips, and that
// is most expensive when PostgreSQL is slow. A call that waits too long for a connection
// (postgres-pool.ts), or longer than the statement timeout for an answer, returns `unavailable`.
// This file does not retry, except on the primary what a replica does not answer.
//
//   archive-postgres.1. A circuit breaker guards all reads of the primary but watermarks. While it
//        is open, they return `unavailable` at once. Only errors of the server or the connection
//        count (isAway), once for each statement.
//   archive-postgres.2. When it opens, the pool of the readers is replaced: a probe must not use
//        a connection to a server that is gone, because that costs a whole timeout.
//   archive-postgres.3. Writes, also those of read positions, and the reads of watermarks beside
//        them pass no breaker: archive runners and gateways have their own backoff. A watermark
//        that does not arrive is given up after a few seconds, as a read is.
//   archive-postgres.4. When the server does not answer a write or a watermark, the pool of the
//        writers is replaced. Otherwise each of its connections to a host that is gone would cost a
//        timeout, one after the other.
//   archive-postgres.5. `moveTo` gives all connections to the old primary up at once: a statement
//        in flight to a host that is gone would block its partition until its timeout.

import type { Pool } from "pg";
import { systemClock } from "#shared/adapters/clock-system.ts";
import { Counts } from "#shared/kit/counts.ts";
import { keysOf } from "#shared/kit/archived-ids.ts";
import { targetOf } from "#shared/kit/archived-targets.ts";
import { mentionsOfText } from "#shared/kit/mentions.ts";
import type {
  ArchiveBatch,
  ArchiveStore,
  Claim,
  Found,
  LookedUp,
  Read,
  Watermark,
  WriteOutcome,
} from "#shared/ports/archive.ts";
import type {
  AttachmentRecords,
  FinishedUpload,
  NewUpload,
  RecordOutcome,
} from "#shared/ports/attachment-records.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { RoomListStore } from "#shared/ports/room-lists.ts";
import type { NameStore } from "#shared/ports/names.ts";
import type { SearchStore } from "#shared/ports/search.ts";
import { Breaker } from "#shared/process/breaker.ts";
import type { Transition } from "#shared/process/breaker.ts";
import type { ArchivedRange, MembersPage, RoomSnapshot } from "#shared/protocol/history.ts";
import type { MessagesPage, MessagesQuery } from "#shared/protocol/history.ts";
import type {
  FindQuery,
  FoundRooms,
  ReadPosition,
  RoomsPage,
  RoomsQuery,
} from "#shared/protocol/room-list.ts";
import type { MessageId, Millis, Partition, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { RANGE_BYTES_MAX, RANGE_EVENTS_MAX } from "#shared/protocol/limits.ts";
import type { NamedUser, SaidName } from "#shared/protocol/names.ts";
import type { FoundMessages, SearchQuery } from "#shared/protocol/search.ts";
import type { IndexedRoom, RoomsBehind } from "../core/search-backlog.ts";
import type { RoomScore } from "../core/room-uses.ts";
import type { WarmStore } from "../runtime/page-warmer.ts";
import type { SearchIndex } from "../runtime/search-runner.ts";
import { isAway, isSilent, reasonOf } from "./postgres-errors.ts";
import { Gathered } from "./gathered.ts";
import { PostgresPool } from "./postgres-pool.ts";
import { LOOKUP, RANGE, readQuarantined } from "./postgres-reads.ts";
import type { LookupRow, RangeRow } from "./postgres-reads.ts";
import { readWatermarks, claimWatermarks } from "./postgres-watermarks.ts";
import type { ClaimKey } from "./postgres-watermarks.ts";
import { beginUpload, findAttachment, finishUpload } from "./postgres-attachments.ts";
import { forgetAttachments, sweepable } from "./postgres-attachments.ts";
import type { Sweepable } from "./postgres-attachments.ts";
import { readMessages, readNewest } from "./postgres-messages.ts";
import { addUses, changedRooms, mostUsed } from "./postgres-newest.ts";
import { findRooms, putReads, readRooms } from "./postgres-room-list.ts";
import { putName, readNames } from "./postgres-names.ts";
import { NO_LANGUAGE, searchMessages } from "./postgres-search.ts";
import { hasLanguage, indexRooms, roomsBehind } from "./postgres-search-index.ts";
import { readMembers } from "./postgres-state.ts";
import { readSnapshots } from "./postgres-snapshots.ts";
import type { SnapshotKey } from "./postgres-snapshots.ts";
import { writeBatch } from "./postgres-write.ts";
import { readPosition, ReplicaReads } from "./replica-reads.ts";
import type { ReplicaState } from "./replica-reads.ts";

export interface PostgresArchiveOptions {
  readonly url: string;
  /** A standby that streams from the primary, for pages, lists and searches. */
  readonly replicaUrl?: string | undefined;
  /** The most that a read waits for it; default: replica-reads.ts. */
  readonly replicaWaitMs?: number;
  /** Called when an idle connection breaks, for a log line. The pool opens a new one. */
  readonly onIdleError?: (reason: string) => void;
  /** The clock of the circuit breaker; default: the system's. */
  readonly clock?: Pick<Clock, "monotonic">;
  readonly onBreaker?: (transition: Transition) => void;
  /** Called when reads begin or end to use the replica. */
  readonly onReplica?: (state: ReplicaState, reason?: string) => void;
  /** The text search configuration whose stems are found; default: none. */
  readonly searchLanguage?: string;
}

/** Two batches at once keep PostgreSQL busy while a third is encoded; more gain little. */
const WRITERS = 4;
const READERS = 8;
/** A part of the readers, so that ranges and look-ups find the others free. */
const SNAPSHOT_READERS = 4;
/** The ids of one snapshot have 100 to 400 KB. */
const SNAPSHOTS_MAX = 16;
const READS_MAX = 256;
/** Requests with read positions, of READS_BATCH_MAX each, that one statement stores. */
const POSITION_LISTS_MAX = 16;
const WRITE_TIMEOUT_MS = 30_000;
const READ_TIMEOUT_MS = 5_000;
const READ_BOUNDS = { max: READERS, timeoutMs: READ_TIMEOUT_MS };
/** Failed reads in a row that open a breaker. */
export const READ_FAILURES_MAX = 3;
/**
 * The wait of an open breaker. It adds to an outage as users notice it, so it is short: a refused
 * connection costs less than a millisecond, and a timeout is a longer wait by itself.
 */
export const READ_WAIT_MS = 500;

export type ReadServer = "primary" | "replica";

export class PostgresArchive
  implements
    ArchiveStore,
    RoomListStore,
    SearchStore,
    SearchIndex,
    WarmStore,
    AttachmentRecords,
    NameStore
{
  readonly #options: PostgresArchiveOptions;
  /** Of the primary. */
  #url: string;
  #primary: PostgresPool;
  #reads: PostgresPool;
  /** Replaced pools whose statements in flight have not ended. */
  readonly #replaced = new Set<PostgresPool>();
  readonly #watermarks: Gathered<Partition, Watermark>;
  readonly #claims: Gathered<ClaimKey, Watermark>;
  readonly #snapshots: Gathered<SnapshotKey, RoomSnapshot>;
  readonly #positions: Gathered<readonly ReadPosition[], readonly ReadPosition[]>;
  readonly breaker: Breaker;
  readonly replica: ReplicaReads | undefined;
  /** Reads that were sent to a server, by server. */
  readonly reads = new Counts<ReadServer>();
  readonly #language: string;
  #isClosed = false;

  constructor(options: PostgresArchiveOptions) {
    const { url, clock, onBreaker } = options;
    this.#options = options;
    this.#url = url;
    this.#language = options.searchLanguage ?? NO_LANGUAGE;
    this.#primary = this.#openPrimary();
    this.#reads = this.#openReads();
    this.breaker = new Breaker({
      dependency: "postgres-reads",
      clock: clock ?? systemClock,
      failuresMax: READ_FAILURES_MAX,
      waitMs: () => READ_WAIT_MS,
      isFailure: isAway,
      onTransition: (transition) => {
        if (transition.from === "closed" && !this.#isClosed) {
          this.#retire(this.#reads); // archive-postgres.2
          this.#reads = this.#openReads();
        }
        onBreaker?.(transition);
      },
    });
    this.replica = this.#openReplica();
    this.#watermarks = new Gathered({
      atOnce: 1,
      most: READS_MAX,
      read: (partitions) => this.#onPrimary((db) => readWatermarks(db, partitions)),
    });
    this.#claims = new Gathered({
      atOnce: 1,
      most: READS_MAX,
      read: (keys) => this.#onPrimary((db) => claimWatermarks(db, keys)),
    });
    this.#positions = new Gathered({
      atOnce: 1,
      most: POSITION_LISTS_MAX,
      read: async (lists): Promise<(readonly ReadPosition[])[]> => {
        const later = await this.#onPrimary((db) => putReads(db, lists.flat()));
        return lists.map((list) => list.filter(([room, user]) => later.has(`${room} ${user}`)));
      },
    });
    this.#snapshots = new Gathered({
      atOnce: SNAPSHOT_READERS,
      most: SNAPSHOTS_MAX,
      read: (keys) => this.#onReads((db) => readSnapshots(db, keys)),
    });
  }

  async write(batch: ArchiveBatch): Promise<WriteOutcome> {
    try {
      return await this.#onPrimary((db) => writeBatch(db, batch));
    } catch (error: unknown) {
      return { kind: "unavailable", reason: reasonOf(error) };
    }
  }

  watermark(p: Partition, claim: Claim = 0): Promise<Read<Watermark>> {
    return attempt(() => (claim === 0 ? this.#watermarks.get(p) : this.#claims.get({ p, claim })));
  }

  range(room: RoomId, first: Seq, last: Seq): Promise<Read<ArchivedRange>> {
    return this.#attemptShared(async (db) => {
      const end = Math.min(last, first + RANGE_EVENTS_MAX - 1);
      const values = [room, first, end, RANGE_BYTES_MAX];
      const { rows } = await db.query<RangeRow>({ ...RANGE, values });
      const head = rows[0]?.head ?? 0;
      const found = new Map<Seq, string>();
      for (const { seq, line } of rows) if (seq !== null && line !== null) found.set(seq, line);
      const lines = contiguous(found, first, end);
      if (lines.length > 0 || first > head) return { first, head, lines };
      // A gap below the head holds quarantined lines; there is no other cause.
      for (const { seq, line } of await readQuarantined(db, room, first, end)) found.set(seq, line);
      return { first, head, lines: contiguous(found, first, end) };
    });
  }

  snapshot(p: Partition, room: RoomId, since: Millis): Promise<Read<RoomSnapshot>> {
    return attempt(() => {
      this.breaker.check(); // Otherwise it would queue behind reads that hang.
      return this.#snapshots.get({ p, room, since });
    });
  }

  messages(room: RoomId, query: MessagesQuery): Promise<Read<MessagesPage>> {
    return this.#attemptShared((db) => readMessages(db, room, query));
  }

  newestPages(
    rooms: readonly RoomId[],
    limit: number,
  ): Promise<Read<readonly (readonly [RoomId, MessagesPage])[]>> {
    return this.#attemptShared((db) => readNewest(db, rooms, limit));
  }

  changedRooms(heads: readonly (readonly [RoomId, Seq])[]): Promise<Read<readonly RoomId[]>> {
    return this.#attemptShared((db) => changedRooms(db, heads));
  }

  mostUsed(limit: number): Promise<Read<readonly RoomScore[]>> {
    return this.#attemptShared((db) => mostUsed(db, limit));
  }

  addUses(scores: readonly RoomScore[]): Promise<Read<void>> {
    return attempt(() => this.#onPrimary((db) => addUses(db, scores)));
  }

  members(room: RoomId, after: UserId): Promise<Read<MembersPage>> {
    return this.#attemptRead((db) => readMembers(db, room, after));
  }

  lookup(
    p: Partition,
    room: RoomId,
    sender: UserId,
    id: MessageId,
    target?: Seq,
  ): Promise<Read<LookedUp>> {
    return this.#attemptRead(async (db) => {
      const values = [p, room, id, sender, target];
      const { rows } = await db.query<LookupRow>({ ...LOOKUP, values });
      const { watermark, seq = null, at = null, line = null, quarantined = false } = rows[0] ?? {};
      const mentions = mentionsOfText(rows[0]?.mentions ?? null);
      const stored = seq !== null && at !== null ? { seq, at } : undefined;
      const isLost = stored === undefined && quarantined;
      const found = isLost ? await lookUpQuarantined(db, { room, sender, id }) : stored;
      const known = { watermark: watermark ?? 0, ...(found !== undefined && { found }) };
      if (target === undefined) return known;
      const [lost] =
        line === null && quarantined ? await readQuarantined(db, room, target, target) : [];
      return { ...known, target: targetOf(target, line ?? lost?.line, mentions) };
    });
  }

  rooms(query: RoomsQuery): Promise<Read<RoomsPage>> {
    return this.#attemptShared((db) => readRooms(db, query));
  }

  findRooms(query: FindQuery): Promise<Read<FoundRooms>> {
    return this.#attemptShared((db) => findRooms(db, query));
  }

  search(query: SearchQuery): Promise<Read<FoundMessages>> {
    return this.#attemptShared((db) => searchMessages(db, this.#language, query));
  }

  names(users: readonly UserId[]): Promise<Read<readonly NamedUser[]>> {
    return this.#attemptRead((db) => readNames(db, users));
  }

  putName(said: SaidName): Promise<Read<undefined>> {
    return attempt(() => this.#onPrimary((db) => putName(db, said)));
  }

  roomsBehind(part: { readonly after: string; readonly most: number }): Promise<Read<RoomsBehind>> {
    return attempt(() => this.#onPrimary((db) => roomsBehind(db, this.#language, part)));
  }

  indexRooms(rooms: readonly RoomId[]): Promise<Read<readonly IndexedRoom[]>> {
    return attempt(() => this.#onPrimary((db) => indexRooms(db, this.#language, rooms)));
  }

  /** Rejects when PostgreSQL does not know the language of the search. */
  async requireLanguage(): Promise<void> {
    if (await this.#onPrimary((db) => hasLanguage(db, this.#language))) return;
    throw new Error(
      `SEARCH_LANGUAGE: PostgreSQL has no text search configuration ${this.#language}`,
    );
  }

  begin(upload: NewUpload): Promise<RecordOutcome> {
    return this.#record((db) => beginUpload(db, upload));
  }

  finish(upload: FinishedUpload): Promise<RecordOutcome> {
    return this.#record((db) => finishUpload(db, upload));
  }

  /** On the primary: an upload that has just ended is found, and an erased one is not. */
  find(file: { readonly id: MessageId; readonly room: RoomId }): Promise<RecordOutcome> {
    return this.#record((db) => findAttachment(db, file));
  }

  sweepable(query: Parameters<typeof sweepable>[1]): Promise<Read<readonly Sweepable[]>> {
    return attempt(() => this.#onPrimary((db) => sweepable(db, query)));
  }

  forget(ids: readonly MessageId[]): Promise<Read<void>> {
    return attempt(() => this.#onPrimary((db) => forgetAttachments(db, ids)));
  }

  async #record(call: (db: Pool) => Promise<RecordOutcome>): Promise<RecordOutcome> {
    const outcome = await attempt(() => this.#onPrimary(call));
    return outcome.kind === "ok" ? outcome.value : { kind: "refused", error: "unavailable" };
  }

  putReads(reads: readonly ReadPosition[]): Promise<Read<readonly ReadPosition[]>> {
    return attempt(() => this.#positions.get(reads));
  }

  /** archive-postgres.5. */
  moveTo(url: string): void {
    if (this.#isClosed || url === this.#url) return;
    this.#url = url;
    const reason = "the archive has another primary";
    this.#primary.giveUp(reason);
    this.#primary = this.#openPrimary();
    this.#reads.giveUp(reason);
    this.#reads = this.#openReads();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const pools = [this.#primary, this.#reads, ...this.#replaced];
    await Promise.all([this.replica?.close(), ...pools.map((pool) => pool.retire())]);
  }

  #openPrimary(): PostgresPool {
    const bounds = { max: WRITERS + 3, timeoutMs: WRITE_TIMEOUT_MS };
    return new PostgresPool(this.#url, bounds, this.#options.onIdleError);
  }

  #openReads(): PostgresPool {
    return new PostgresPool(this.#url, READ_BOUNDS, this.#options.onIdleError);
  }

  #openReplica(): ReplicaReads | undefined {
    const { replicaUrl: url, replicaWaitMs: waitMs, onIdleError, onReplica } = this.#options;
    if (url === undefined) return undefined;
    return new ReplicaReads({
      url,
      bounds: READ_BOUNDS,
      clock: systemClock,
      waitMs,
      position: () => this.breaker.run(() => this.#reads.run(readPosition)),
      onIdleError,
      onState: onReplica,
    });
  }

  /** Statements in flight end on their own connections. */
  #retire(pool: PostgresPool): void {
    this.#replaced.add(pool);
    void pool.retire().finally(() => this.#replaced.delete(pool));
  }

  async #onPrimary<T>(call: (db: Pool) => Promise<T>): Promise<T> {
    const pool = this.#primary;
    try {
      return await pool.run(call);
    } catch (error: unknown) {
      if (isSilent(error) && pool === this.#primary && !this.#isClosed) {
        this.#retire(pool); // archive-postgres.4
        this.#primary = this.#openPrimary();
      }
      throw error;
    }
  }

  #onReads<T>(read: (db: Pool) => Promise<T>): Promise<T> {
    return this.breaker.run(() => {
      this.reads.add("primary");
      return this.#reads.run(read);
    });
  }

  #attemptRead<T>(read: (db: Pool) => Promise<T>): Promise<Read<T>> {
    return attempt(() => this.#onReads(read));
  }

  /** From the replica, when it has as much as the primary. */
  #attemptShared<T>(read: (db: Pool) => Promise<T>): Promise<Read<T>> {
    const { replica } = this;
    if (replica === undefined) return this.#attemptRead(read);
    return attempt(async () => {
      const found = await replica.run(read);
      if (found.kind === "primary") return this.#onReads(read);
      this.reads.add("replica");
      return found.value;
    });
  }
}

async function attempt<T>(read: () => Promise<T>): Promise<Read<T>> {
  try {
    return { kind: "ok", value: await read() };
  } catch (error: unknown) {
    return { kind: "unavailable", reason: reasonOf(error) };
  }
}

async function lookUpQuarantined(
  db: Pool,
  { room, sender, id }: { readonly room: RoomId; readonly sender: UserId; readonly id: MessageId },
): Promise<Found | undefined> {
  for (const { seq, line } of await readQuarantined(db, room, 1, Number.MAX_SAFE_INTEGER)) {
    const keys = keysOf(line);
    if (keys?.id === id && keys.sender === sender) return { seq, at: keys.at };
  }
  return undefined;
}

/** The lines from `first` on without a gap, within the byte bound of a range, at least one. */
function contiguous(found: ReadonlyMap<Seq, string>, first: Seq, last: Seq): string[] {
  const lines: string[] = [];
  let bytes = 0;
  for (let seq = first; seq <= last; seq++) {
    const line = found.get(seq);
    if (line === undefined) break;
    bytes += Buffer.byteLength(line);
    if (lines.length > 0 && bytes > RANGE_BYTES_MAX) break;
    lines.push(line);
  }
  return lines;
}
