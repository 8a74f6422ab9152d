// RegionalLog: the log of a room node whose region shares its term with another region. This is the
// fence between regions.
//
// Owns: which appends may leave, which results count, and the wait for the mirror. Does not own:
// the grant (shared/process/region-grants.ts), the reaction to an uncertain outcome
// (core/partition.ts). Without REGION no room node has it.
//
//   regional-log.1. Without the right to a partition nothing is appended to it.
//   regional-log.2. A result that arrives after the right has ended is `unknown`, also when the log
//        has stored the entry. So the owner acknowledges and broadcasts nothing.
//   regional-log.3. While the right names a mirror, an append is done when the mirror has it, too.
//        After MIRROR_TIMEOUT_MS its outcome is `unknown`.
//   regional-log.4. Results of a partition are passed on in the order of the appends. Appends that
//        wait are bounded by the commit window of their owner (WINDOW_MAX, WINDOW_BYTES_MAX).

import type { RegionRight } from "#shared/process/region-grants.ts";
import type { Bus } from "#shared/ports/bus.ts";
import type { Clock, Timer } from "#shared/ports/clock.ts";
import type {
  AppendOutcome,
  GetOutcome,
  LastOutcome,
  LogReader,
  PartitionLog,
  ReadHandlers,
  ReadOptions,
} from "#shared/ports/log.ts";
import type { LogSeq, Millis, Partition } from "#shared/protocol/ids.ts";
import { MirrorEnds } from "./mirror-ends.ts";

/** As long as an append itself may take. */
export const MIRROR_TIMEOUT_MS = 5_000;
const CHECK_MS = 100;

const NO_TERM: AppendOutcome = { kind: "unknown", reason: "this region may not serve" };
const NO_MIRROR: AppendOutcome = { kind: "unknown", reason: "the mirror has not confirmed" };

interface Waiting {
  readonly resolve: (outcome: AppendOutcome) => void;
  outcome: AppendOutcome | undefined;
  /** When the log answered. */
  at: Millis;
}

export class RegionalLog implements PartitionLog {
  readonly #log: PartitionLog;
  readonly #right: RegionRight;
  readonly #clock: Clock;
  readonly #ends: MirrorEnds;
  readonly #timer: Timer;
  /** The appends of each partition, the oldest first (regional-log.4). */
  readonly #waiting = new Map<Partition, Waiting[]>();

  constructor(parts: {
    readonly log: PartitionLog;
    readonly right: RegionRight;
    readonly bus: Bus;
    readonly clock: Clock;
  }) {
    this.#log = parts.log;
    this.#right = parts.right;
    this.#clock = parts.clock;
    this.#ends = new MirrorEnds(parts.bus, parts.right, (ps) => {
      for (const p of ps) this.#settle(p);
    });
    parts.right.onChange(() => {
      this.#ends.follow();
      this.#settleAll();
    });
    this.#timer = parts.clock.every(CHECK_MS, () => this.#settleAll());
  }

  /** Appends whose entry is in the log and not yet in the mirror. */
  get waiting(): number {
    let count = 0;
    for (const queue of this.#waiting.values()) {
      count += queue.filter(({ outcome }) => outcome !== undefined).length;
    }
    return count;
  }

  append(p: Partition, data: string | Uint8Array, expected: LogSeq): Promise<AppendOutcome> {
    if (this.#right.allows(p) !== "everything") return Promise.resolve(NO_TERM); // regional-log.1
    return new Promise((resolve) => {
      const waiting: Waiting = { resolve, outcome: undefined, at: 0 };
      const queue = this.#waiting.get(p);
      if (queue === undefined) this.#waiting.set(p, [waiting]);
      else queue.push(waiting);
      void this.#log.append(p, data, expected).then((outcome) => {
        waiting.outcome = outcome;
        waiting.at = this.#clock.monotonic();
        this.#settle(p);
      });
    });
  }

  last(p: Partition): Promise<LastOutcome> {
    return this.#log.last(p);
  }

  read(p: Partition, from: LogSeq, handlers: ReadHandlers, options?: ReadOptions): LogReader {
    return this.#log.read(p, from, handlers, options);
  }

  get(p: Partition, seq: LogSeq): Promise<GetOutcome> {
    return this.#log.get(p, seq);
  }

  trim(p: Partition, upTo: LogSeq): ReturnType<PartitionLog["trim"]> {
    return this.#log.trim(p, upTo);
  }

  close(): void {
    this.#timer.cancel();
    this.#ends.stop();
  }

  #settleAll(): void {
    for (const p of this.#waiting.keys()) this.#settle(p);
  }

  #settle(p: Partition): void {
    const queue = this.#waiting.get(p);
    for (let head = queue?.[0]; head?.outcome !== undefined; head = queue?.[0]) {
      const result = this.#resultOf(p, head.outcome, head.at);
      if (result === undefined) return;
      queue?.shift();
      head.resolve(result);
    }
  }

  /** Undefined: the mirror has not confirmed yet. */
  #resultOf(p: Partition, outcome: AppendOutcome, at: Millis): AppendOutcome | undefined {
    if (this.#right.allows(p) !== "everything") return NO_TERM; // regional-log.2
    if (outcome.kind !== "ok") return outcome;
    const mirror = this.#right.rightOf(p)?.mirror ?? null;
    if (mirror === null || this.#ends.endOf(p) >= outcome.seq) return outcome;
    return this.#clock.monotonic() - at < MIRROR_TIMEOUT_MS ? undefined : NO_MIRROR;
  }
}
