// LogWatch: measures how far each partition's log is ahead of its archive, and how full it is.
//
// Owns: reading the state of each assigned stream every WATCH_MS, for metrics and `parley status`.
// Does not own: the archiving; the archiver uses only what it has read.
//
//   log-watch.1. The age of an entry that is not archived counts from the first read that saw it.
//        So it is at most WATCH_MS too small and depends on no other process's clock.
//   log-watch.2. At most one request per partition is open. A log that does not answer, or whose
//        replica answers while it has no leader, is unreachable.
//   log-watch.3. A log that ends below its archive was lost (R1); `missing` counts the entries that
//        it lacks. A lagging replica may report that for a moment, so two reads in a row must
//        agree.
//   log-watch.4. Archived entries are removed from memory at the next read, also when no scrape
//        reads the states.
//   log-watch.5. For the forecast, only the part of a log that is not archived counts as growth.
//        The archived part is retention, and it is trimmed when space is needed.
//   log-watch.6. A partition is read as soon as its watermark is known. Else `parley status` would
//        report for WATCH_MS after a start that no process archives it.

import type { Resource, Usage } from "#shared/kit/foresight.ts";
import type { Clock, Timer } from "#shared/ports/clock.ts";
import type { LastOutcome, PartitionLog } from "#shared/ports/log.ts";
import type { LogStatus } from "#shared/protocol/control.ts";
import type { LogSeq, Millis, Partition } from "#shared/protocol/ids.ts";

export const WATCH_MS = 5_000;
/** Reads that are kept while the archive stalls; after that the oldest age stays. */
const SEEN_MAX = 900;
/** The threshold of ParleyArchiveLags. */
const LAG_SECONDS_MAX = 120;

export interface LogState {
  /** False: appends are impossible, in most cases because the stream has no leader. */
  readonly isReachable: boolean;
  readonly lagEntries: number;
  readonly lagSeconds: number;
  /**
   * Archived entries above the end of the log. Above 0, the log was lost, and waits for a restore.
   */
  readonly missing: number;
  /** How far back the log reaches; undefined while it was never trimmed. */
  readonly reachSeconds: number | undefined;
  readonly bytes: number;
  readonly bytesMax: number | undefined;
}

interface Seen {
  readonly last: LogSeq;
  readonly at: Millis;
}

interface Watched {
  /** Ascending; each has the time at which `last` first was that high. */
  readonly seen: Seen[];
  outcome: LastOutcome | undefined;
  /**
   * By how much the log ended below its archive, at the previous read and at the last one
   * (log-watch.3).
   */
  missing: readonly [number, number];
  isReading: boolean;
}

export interface LogWatchOptions {
  readonly log: Pick<PartitionLog, "last">;
  readonly clock: Clock;
  /** The partitions that this process archives now, with their watermarks. */
  readonly assigned: () => Iterable<readonly [Partition, LogSeq]>;
}

export class LogWatch {
  readonly #options: LogWatchOptions;
  readonly #watched = new Map<Partition, Watched>();
  #timer: Timer | undefined;

  constructor(options: LogWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = this.#options.clock.every(WATCH_MS, () => this.look());
    this.look();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  look(): void {
    const assigned = new Set<Partition>();
    for (const [p, watermark] of this.#options.assigned()) {
      assigned.add(p);
      const watched = this.#watched.get(p) ?? unseen();
      this.#watched.set(p, watched);
      forgetArchived(watched.seen, watermark); // log-watch.4
      if (!watched.isReading) void this.#read(p, watermark, watched); // log-watch.2
    }
    for (const p of this.#watched.keys()) if (!assigned.has(p)) this.#watched.delete(p);
  }

  /** The watermark of a partition became known (log-watch.6). */
  onLoaded(): void {
    for (const [p, watermark] of this.#options.assigned()) {
      if (this.#watched.has(p)) continue;
      const watched = unseen();
      this.#watched.set(p, watched);
      void this.#read(p, watermark, watched);
    }
  }

  /** The number of kept reads of all partitions; for tests. */
  get remembered(): number {
    return [...this.#watched.values()].reduce((sum, { seen }) => sum + seen.length, 0);
  }

  *states(): Generator<readonly [Partition, LogState]> {
    for (const [p, watermark] of this.#options.assigned()) {
      const watched = this.#watched.get(p);
      if (watched?.outcome === undefined) continue; // Not read yet.
      yield [p, this.#stateOf(watched, watermark)];
    }
  }

  /** log-watch.5: the largest share of a log that is not archived, and the largest lag. */
  usages(): readonly (readonly [Resource, Usage])[] {
    let share = 0;
    let lag = 0;
    for (const [p, { lagEntries, lagSeconds, bytes, bytesMax }] of this.states()) {
      lag = Math.max(lag, lagSeconds);
      const outcome = this.#watched.get(p)?.outcome;
      if (bytesMax === undefined || outcome?.kind !== "ok") continue;
      const entries = Math.max(1, outcome.last - outcome.first + 1);
      share = Math.max(share, (Math.min(1, lagEntries / entries) * bytes) / bytesMax);
    }
    return [
      ["log", { value: share, limit: 1 }],
      ["archive", { value: lag, limit: LAG_SECONDS_MAX }],
    ];
  }

  async #read(p: Partition, watermark: LogSeq, watched: Watched): Promise<void> {
    watched.isReading = true;
    const outcome = await this.#options.log.last(p);
    watched.isReading = false;
    watched.outcome = outcome;
    if (outcome.kind !== "ok") return;
    watched.missing = [watched.missing[1], Math.max(0, watermark - outcome.last)];
    if (outcome.last <= (watched.seen.at(-1)?.last ?? 0)) return;
    if (watched.seen.length >= SEEN_MAX) watched.seen.splice(1, 1);
    watched.seen.push({ last: outcome.last, at: this.#options.clock.monotonic() });
  }

  #stateOf({ seen, outcome, missing }: Watched, watermark: LogSeq): LogState {
    forgetArchived(seen, watermark);
    const oldest = seen[0];
    const now = this.#options.clock.monotonic();
    const isKnown = outcome?.kind === "ok";
    return {
      isReachable: isKnown && outcome.hasLeader !== false, // log-watch.2
      lagEntries: Math.max(0, (seen.at(-1)?.last ?? watermark) - watermark),
      lagSeconds: oldest === undefined ? 0 : (now - oldest.at) / 1_000,
      missing: Math.min(...missing), // log-watch.3
      reachSeconds: isKnown ? this.#reachOf(outcome) : undefined,
      bytes: isKnown ? outcome.bytes : 0,
      bytesMax: isKnown ? outcome.bytesMax : undefined,
    };
  }

  #reachOf({ first, firstAt }: Extract<LastOutcome, { kind: "ok" }>): number | undefined {
    if (first <= 1 || firstAt === undefined) return undefined;
    return Math.max(0, this.#options.clock.now() - firstAt) / 1_000;
  }
}

function unseen(): Watched {
  return { seen: [], outcome: undefined, missing: [0, 0], isReading: false };
}

function forgetArchived(seen: Seen[], watermark: LogSeq): void {
  while (seen.length > 0 && (seen[0]?.last ?? 0) <= watermark) seen.shift();
}

/** Whether the archive had all of the log at the last read. */
export function isCaughtUp({ isReachable, lagEntries, missing }: LogState): boolean {
  return isReachable && lagEntries === 0 && missing === 0;
}

/** The part of `parley status` about logs. */
export function logStatuses(watch: LogWatch): LogStatus[] {
  return Array.from(watch.states(), ([p, state]) => {
    const { isReachable, lagEntries, lagSeconds, missing, bytes, bytesMax } = state;
    const fill = bytesMax === undefined ? undefined : bytes / bytesMax;
    return { p, isReachable, lagEntries, lagSeconds: Math.round(lagSeconds), missing, fill };
  });
}
