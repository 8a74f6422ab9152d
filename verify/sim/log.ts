// Log: one process' way to the log server: the PartitionLog port, with everything that can happen to
// a question and to its answer.
//
//   sim/log.1. Questions travel on the process' own connection, so a cut holds or loses them, and an
//        append that was held comes late, whatever happened meanwhile.
//   sim/log.2. Appends to a partition are tried in the order of their calls (ports/log.2), however slow.
//   sim/log.3. Every question ends: with an answer, at its timeout, or when the connection is lost.
//   sim/log.4. A reader mends itself: after a lost connection it goes on where it was (ports/log.4).

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
import type { SimBus } from "./bus.ts";
import type { Dice } from "./seeded-rng.ts";
import type { Findings } from "./findings.ts";
import type { LogServer } from "./log-server.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Weather } from "./conditions.ts";

const APPEND_TIMEOUT_MS = 5_000;
const ASK_TIMEOUT_MS = 2_000;
/** A reader that found its connection blocked or gone looks again. */
const READER_RETRY_MS = 250;
/** Entries that reach a process in one go. */
const READER_BURST = 32;
/** One fsync. */
const SYNC_MS = { min: 0.3, max: 2 };

export interface SimLogOptions {
  readonly bus: SimBus;
  readonly server: LogServer;
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly weather: Weather;
  readonly findings: Findings;
}

const encoder = new TextEncoder();
/** sim/log.2: until when a partition's disk is busy with earlier appends, whoever made them. */
const busyUntil = new WeakMap<LogServer, Map<Partition, Millis>>();

export class SimLog implements PartitionLog {
  readonly #options: SimLogOptions;
  readonly #busy: Map<Partition, Millis>;

  constructor(options: SimLogOptions) {
    this.#options = options;
    this.#busy = busyUntil.get(options.server) ?? new Map<Partition, Millis>();
    busyUntil.set(options.server, this.#busy);
  }

  append(p: Partition, data: string | Uint8Array, expected: LogSeq): Promise<AppendOutcome> {
    const { server, dice, weather, findings } = this.#options;
    if (isEntryTooLarge(data)) findings.broken("LOG7", `an entry of ${data.length} for log ${p}`);
    const bytes = typeof data === "string" ? encoder.encode(data) : data.slice();
    const unknown: AppendOutcome = { kind: "unknown", reason: "no answer" };
    return this.#ask<AppendOutcome>(`log.${p}`, APPEND_TIMEOUT_MS, unknown, (answer) => {
      if (weather.log.isLeaderless) {
        answer({ kind: "unknown", reason: "the log has no leader" });
        return;
      }
      if (dice.chance(weather.log.appendLoss)) {
        findings.saw("append in doubt");
        return; // ports/log.3: not stored, nobody is told.
      }
      if (dice.chance(weather.log.unnamed)) {
        findings.saw("append refused without a number");
        answer({ kind: "conflict" });
        return;
      }
      this.#whenSynced(p, () => {
        const outcome = server.append(p, bytes, expected);
        if (outcome.kind === "full") findings.saw("log was full");
        if (!dice.chance(weather.log.ackLoss)) return answer(outcome);
        findings.saw("append in doubt"); // ports/log.3: or stored, all the same.
      });
    });
  }

  last(p: Partition): Promise<LastOutcome> {
    const { server, dice, weather } = this.#options;
    const unknown: LastOutcome = { kind: "unknown", reason: "no answer" };
    return this.#ask<LastOutcome>(`last.${p}`, ASK_TIMEOUT_MS, unknown, (answer) => {
      if (weather.log.isLeaderless) return;
      const behind = dice.chance(weather.log.stale) ? dice.int(1, 4) : 0;
      const first = server.first(p);
      const last = Math.max(first - 1, server.last(p) - behind);
      answer({ kind: "ok", first, last, bytes: 0 });
    });
  }

  get(p: Partition, seq: LogSeq): Promise<GetOutcome> {
    const unknown: GetOutcome = { kind: "unknown", reason: "no answer" };
    return this.#ask<GetOutcome>(`get.${p}`, ASK_TIMEOUT_MS, unknown, (answer) => {
      if (this.#options.weather.log.isLeaderless) return;
      const data = this.#options.server.get(p, seq);
      answer(data === undefined ? { kind: "gone" } : { kind: "ok", data });
    });
  }

  trim(p: Partition, upTo: LogSeq): Promise<{ readonly kind: "ok" | "refused" | "unknown" }> {
    const { server, weather } = this.#options;
    return this.#ask<{ readonly kind: "ok" | "refused" | "unknown" }>(
      `trim.${p}`,
      ASK_TIMEOUT_MS,
      { kind: "unknown" },
      (answer) => {
        if (weather.log.isLeaderless) return;
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
    const { scheduler, dice, weather } = this.#options;
    const slow = weather.log.slowMs > 0 ? dice.between(0, weather.log.slowMs) : 0;
    const begin = Math.max(scheduler.now, this.#busy.get(p) ?? 0);
    const end = begin + dice.between(SYNC_MS.min, SYNC_MS.max) + slow;
    this.#busy.set(p, end);
    scheduler.at(end, run);
  }

  #ask<T>(
    key: string,
    timeoutMs: number,
    unknown: T,
    work: (answer: (outcome: T) => void) => void,
  ): Promise<T> {
    const { bus } = this.#options;
    return new Promise((resolve) => {
      const settle = (outcome: T): void => {
        timer.cancel();
        forget();
        resolve(outcome);
      };
      const wait = bus.status === "disconnected" ? 0 : timeoutMs;
      const timer = bus.process.clock.after(wait, () => settle(unknown));
      const forget = bus.onLost(() => settle(unknown)); // sim/log.3
      if (bus.status === "disconnected") return;
      bus.up.put(key, () => {
        work((outcome) => bus.receive(`answer ${key}`, () => settle(outcome)));
      });
    });
  }
}

class Reader implements LogReader {
  readonly #options: SimLogOptions;
  readonly #p: Partition;
  readonly #handlers: ReadHandlers;
  readonly #unwatch: () => void;
  #next: LogSeq;
  #hasBegun = false;
  #isOpen = true;
  #isMoving = false;

  constructor(options: SimLogOptions, p: Partition, from: LogSeq, handlers: ReadHandlers) {
    this.#options = options;
    this.#p = p;
    this.#handlers = handlers;
    this.#next = Math.max(1, from);
    this.#unwatch = options.server.watch(p, () => this.#move());
    options.bus.process.onDeath(() => this.close());
    this.#move();
  }

  close(): void {
    this.#isOpen = false;
    this.#unwatch();
  }

  /** One delivery at a time is under way; an append during it is seen by the next one. */
  #move(): void {
    if (this.#isMoving || !this.#isOpen) return;
    const { server, dice, scheduler, weather, bus } = this.#options;
    if (this.#next > server.last(this.#p)) return;
    this.#isMoving = true;
    const lag = weather.log.readLagMs > 0 ? dice.between(0, weather.log.readLagMs) : 0;
    const delay = bus.status === "connected" && !bus.down.isBlocked ? lag : READER_RETRY_MS;
    scheduler.after(delay + dice.between(0.2, 2), () => this.#deliver());
  }

  #deliver(): void {
    this.#isMoving = false;
    const { bus, weather } = this.#options;
    const isCut = bus.status === "disconnected" || bus.down.isBlocked || bus.up.isBlocked;
    if (isCut || weather.log.isLeaderless) {
      this.#move(); // sim/log.4
      return;
    }
    this.#isMoving = true;
    bus.process.run(() => {
      this.#isMoving = false;
      for (let i = 0; i < READER_BURST && this.#isOpen; i++) if (!this.#hand()) break;
      this.#move();
    });
  }

  #hand(): boolean {
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
    this.#handlers.onEntry(this.#next++, data);
    return true;
  }
}
