// EphemeralFanout: delivers presence, typing and read positions from `live.<room>`, which are never
// stored.
//
// In a large room one typing event costs as many writes as a message. Events that arrive within a
// gap therefore leave as one frame. The gap grows with the cost, up to one second.
//
//   ephemeral-fanout.1. At most WAITING_MAX events wait. Beyond it the oldest is dropped, as every
//        event may be lost.
//   ephemeral-fanout.2. A member whose socket is behind receives none of them.
//   ephemeral-fanout.3. Presence that every member has already is not written again
//        (core/presence-filter.ts).
//   ephemeral-fanout.4. Waiting events are older than the list that a new member receives, so they
//        are not written to it. When another event arrives first, the member receives all of them
//        in order.

import type { Clock } from "#shared/ports/clock.ts";
import type { Millis, RoomId, UserId } from "#shared/protocol/ids.ts";
import { decodeLive } from "#shared/protocol/live.ts";
import { FLUSH_COST_FACTOR, SOCKET_HIGH_BYTES } from "../core/bounds.ts";
import { PresenceFilter } from "../core/presence-filter.ts";
import type { FrameMaker } from "./client-socket.ts";
import type { Member } from "./member.ts";
import { CoalescedTimer } from "./coalesced-timer.ts";

const WAITING_MAX = 64;
const GAP_MAX_MS = 1_000;
const decoder = new TextDecoder();

export class EphemeralFanout {
  readonly #room: RoomId;
  readonly #clock: Clock;
  readonly #frames: FrameMaker;
  readonly #members: ReadonlySet<Member>;
  readonly #timer: CoalescedTimer;
  readonly #filter = new PresenceFilter();
  /** ephemeral-fanout.4. */
  #newcomers: Set<Member> | undefined;
  /** The newest announced number of present users. */
  here = 0;
  #waiting: Uint8Array[] = [];
  #nextAt: Millis = 0;

  constructor(options: {
    readonly room: RoomId;
    readonly clock: Clock;
    readonly frames: FrameMaker;
    readonly members: ReadonlySet<Member>;
  }) {
    this.#room = options.room;
    this.#clock = options.clock;
    this.#frames = options.frames;
    this.#members = options.members;
    this.#timer = new CoalescedTimer(options.clock, () => this.#write());
  }

  /** Accepts a payload of `live.<room>`. False: it does not decode. */
  onLive(data: Uint8Array): boolean {
    const frame = decodeLive(decoder.decode(data), this.#room);
    if (frame === undefined) return false;
    if (frame.t === "presence" && frame.here !== undefined) this.here = frame.here;
    if (frame.t === "presence" && !this.#filter.passes(frame)) return true; // ephemeral-fanout.3
    if (this.#newcomers !== undefined) this.#filter.invalidate(); // ephemeral-fanout.4
    this.#newcomers = undefined;
    if (this.#waiting.length >= WAITING_MAX) {
      this.#waiting.shift(); // ephemeral-fanout.1
      this.#filter.invalidate();
    }
    this.#waiting.push(data);
    if (this.#waiting.length === 1)
      this.#timer.set(Math.max(this.#nextAt, this.#clock.monotonic()));
    return true;
  }

  /** The member received this list in its join. Undefined: too many users to name. */
  onJoined(member: Member, users: readonly UserId[] | undefined, here: number): void {
    this.here = here;
    this.#filter.onListSent(users, this.#members.size === 1);
    if (this.#waiting.length > 0) (this.#newcomers ??= new Set()).add(member);
  }

  stop(): void {
    this.#timer.cancel();
  }

  #write(): void {
    const began = this.#clock.monotonic();
    const frame = this.#frames.frame(this.#waiting);
    this.#waiting = [];
    for (const member of this.#members) {
      const { sink } = member;
      if (this.#newcomers?.has(member) === true) continue;
      if (sink.buffered <= SOCKET_HIGH_BYTES) sink.writeFrame(frame);
      else this.#filter.invalidate(); // ephemeral-fanout.2
    }
    this.#newcomers = undefined;
    const ended = this.#clock.monotonic();
    this.#nextAt = ended + Math.min(GAP_MAX_MS, (ended - began) * FLUSH_COST_FACTOR);
  }
}
