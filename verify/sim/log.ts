// SimulatedLog: the PartitionLog port of one process, and the faults of its requests to the log
// server.
//
// Owns: requests, their timeouts, readers. Does not own: the entries (log-server.ts).
//
//   sim/log.1. Requests travel on the process' own connection. A cut holds or loses them, and a
//              held append arrives late, whatever has happened in the meantime.
//   sim/log.2. The server tries appends to a partition in the order of their calls (ports/log.2),
//              also when its disk is slow.
//   sim/log.3. Every request ends: with an answer, at its timeout, or when the connection is lost.
//   sim/log.4. After a lost connection a reader continues at its position (ports/log.4).

import { isEntryTooLarge } from "#shared/ports/log.ts";
import type {
  AppendOutcome,
  GetOutcome,
  LastOutcome,
  LogReader,
  PartitionLog,
  ReadHandlers,
} from "#shared/ports/log.ts";
import type { LogSeq, Millis, Partition } from "#shared/protocol/ids.ts";
import type { SimulatedBus } from "./bus.ts";
import type { SeededRng } from "./seeded-rng.ts";
import type { Findings } from "./findings.ts";
import type { LogServer } from "./log-server.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Conditions } from "./conditions.ts";

const APPEND_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 2_000;
/** When a reader tries again after it found its connection blocked or lost. */
const READER_RETRY_MS = 250;
/** The most entries in one delivery to a reader. */
const READER_BURST = 32;
/** The duration of one fsync. */
const SYNC_MS = { min: 0.3, max: 2 };

export interface SimulatedLogOptions {
  readonly bus: SimulatedBus;
  readonly server: LogServer;
  readonly scheduler: Scheduler;
  readonly rng: SeededRng;
  readonly conditions: Conditions;
  readonly findings: Findings;
}

const encoder = new TextEncoder();
/** sim/log.2: until when each partition's disk is busy with earlier appends of all processes. */
const busyUntil = new WeakMap<LogServer, Map<Partition, Millis>>();

export class SimulatedLog implements PartitionLog {
  readonly #options: SimulatedLogOptions;
  readonly #busy: Map<Partition, Millis>;

  constructor(options: SimulatedLogOptions) {
    this.#options = options;
    this.#busy = busyUntil.get(options.server) ?? new Map<Partition, Millis>();
    busyUntil.set(options.server, this.#busy);
  }

  append(p: Partition, data: string | Uint8Array, expected: LogSeq): Promise<AppendOutcome> {
    const { server, rng, conditions, findings } = this.#options;
    if (isEntryTooLarge(data)) {
      findings.violation("ports/log.7", `an entry of length ${data.length} for log ${p}`);
      return Promise.resolve({ kind: "full" }); // ports/log.7
    }
    const bytes = typeof data === "string" ? encoder.encode(data) : data.slice();
    const unknown: AppendOutcome = { kind: "unknown", reason: "no answer" };
    return this.#request<AppendOutcome>(`log.${p}`, APPEND_TIMEOUT_MS, unknown, (answer) => {
      if (conditions.log.isLeaderless) {
        answer({ kind: "unknown", reason: "the log has no leader" });
        return;
      }
      if (rng.chance(conditions.log.appendLoss)) {
        findings.count("append outcome unknown");
        return; // ports/log.3: not stored, and no answer.
      }
      if (rng.chance(conditions.log.conflictWithoutLast)) {
        findings.count("append refused without the last sequence");
        answer({ kind: "conflict" });
        return;
      }
      this.#whenSynced(p, () => {
        const outcome = server.append(p, bytes, expected);
        if (outcome.kind === "full") findings.count("log was full");
        if (!rng.chance(conditions.log.ackLoss)) return answer(outcome);
        findings.count("append outcome unknown"); // ports/log.3: perhaps stored, and no answer.
      });
    });
  }

  last(p: Partition): Promise<LastOutcome> {
    const { server, rng, conditions } = this.#options;
    const unknown: LastOutcome = { kind: "unknown", reason: "no answer" };
    return this.#request<LastOutcome>(`last.${p}`, REQUEST_TIMEOUT_MS, unknown, (answer) => {
      if (conditions.log.isLeaderless) return;
      const behind = rng.chance(conditions.log.staleLast) ? rng.int(1, 4) : 0;
      const first = server.first(p);
      const last = Math.max(first - 1, server.last(p) - behind);
      answer({ kind: "ok", first, last, bytes: 0 });
    });
  }

  get(p: Partition, seq: LogSeq): Promise<GetOutcome> {
    const unknown: GetOutcome = { kind: "unknown", reason: "no answer" };
    return this.#request<GetOutcome>(`get.${p}`, REQUEST_TIMEOUT_MS, unknown, (answer) => {
      if (this.#options.conditions.log.isLeaderless) return;
      const data = this.#options.server.get(p, seq);
      answer(data === undefined ? { kind: "gone" } : { kind: "ok", data });
    });
  }

  trim(p: Partition, upTo: LogSeq): Promise<{ readonly kind: "ok" | "refused" | "unknown" }> {
    const { server, conditions } = this.#options;
    return this.#request<{ readonly kind: "ok" | "refused" | "unknown" }>(
      `trim.${p}`,
      REQUEST_TIMEOUT_MS,
      { kind: "unknown" },
      (answer) => {
        if (conditions.log.isLeaderless) return;
        if (!Number.isSafeInteger(upTo) || upTo < 2 || upTo >= server.last(p)) {
          answer({ kind: "refused" }); // ports/log.6
          return;
        }
        server.trim(p, upTo);
        answer({ kind: "ok" });
      },
    );
  }

  read(p: Partition, from: LogSeq, handlers: ReadHandlers): LogReader {
    return new Reader(this.#options, p, from, handlers);
  }

  #whenSynced(p: Partition, run: () => void): void {
    const { scheduler, rng, conditions } = this.#options;
    const slow = conditions.log.slowMs > 0 ? rng.between(0, conditions.log.slowMs) : 0;
    const begin = Math.max(scheduler.now, this.#busy.get(p) ?? 0);
    const end = begin + rng.between(SYNC_MS.min, SYNC_MS.max) + slow;
    this.#busy.set(p, end);
    scheduler.at(end, run);
  }

  #request<T>(
    key: string,
    timeoutMs: number,
    unknown: T,
    work: (answer: (outcome: T) => void) => void,
  ): Promise<T> {
    const { bus } = this.#options;
    return new Promise((resolve) => {
      const settle = (outcome: T): void => {
        timer.cancel();
        removeListener();
        resolve(outcome);
      };
      const wait = bus.status === "disconnected" ? 0 : timeoutMs;
      const timer = bus.process.clock.after(wait, () => settle(unknown));
      const removeListener = bus.onLost(() => settle(unknown)); // sim/log.3
      if (bus.status === "disconnected") return;
      bus.up.put(key, () => {
        work((outcome) => bus.receive(`answer ${key}`, () => settle(outcome)));
      });
    });
  }
}

class Reader implements LogReader {
  readonly #options: SimulatedLogOptions;
  readonly #p: Partition;
  readonly #handlers: ReadHandlers;
  readonly #unwatch: () => void;
  #next: LogSeq;
  #hasBegun = false;
  #isOpen = true;
  #isScheduled = false;

  constructor(options: SimulatedLogOptions, p: Partition, from: LogSeq, handlers: ReadHandlers) {
    this.#options = options;
    this.#p = p;
    this.#handlers = handlers;
    this.#next = Math.max(1, from);
    this.#unwatch = options.server.watch(p, () => this.#scheduleDelivery());
    options.bus.process.onExit(() => this.close());
    this.#scheduleDelivery();
  }

  close(): void {
    this.#isOpen = false;
    this.#unwatch();
  }

  /** At most one delivery is scheduled. An append during a delivery is part of the next one. */
  #scheduleDelivery(): void {
    if (this.#isScheduled || !this.#isOpen) return;
    const { server, rng, scheduler, conditions, bus } = this.#options;
    if (this.#next > server.last(this.#p)) return;
    this.#isScheduled = true;
    const lag = conditions.log.readLagMs > 0 ? rng.between(0, conditions.log.readLagMs) : 0;
    const delay = bus.status === "connected" && !bus.down.isBlocked ? lag : READER_RETRY_MS;
    scheduler.after(delay + rng.between(0.2, 2), () => this.#deliver());
  }

  #deliver(): void {
    this.#isScheduled = false;
    const { bus, conditions } = this.#options;
    const isCut = bus.status === "disconnected" || bus.down.isBlocked || bus.up.isBlocked;
    if (isCut || conditions.log.isLeaderless) {
      this.#scheduleDelivery(); // sim/log.4
      return;
    }
    this.#isScheduled = true;
    bus.process.run(() => {
      this.#isScheduled = false;
      for (let i = 0; i < READER_BURST && this.#isOpen; i++) if (!this.#deliverNext()) break;
      this.#scheduleDelivery();
    });
  }

  #deliverNext(): boolean {
    const { server } = this.#options;
    const first = server.first(this.#p);
    if (this.#next < first) {
      if (this.#hasBegun) {
        this.close();
        this.#handlers.onError("entries were trimmed before they were read");
        return false;
      }
      this.#next = first; // ports/log.4
    }
    const data = server.get(this.#p, this.#next);
    if (data === undefined) return false;
    this.#hasBegun = true;
    const seq = this.#next++;
    try {
      this.#handlers.onEntry(seq, data);
    } catch (error: unknown) {
      this.close();
      this.#handlers.onError(`the entry handler threw at ${seq}: ${String(error)}`);
      throw error; // The process reports it (process.3).
    }
    return true;
  }
}
