// Overload crowd: many users over many rooms, and the schedule by which they write.
//
// Owns: the schedule, what comes again and when, the records' file. Does not own: phases and verdict.
//
//   offered-load.1. Open loop: message i of a phase is due at its begin + i / rate, whatever was answered. A late turn
//        writes what is due, and its lateness is kept.
//   offered-load.2. Consecutive messages come from users far apart, so that all write equally often.

import { closeSync, openSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { encodeRecord } from "../checker/record.ts";
import type { ClientRecord } from "../checker/record.ts";
import { OverloadUser } from "./overload-user.ts";
import type { Held } from "./overload-user.ts";
import { Windows } from "./overload-windows.ts";
import type { Figures } from "./overload-windows.ts";

export interface CrowdPlan {
  readonly url: string;
  readonly rooms: readonly RoomId[];
  /** One user each. */
  readonly tokens: readonly string[];
  /** Messages of one user without an outcome. */
  readonly heldMax: number;
  /** Records are appended there. */
  readonly file: string;
}

export interface Offer {
  readonly perSecond: number;
  readonly seconds: number;
  /** What a 99th percentile may be at most to be normal. */
  readonly boundMs: number;
  /** How long after the phase its last answers are waited for; they count for its latencies. */
  readonly answersMs: number;
}

const TURN_MS = 2;
const FLUSH_BYTES = 64 * 1024;
/** Coprime to any number of users that is not a multiple of it (offered-load.2). */
const STRIDE = 7_919;
const IN_WITHIN_MS = 120_000;
const DRAINED_WITHIN_MS = 120_000;
const JOIN_EVERY_MS = 2;
const SURPRISES_MAX = 20;

export class OverloadCrowd {
  readonly surprises: string[] = [];
  readonly #plan: CrowdPlan;
  readonly #users: OverloadUser[] = [];
  readonly #file: number;
  /** Turn of TURN_MS → what is sent again in it. */
  readonly #again = new Map<number, Held[]>();
  #buffer: string[] = [];
  #bytes = 0;
  #windows: Windows | undefined;
  #turn = Math.floor(performance.now() / TURN_MS);
  #said = 0;
  #timer: NodeJS.Timeout;

  constructor(plan: CrowdPlan) {
    this.#plan = plan;
    this.#file = openSync(plan.file, "a");
    this.#timer = setInterval(() => this.#sendAgain(), TURN_MS);
  }

  /** Resolves when all are in. */
  async open(): Promise<void> {
    const { url, rooms, tokens, heldMax } = this.#plan;
    for (const [n, token] of tokens.entries()) {
      const user = new OverloadUser({
        url,
        user: userName(n),
        room: rooms[n % rooms.length] as RoomId,
        token,
        localAddress: addressOf(n),
        heldMax,
        now: () => performance.now(),
        record: (record) => this.#record(record),
        onAck: ({ dueAt }) => this.#windows?.acked(dueAt, performance.now()),
        onRefused: (held, name, afterMs) => this.#onRefused(held, name, afterMs),
        onSurprise: (what) => {
          if (this.surprises.length < SURPRISES_MAX) this.surprises.push(what);
        },
      });
      this.#users.push(user);
      await sleep(JOIN_EVERY_MS);
    }
    const isIn = (): boolean => this.#users.every((user) => user.isIn);
    await until(isIn, { withinMs: IN_WITHIN_MS, what: "all users to be in" });
  }

  async offer({ perSecond, seconds, boundMs, answersMs }: Offer): Promise<Figures> {
    const beganAt = performance.now() + 2 * TURN_MS;
    const endsAt = beganAt + seconds * 1_000;
    const windows = new Windows(beganAt, endsAt);
    this.#windows = windows;
    const count = Math.round(perSecond * seconds);
    for (let made = 0; made < count; await sleep(TURN_MS)) {
      const now = performance.now();
      for (; made < count; made++) {
        const dueAt = beganAt + (made * 1_000) / perSecond;
        if (dueAt > now) break;
        this.#say(windows, dueAt);
      }
    }
    await sleep(Math.max(0, endsAt - performance.now()) + answersMs);
    return windows.figures(boundMs);
  }

  /** Resolves when every message has its acknowledgement. */
  async drain(): Promise<void> {
    const isDrained = (): boolean => this.#users.every(({ held }) => held === 0);
    await until(isDrained, { withinMs: DRAINED_WITHIN_MS, what: "every acknowledgement" });
  }

  /** Everybody has been shown their room up to its head. */
  isRead(heads: ReadonlyMap<RoomId, number>): boolean {
    return this.#users.every(({ room, seen }) => seen >= (heads.get(room) ?? 0));
  }

  end(): void {
    clearInterval(this.#timer);
    this.#flush();
    closeSync(this.#file);
    for (const user of this.#users) user.close();
  }

  flush(): void {
    this.#flush();
  }

  #say(windows: Windows, dueAt: number): void {
    const user = this.#users[(this.#said++ * STRIDE) % this.#users.length];
    windows.made(dueAt, performance.now());
    if (user?.say(dueAt) === undefined) windows.unsaid(dueAt);
    else windows.wrote();
  }

  #onRefused(held: Held, name: string, afterMs: number): void {
    this.#windows?.refused(name);
    const turn = Math.ceil((performance.now() + afterMs) / TURN_MS);
    const others = this.#again.get(turn);
    if (others === undefined) this.#again.set(turn, [held]);
    else others.push(held);
  }

  #sendAgain(): void {
    const now = Math.floor(performance.now() / TURN_MS);
    for (; this.#turn <= now; this.#turn++) {
      for (const held of this.#again.get(this.#turn) ?? []) {
        held.user.write(held);
        this.#windows?.wrote();
      }
      this.#again.delete(this.#turn);
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

/** An address of its own for each, as users in the world have. */
function addressOf(n: number): string {
  return `127.1.${Math.floor(n / 250)}.${1 + (n % 250)}`;
}
