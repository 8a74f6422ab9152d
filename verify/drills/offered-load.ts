// OfferedLoad: many users in many rooms, and the schedule by which they write.
//
// Owns: the schedule, the retries, the file of records. Does not own: the phases, the verdict.
//
//   offered-load.1. Open loop: message i of a phase is due at its begin + i / rate, whatever the
//        server has answered. A late tick writes every due message and keeps its lateness.
//   offered-load.2. Consecutive messages come from users that are far apart in the list, so that
//        all users write equally often.

import { closeSync, openSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { encodeRecord } from "../checker/record.ts";
import type { ClientRecord } from "../checker/record.ts";
import { OverloadReaders } from "./overload-readers.ts";
import type { ReadCounts } from "./overload-readers.ts";
import { OverloadUser } from "./overload-user.ts";
import type { PendingMessage } from "./overload-user.ts";
import { Windows } from "./overload-windows.ts";
import type { Figures } from "./overload-windows.ts";

export interface OfferedLoadOptions {
  readonly url: string;
  readonly rooms: readonly RoomId[];
  /** One user each. */
  readonly tokens: readonly string[];
  /** One reader each. */
  readonly readerTokens: readonly string[];
  /** Pending messages of one user. */
  readonly pendingMax: number;
  /** The load appends its records to this file. */
  readonly file: string;
}

export interface Offer {
  readonly perSecond: number;
  readonly seconds: number;
  /** The largest 99th percentile that counts as normal. */
  readonly boundMs: number;
  /** The wait for the last answers after the phase. They count for its latencies. */
  readonly answersMs: number;
  /** Pages and joins of the readers. */
  readonly readsPerSecond: number;
}

export interface Offered extends Figures {
  readonly reads: ReadCounts;
}

const TICK_MS = 2;
const FLUSH_BYTES = 64 * 1024;
/** Coprime to any number of users that is not a multiple of it (offered-load.2). */
const STRIDE = 7_919;
const IN_WITHIN_MS = 120_000;
const DRAINED_WITHIN_MS = 120_000;
const JOIN_EVERY_MS = 2;
const SURPRISES_MAX = 20;

export class OfferedLoad {
  readonly surprises: string[] = [];
  readonly #options: OfferedLoadOptions;
  readonly #users: OverloadUser[] = [];
  readonly #readers: OverloadReaders;
  readonly #file: number;
  /** Tick → the messages to send again in it. */
  readonly #retries = new Map<number, PendingMessage[]>();
  #buffer: string[] = [];
  #bytes = 0;
  #windows: Windows | undefined;
  #tick = Math.floor(performance.now() / TICK_MS);
  #sent = 0;
  #timer: NodeJS.Timeout;

  constructor(options: OfferedLoadOptions) {
    this.#options = options;
    this.#file = openSync(options.file, "a");
    const { url, rooms, tokens, readerTokens } = options;
    this.#readers = new OverloadReaders({
      url,
      rooms,
      tokens: readerTokens,
      addressOf: (n) => addressOf(tokens.length + (n % readerTokens.length)),
    });
    this.#timer = setInterval(() => this.#sendRetries(), TICK_MS);
  }

  /** Resolves when every user has joined its room. */
  async open(): Promise<void> {
    const { url, rooms, tokens, pendingMax } = this.#options;
    for (const [n, token] of tokens.entries()) {
      const user = new OverloadUser({
        url,
        user: userName(n),
        room: rooms[n % rooms.length] as RoomId,
        token,
        localAddress: addressOf(n),
        pendingMax,
        now: () => performance.now(),
        record: (record) => this.#record(record),
        onAck: ({ dueAt }) => this.#windows?.acked(dueAt, performance.now()),
        onRefused: (message, name, afterMs) => this.#onRefused(message, name, afterMs),
        onSurprise: (what) => {
          if (this.surprises.length < SURPRISES_MAX) this.surprises.push(what);
        },
      });
      this.#users.push(user);
      await sleep(JOIN_EVERY_MS);
    }
    const isJoined = (): boolean => this.#users.every((user) => user.isJoined);
    await until(isJoined, { withinMs: IN_WITHIN_MS, what: "every user to join its room" });
    await this.#readers.open();
  }

  async offer(offer: Offer): Promise<Offered> {
    const { perSecond, seconds, boundMs, answersMs, readsPerSecond } = offer;
    const beganAt = performance.now() + 2 * TICK_MS;
    const endsAt = beganAt + seconds * 1_000;
    const windows = new Windows(beganAt, endsAt);
    this.#windows = windows;
    this.#readers.start(readsPerSecond);
    const count = Math.round(perSecond * seconds);
    for (let made = 0; made < count; await sleep(TICK_MS)) {
      const now = performance.now();
      for (; made < count; made++) {
        const dueAt = beganAt + (made * 1_000) / perSecond;
        if (dueAt > now) break;
        this.#sendNew(windows, dueAt);
      }
    }
    await sleep(Math.max(0, endsAt - performance.now()));
    const reads = this.#readers.stop();
    await sleep(answersMs);
    return { ...windows.figures(boundMs), reads };
  }

  /** Resolves when every message is acknowledged. */
  async drain(): Promise<void> {
    const isDrained = (): boolean => this.#users.every(({ pending }) => pending === 0);
    await until(isDrained, {
      withinMs: DRAINED_WITHIN_MS,
      what: "every message to be acknowledged",
    });
  }

  /** Whether every user has received its room up to the head. */
  isRead(heads: ReadonlyMap<RoomId, number>): boolean {
    return this.#users.every(({ room, seen }) => seen >= (heads.get(room) ?? 0));
  }

  end(): void {
    clearInterval(this.#timer);
    this.#flush();
    closeSync(this.#file);
    for (const user of this.#users) user.close();
    this.#readers.close();
  }

  flush(): void {
    this.#flush();
  }

  #sendNew(windows: Windows, dueAt: number): void {
    const user = this.#users[(this.#sent++ * STRIDE) % this.#users.length];
    windows.due(dueAt, performance.now());
    if (user?.sendNew(dueAt) === undefined) windows.skipped(dueAt);
    else windows.wrote();
  }

  #onRefused(message: PendingMessage, name: string, afterMs: number): void {
    this.#windows?.refused(name);
    const tick = Math.ceil((performance.now() + afterMs) / TICK_MS);
    const others = this.#retries.get(tick);
    if (others === undefined) this.#retries.set(tick, [message]);
    else others.push(message);
  }

  #sendRetries(): void {
    const now = Math.floor(performance.now() / TICK_MS);
    for (; this.#tick <= now; this.#tick++) {
      for (const message of this.#retries.get(this.#tick) ?? []) {
        message.user.write(message);
        this.#windows?.wrote();
      }
      this.#retries.delete(this.#tick);
    }
  }

  #record(record: ClientRecord): void {
    const line = `${encodeRecord(record)}\n`;
    this.#buffer.push(line);
    this.#bytes += line.length;
    if (this.#bytes > FLUSH_BYTES) this.#flush();
  }

  #flush(): void {
    writeSync(this.#file, this.#buffer.join(""));
    this.#buffer = [];
    this.#bytes = 0;
  }
}

export function userName(n: number): UserId {
  return `user-${n}` as UserId;
}

/** A source address for each user: the gateway limits connections by address. */
function addressOf(n: number): string {
  return `127.1.${Math.floor(n / 250)}.${1 + (n % 250)}`;
}
