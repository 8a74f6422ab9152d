// Follower: the work of an agent whose region follows: it reads its mirrors and reports their ends
// to the region that serves.
//
// Owns: the readers, the reports, the trimming of mirrors. Does not own: who follows
// (core/term.ts), which appends wait (services/room/runtime/regional-log.ts).
//
//   follower.1. Only ends of streams that are mirrors are reported, with the term that this region
//        has seen. They are checked when the term changes and when the region has rejoined.
//   follower.2. An entry is reported after the mirror delivered it: it is on the disks of a quorum.
//   follower.3. Ends that change within one turn of the event loop leave in one message. All ends
//        are repeated each REPEAT_MS, because a message may be lost.
//   follower.4. Where both regions serve, the archive is made from the mirror. After a gap in it
//        all mirrors are looked up again, and `mirrors` decides whether they are usable.

import type { Bus } from "#shared/ports/bus.ts";
import type { Clock, Timer } from "#shared/ports/clock.ts";
import type { LogReader, PartitionLog } from "#shared/ports/log.ts";
import type { LogSeq, Partition } from "#shared/protocol/ids.ts";
import { encodeMirrored } from "#shared/protocol/regions.ts";
import { subjects } from "#shared/protocol/subjects.ts";

export interface FollowerParts {
  readonly region: string;
  /** Where both regions serve. */
  readonly home?: string | undefined;
  readonly partitions: readonly Partition[];
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: PartitionLog;
  /** The last entry of each log that is a usable mirror. */
  readonly mirrors: () => Promise<ReadonlyMap<Partition, LogSeq>>;
  /** Removes entries that this region no longer needs. Called each TRIM_MS. */
  readonly trim: () => Promise<void>;
  readonly report: (event: string, detail: object) => void;
}

const REPEAT_MS = 500;
const TRIM_MS = 10_000;
const RETRY_MS = 1_000;

export class Follower {
  readonly #parts: FollowerParts;
  readonly #timers: Timer[] = [];
  readonly #readers: LogReader[] = [];
  readonly #ends = new Map<Partition, LogSeq>();
  readonly #changed = new Set<Partition>();
  #term: number | undefined;
  #opening = 0;
  #isMirroring = false;
  #isReporting = false;
  /** Opens the mirrors again. */
  #retry: Timer | undefined;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
  }

  /** Whether all logs of this region are mirrors that are read. */
  get isMirroring(): boolean {
    return this.#isMirroring;
  }

  start(): void {
    const { clock, trim, report } = this.#parts;
    this.#timers.push(
      clock.every(REPEAT_MS, () => this.#publish([...this.#ends])),
      clock.every(TRIM_MS, () => {
        if (!this.#isMirroring) return;
        void trim().catch((error: unknown) => report("mirrors not trimmed", { error }));
      }),
    );
  }

  stop(): void {
    this.follow(undefined);
    for (const timer of this.#timers) timer.cancel();
  }

  /** `term`: another region serves with this term. Undefined: nothing is to be reported. */
  follow(term: number | undefined): void {
    if (term === this.#term) return;
    this.#term = term;
    this.#opening++;
    this.#retry?.cancel();
    this.#isMirroring = false;
    for (const reader of this.#readers.splice(0)) reader.close();
    this.#ends.clear();
    this.#changed.clear();
    if (term !== undefined) void this.#open(this.#opening);
  }

  async #open(opening: number): Promise<void> {
    const { mirrors, partitions, log, clock, report } = this.#parts;
    const found = await mirrors().catch((error: unknown): ReadonlyMap<Partition, LogSeq> => {
      report("mirrors not found", { reason: error instanceof Error ? error.message : error });
      return new Map();
    });
    if (opening !== this.#opening) return;
    if (found.size < partitions.length) {
      this.#retry = clock.after(RETRY_MS, () => void this.#open(opening)); // follower.1
      return;
    }
    this.#isMirroring = true;
    for (const [p, end] of found) {
      this.#ends.set(p, end);
      this.#readers.push(
        log.read(p, end + 1, {
          onEntry: (seq) => {
            const isNext = seq === (this.#ends.get(p) ?? 0) + 1;
            if (isNext || this.#parts.home === undefined) this.#onEntry(p, seq);
            else this.#onReaderFailed(opening, { p, reason: "entries are missing" }); // follower.4
          },
          onError: (reason) => this.#onReaderFailed(opening, { p, reason }),
        }),
      );
    }
    this.#publish([...this.#ends]);
  }

  #onReaderFailed(
    opening: number,
    detail: { readonly p: Partition; readonly reason: string },
  ): void {
    if (opening !== this.#opening) return;
    this.#parts.report("a mirror cannot be read", detail);
    const term = this.#term;
    this.#retry?.cancel();
    this.#retry = this.#parts.clock.after(RETRY_MS, () => {
      this.follow(undefined);
      this.follow(term);
    });
  }

  #onEntry(p: Partition, seq: LogSeq): void {
    this.#ends.set(p, seq);
    this.#changed.add(p);
    if (this.#isReporting) return;
    this.#isReporting = true;
    this.#parts.clock.soon(() => {
      this.#isReporting = false;
      const ends = [...this.#changed].map((one) => [one, this.#ends.get(one) ?? 0] as const);
      this.#changed.clear();
      this.#publish(ends);
    });
  }

  #publish(ends: readonly (readonly [Partition, LogSeq])[]): void {
    if (this.#term === undefined || ends.length === 0) return;
    const { bus, region, home } = this.#parts;
    const report = { region, ...(home !== undefined && { home }), term: this.#term, ends };
    bus.publish(subjects.mirrored(region), encodeMirrored(report));
  }
}
