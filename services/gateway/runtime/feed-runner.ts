// FeedRunner: performs what one room's feed asks for, on the bus and on sockets.
//
// Owns: the feed, its subscriptions and timer, the count of local sessions per user. Effects are
// performed strictly in the order in which the feed gave them, also when performing one of them
// makes the feed say more.

import { assert } from "#shared/kit/assert.ts";
import type { Refusals } from "#shared/kit/refusals.ts";
import type { Bus, Subscription } from "#shared/ports/bus.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { Span } from "#shared/ports/tracer.ts";
import { CLOSE } from "#shared/protocol/close-codes.ts";
import type { Result } from "#shared/protocol/commands.ts";
import type { Millis, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { bornOf, decodeOut } from "#shared/protocol/lines.ts";
import type { CaughtUpFrame, JoinedFrame, PresenceFrame } from "#shared/protocol/server-frames.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { FLUSH_SLICE, SOCKET_HIGH_BYTES } from "../core/bounds.ts";
import { Feed } from "../core/feed.ts";
import type { FeedEffect, FeedInput } from "../core/feed-io.ts";
import type { FlushPace } from "../core/pacing.ts";
import type { SharedBound } from "../core/shared-bound.ts";
import type { FrameMaker } from "./client-socket.ts";
import type { GatewayStats } from "./gateway-stats.ts";
import type { Member } from "./member.ts";
import type { MessageTraces } from "./message-traces.ts";
import { EphemeralFanout } from "./ephemeral-fanout.ts";
import type { Report } from "./report.ts";
import type { RangeReader } from "./range-reader.ts";
import type { FlushScheduler } from "./flush-scheduler.ts";
import { CoalescedTimer } from "./coalesced-timer.ts";

export type JoinedResult = Extract<Result, { ok: "joined" }>;

export interface FeedRunnerOptions {
  readonly room: RoomId;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly scheduler: FlushScheduler;
  readonly ranges: RangeReader;
  readonly frames: FrameMaker;
  readonly report: Report;
  readonly refusals: Refusals;
  readonly stats: GatewayStats;
  readonly traces: MessageTraces;
  readonly pace: FlushPace;
  /** What all feeds of the process hold behind holes. */
  readonly reorderTotal?: SharedBound;
  /** The ring has grown or was read. */
  readonly onRingUse: (runner: FeedRunner) => void;
  /** The room's log was lost and began anew: nothing here holds, nothing more is shown (R3). */
  readonly onReborn: (runner: FeedRunner) => void;
}

export class FeedRunner {
  readonly room: RoomId;
  readonly #options: FeedRunnerOptions;
  readonly #feed: Feed<Member>;
  readonly #timer: CoalescedTimer;
  readonly #members = new Set<Member>();
  readonly #sessions = new Map<UserId, number>();
  readonly #fanout: EphemeralFanout;
  readonly #subscriptions: readonly Subscription[];
  readonly #answers = new WeakMap<Member, JoinedResult>();
  #effects: FeedEffect<Member>[] = [];
  /** Who is here, as the newest answer of a join that carried the names said. */
  #listed: { readonly c: number; readonly users: readonly UserId[] } | undefined;
  #isPerforming = false;
  #isStopped = false;
  #born = "";
  /** When the oldest line arrived that no flush has taken yet. */
  #arrivedAt: Millis | undefined;
  /** Spans of the traced messages among those lines; nearly always none. */
  #spans: readonly Span[] = [];
  /** Set while no session wants the room. */
  idleSince: Millis | undefined;

  constructor(options: FeedRunnerOptions) {
    const { room, bus, clock, frames } = options;
    this.room = room;
    this.#options = options;
    this.#feed = new Feed<Member>(options.pace, options.reorderTotal);
    this.#timer = new CoalescedTimer(clock, () => this.#step({ kind: "wake" }));
    this.#fanout = new EphemeralFanout({ room, clock, frames, members: this.#members });
    // Before the owner is asked for the head: what it publishes from then on is not missed (O9).
    this.#subscriptions = [
      bus.subscribe(subjects.out(room), ({ data }) => this.#onOut(data)),
      bus.subscribe(subjects.live(room), ({ data }) => {
        if (!this.#fanout.onLive(data)) this.#refuse("live", data);
      }),
    ];
  }

  get feed(): Feed<Member> {
    return this.#feed;
  }

  /** Users with a local session that joined or is joining. */
  get users(): readonly UserId[] {
    return [...this.#sessions.keys()];
  }

  /** A session wants the room, whether or not the owner has answered. */
  enter(user: UserId): void {
    this.#sessions.set(user, (this.#sessions.get(user) ?? 0) + 1);
    this.idleSince = undefined;
  }

  /** True when it was the user's last local session. */
  exit(user: UserId): boolean {
    const left = (this.#sessions.get(user) ?? 0) - 1;
    if (left > 0) {
      this.#sessions.set(user, left);
      return false;
    }
    this.#sessions.delete(user);
    if (this.#sessions.size > 0) return true;
    this.idleSince = this.#options.clock.monotonic();
    this.#listed = undefined;
    return true;
  }

  /** The owner answered. False when the room's log was lost and began anew: nothing here holds. */
  join(
    member: Member,
    result: JoinedResult,
    from: { readonly after?: Seq | undefined; readonly tail: number },
  ): boolean {
    if (!this.#isSame(result.born)) return false;
    this.#members.add(member);
    if (result.users !== undefined) this.#listed = { c: result.c, users: result.users };
    const isListed = result.listedBy !== undefined && result.listedBy === this.#listed?.c;
    // The list may be lost on the way; the next whole truth of the owner makes up for it (A4).
    const users = isListed ? this.#listed?.users : result.users;
    this.#answers.set(member, users === undefined ? result : { ...result, users });
    this.#step({ kind: "join", member, head: result.head, ...from });
    return true;
  }

  leave(member: Member): void {
    if (!this.#members.delete(member)) return;
    this.#step({ kind: "leave", member });
  }

  onHead(head: Seq, born: string): void {
    if (this.#isSame(born)) this.#step({ kind: "head", head });
    else this.#options.onReborn(this);
  }

  flush(): void {
    this.#step({ kind: "flush" });
    // Lines that nobody is live for were flushed to nobody.
    this.#arrivedAt = undefined;
    if (this.#spans.length > 0) this.#options.traces.delivered(this.#spans, 0, 0);
    this.#spans = [];
  }

  forget(): void {
    this.#step({ kind: "forget" });
  }

  /** Ends the room here; members, if any, are told to come again. */
  stop(): void {
    this.#isStopped = true;
    this.#feed.end();
    this.#timer.cancel();
    this.#fanout.stop();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    for (const { sink } of this.#members) sink.close(CLOSE.restart);
  }

  #onOut(data: Uint8Array): void {
    // Its lines are a view of the bus's read buffer; what keeps them for long copies them (ring.3).
    const block = decodeOut(data);
    const born = block && bornOf(block);
    if (block === undefined) this.#refuse("out", data); // N5
    else if (born !== undefined && !this.#isSame(born, this.#feed.last)) {
      this.#options.onReborn(this);
    } else {
      this.#options.stats.linesIn += block.count;
      if (block.count > 0) this.#arrivedAt ??= this.#options.clock.monotonic();
      if (block.traces !== undefined) {
        const begun = this.#options.traces.deliver(this.room, block.traces, block.count);
        this.#spans = [...this.#spans, ...begun];
      }
      this.#step({ kind: "out", block });
    }
  }

  #refuse(what: "out" | "live", data: Uint8Array): void {
    this.#options.stats.refused.add(what);
    this.#options.refusals.add(what, { size: data.length });
  }

  /**
   * Whether the room still has the birth that is known here, or had none. `last`: numbers seen, where an
   * owner says that there is no message at all.
   */
  #isSame(born: string, last: Seq = 0): boolean {
    if (this.#born !== "") return born === this.#born;
    this.#born = born;
    return born !== "" || last === 0;
  }

  #step(input: FeedInput<Member>): void {
    if (this.#isStopped) return;
    const { clock } = this.#options;
    for (const effect of this.#feed.step(input, clock.monotonic())) this.#effects.push(effect);
    if (this.#isPerforming) return; // The outer call performs them in their turn.
    this.#isPerforming = true;
    try {
      for (let at = 0; at < this.#effects.length; at++) {
        const effect = this.#effects[at];
        assert(effect !== undefined, "an effect is there");
        this.#perform(effect);
      }
    } finally {
      this.#effects = [];
      this.#isPerforming = false;
    }
    this.#timer.set(this.#feed.wakeAt);
  }

  #perform(effect: FeedEffect<Member>): void {
    switch (effect.kind) {
      case "flush-soon":
        return this.#options.scheduler.feed(this);
      case "write":
        return this.#write(effect);
      case "want-turn": {
        const { member } = effect;
        return member.sink.wantTurn(member, () => this.#step({ kind: "turn", member }));
      }
      case "end-turn":
        return effect.member.sink.endTurn(effect.member);
      case "chunk":
        return this.#writeChunk(effect);
      case "joined":
        return this.#writeJoined(effect);
      case "caught-up":
        return effect.member.sink.writeText(
          encode({ t: "caught-up", room: this.room, seq: effect.seq }),
        );
      case "fetch":
        return this.#fetch(effect);
      case "share-fetch": {
        const { member, kind: _, ...range } = effect;
        return void this.#options.ranges.read({ room: this.room, ...range }, member.user);
      }
      case "starved":
        this.#options.stats.readersGivenUp.add("unserved");
        return effect.member.sink.close(CLOSE.overload);
    }
  }

  /** The same bytes to every live member (L5, F7), a slice at a time. */
  #write({ blocks, from, to, members }: Extract<FeedEffect<Member>, { kind: "write" }>): void {
    const { clock, frames, onRingUse, stats } = this.#options;
    const frame = frames.frame(blocks.map((block) => block.bytes));
    const arrivedAt = this.#arrivedAt;
    this.#arrivedAt = undefined;
    const spans = this.#spans;
    this.#spans = [];
    stats.linesOut += members.length * (to - from + 1);
    let costMs = 0;
    let at = 0;
    const writeSlice = (): void => {
      const began = clock.monotonic();
      const end = Math.min(at + FLUSH_SLICE, members.length);
      for (; at < end; at++) {
        const member = members[at];
        // Membership may have changed while the event loop had its turn.
        if (member === undefined || !this.#feed.isLive(member)) continue;
        const { sink } = member;
        if (sink.buffered > SOCKET_HIGH_BYTES) {
          stats.slowReaders++;
          this.#step({ kind: "full", member, cursor: from - 1 });
          continue;
        }
        sink.writeFrame(frame);
        if (sink.buffered > SOCKET_HIGH_BYTES) {
          stats.slowReaders++;
          this.#step({ kind: "full", member, cursor: to });
        }
      }
      costMs += clock.monotonic() - began;
      if (at < members.length) {
        clock.soon(writeSlice);
        return;
      }
      stats.flushSeconds.observe(costMs / 1_000);
      if (arrivedAt !== undefined) {
        const ms = clock.monotonic() - arrivedAt;
        stats.deliverySeconds.observe(ms / 1_000);
        if (spans.length > 0) this.#options.traces.delivered(spans, members.length, ms);
      }
      this.#step({ kind: "flushed", costMs });
    };
    writeSlice();
    onRingUse(this);
  }

  #writeChunk({ member, blocks }: Extract<FeedEffect<Member>, { kind: "chunk" }>): void {
    const { sink } = member;
    const { stats } = this.#options;
    stats.chunks++;
    for (const { count } of blocks) stats.linesOut += count;
    sink.writeFrame(this.#options.frames.frame(blocks.map((block) => block.bytes)));
    this.#options.onRingUse(this);
    this.#step({ kind: "chunk-written", member });
  }

  #writeJoined({ member, head, from }: Extract<FeedEffect<Member>, { kind: "joined" }>): void {
    const { room } = this;
    const answer = this.#answers.get(member);
    if (answer === undefined) return;
    const { born, here, users } = answer;
    const { ref, sink } = member;
    sink.writeText(encode({ t: "joined", ref, room, born, head, from, role: "member", here }));
    this.#fanout.onJoined(member, users);
    if (users === undefined) return;
    sink.writeText(encode({ t: "presence", room, join: users, here, all: true }));
  }

  #fetch({ first, last, head, member }: Extract<FeedEffect<Member>, { kind: "fetch" }>): void {
    const { ranges, stats } = this.#options;
    stats.fetches++;
    if (first > this.#feed.last) stats.holes++; // A reader's range lies below what the feed has.
    void ranges.read({ room: this.room, first, last, head }, member?.user).then((block) => {
      this.#step({ kind: "fetched", first, block });
    });
  }
}

function encode(frame: JoinedFrame | CaughtUpFrame | PresenceFrame): string {
  return JSON.stringify(frame);
}
