// Pages: calls of history and of the room list without an answer.
//
// A page can be requested again without side effects. A page does not change the cursor of a room.
//
//   sdk/pages.1. A call survives reconnects and temporary refusals for PAGE_DEADLINE_MS, then it
//        fails with `unavailable`. It ends exactly once.
//   sdk/pages.2. It holds at most PAGES_MAX calls; further calls fail with `busy`.

import { fullJitter } from "#shared/kit/backoff.ts";
import type { Random } from "#shared/ports/clock.ts";
import type { Millis, RoomId } from "#shared/protocol/ids.ts";
import { PAGE_EVENTS_MAX, ROOMS_PAGE_MAX } from "#shared/protocol/limits.ts";
import { AFTER_MS_MAX, PAGE_DEADLINE_MS, PAGES_MAX, RETRY } from "./bounds.ts";
import { earliest } from "./earliest.ts";
import type { RoomsPage } from "#shared/protocol/room-list.ts";
import type { Effect, Page, PageRange, RoomsRange } from "./effects.ts";
import type { Refusal } from "./outbox.ts";
import { CLOSED, FULL, NO_ANSWER } from "./refusals.ts";
import type { Cause } from "./refusals.ts";

/** The rooms of a page without a `limit`. */
const ROOMS_DEFAULT = 50;

interface Frame {
  readonly t: string;
  readonly [field: string]: unknown;
}

interface Call {
  readonly call: number;
  /** Undefined for a room list, which needs no joined room. */
  readonly room: RoomId | undefined;
  /** Without its `ref`. */
  readonly frame: Frame;
  readonly until: Millis;
  ref: number | undefined;
  notBefore: Millis;
  attempt: number;
}

export class Pages {
  readonly #random: Random;
  readonly #calls: Map<number, Call> = new Map();

  constructor(random: Random) {
    this.#random = random;
  }

  wakeAt(now: Millis): Millis | undefined {
    const times = Array.from(this.#calls.values(), ({ ref, notBefore, until }) =>
      ref === undefined && notBefore > now ? Math.min(notBefore, until) : until,
    );
    return earliest(times);
  }

  add(call: number, room: RoomId, range: PageRange, now: Millis): readonly Effect[] {
    const limit = Math.min(Math.max(Math.floor(range.limit), 1), PAGE_EVENTS_MAX);
    return this.#add(call, room, { t: "history", room, ...range, limit }, now);
  }

  addRooms(
    call: number,
    { after, limit = ROOMS_DEFAULT }: RoomsRange,
    now: Millis,
  ): readonly Effect[] {
    const bounded = Math.min(Math.max(Math.floor(limit), 1), ROOMS_PAGE_MAX);
    return this.#add(call, undefined, { t: "rooms", after, limit: bounded }, now);
  }

  #add(call: number, room: RoomId | undefined, frame: Frame, now: Millis): readonly Effect[] {
    if (this.#calls.size >= PAGES_MAX) return [failed(call, FULL)];
    const entry = { call, room, frame, until: now + PAGE_DEADLINE_MS };
    this.#calls.set(call, { ...entry, ref: undefined, notBefore: 0, attempt: 0 });
    return [];
  }

  /** The frames to write now. */
  take(now: Millis, newRef: () => number, isJoined: (room: RoomId) => boolean): readonly string[] {
    const texts: string[] = [];
    for (const entry of this.#calls.values()) {
      if (entry.ref !== undefined || entry.notBefore > now) continue;
      if (entry.room !== undefined && !isJoined(entry.room)) continue;
      entry.ref = newRef();
      const { t, ...rest } = entry.frame;
      texts.push(JSON.stringify({ t, ref: entry.ref, ...rest }));
    }
    return texts;
  }

  onPage(ref: number, page: Page | RoomsPage): readonly Effect[] {
    const entry = this.#find(ref);
    if (entry === undefined) return [];
    this.#calls.delete(entry.call);
    return [{ kind: "page", call: entry.call, page }];
  }

  /** Undefined when `ref` belongs to no page. */
  onRefused(ref: number, refusal: Refusal, now: Millis): readonly Effect[] | undefined {
    const entry = this.#find(ref);
    if (entry === undefined) return undefined;
    if (!refusal.retry) {
      this.#calls.delete(entry.call);
      return [failed(entry.call, refusal)];
    }
    const wait = fullJitter(entry.attempt++, RETRY, this.#random);
    entry.ref = undefined;
    entry.notBefore = now + Math.max(wait, Math.min(refusal.afterMs ?? 0, AFTER_MS_MAX));
    return [];
  }

  /** The caller no longer waits; an answer that arrives later belongs to no call. */
  cancel(call: number): void {
    this.#calls.delete(call);
  }

  onDisconnected(): void {
    for (const entry of this.#calls.values()) entry.ref = undefined;
  }

  onLeft(room: RoomId, cause: Cause): readonly Effect[] {
    return this.#fail((entry) => entry.room === room, cause);
  }

  onClosed(): readonly Effect[] {
    return this.#fail(() => true, CLOSED);
  }

  tick(now: Millis): readonly Effect[] {
    return this.#fail((entry) => entry.until <= now, NO_ANSWER);
  }

  #find(ref: number): Call | undefined {
    for (const entry of this.#calls.values()) if (entry.ref === ref) return entry;
    return undefined;
  }

  #fail(isAffected: (entry: Call) => boolean, cause: Cause): readonly Effect[] {
    const affected = [...this.#calls.values()].filter(isAffected);
    for (const { call } of affected) this.#calls.delete(call);
    return affected.map(({ call }) => failed(call, cause));
  }
}

function failed(call: number, { name: error, message }: Cause): Effect {
  return { kind: "page-failed", call, error, message };
}
