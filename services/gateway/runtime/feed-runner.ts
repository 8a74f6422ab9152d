// FeedRunner: performs the effects of one room's feed on the bus and on sockets.
//
// Owns: the feed, its subscriptions and timer, the number of local sessions of each user. It
// performs effects strictly in the order of the feed, also when performing one causes further
// steps.
//
//   feed-runner.1. The birth of a room that was empty at its first join is the id of its event 1.
//        So a feed that has a line knows its birth, and no `joined` names a head without a birth
//        that the owner knows.

import { assert } from "#shared/kit/assert.ts";
import { parseObject } from "#shared/kit/json.ts";
import type { Refusals } from "#shared/kit/refusals.ts";
import type { Bus, Subscription } from "#shared/ports/bus.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { Span } from "#shared/ports/tracer.ts";
import { CLOSE } from "#shared/protocol/close-codes.ts";
import type { Result } from "#shared/protocol/results.ts";
import type { Millis, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { blockUpTo, bornOf, decodeOut } from "#shared/protocol/lines.ts";
import type { Block } from "#shared/protocol/lines.ts";
import type { Grant, RoomKind } from "#shared/protocol/roles.ts";
import { encodeServerFrame } from "#shared/protocol/server-frames.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { FLUSH_SLICE, SOCKET_HIGH_BYTES } from "../core/bounds.ts";
import { Feed } from "../core/feed.ts";
import type { FeedEffect, FeedInput, Removal } from "../core/feed-io.ts";
import { judgeRemovals } from "../core/removals.ts";
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

/** All feeds of the process share them. */
export interface FeedRunnerOptions {
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
  /** The owner's answers to the joins of members that have not received them. */
  readonly answers: WeakMap<Member, JoinedResult>;
  /** The bytes in the reorder buffers of all feeds of the process. */
  readonly reorderTotal?: SharedBound;
  /** The ring grew or was read. */
  readonly onRingUse: (runner: FeedRunner) => void;
  /** The room was recreated: its lines here are invalid, and no more are written (R3). */
  readonly onRecreated: (runner: FeedRunner) => void;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();
const UTF8 = {
  decode: (bytes: Uint8Array): string => decoder.decode(bytes),
  encode: (text: string): Uint8Array => encoder.encode(text),
};

export class FeedRunner {
  readonly room: RoomId;
  readonly #options: FeedRunnerOptions;
  readonly #feed: Feed<Member>;
  readonly #timer: CoalescedTimer;
  readonly #members = new Set<Member>();
  readonly #sessions = new Map<UserId, number>();
  /** Undefined before the first user with a grant. */
  #grants: Map<UserId, Grant> | undefined;
  readonly #fanout: EphemeralFanout;
  readonly #subscriptions: readonly Subscription[];
  #effects: FeedEffect<Member>[] = [];
  /** The users that the newest join answer with names listed. */
  #listed:
    | { readonly c: number; readonly users: readonly UserId[]; readonly here: number }
    | undefined;
  #isPerforming = false;
  #isStopped = false;
  #born = "";
  /** The kind of the room, from the owner's answers and from line 1. */
  #kind: RoomKind = "open";
  /** The newest head at which the owner said that every user may read the room. */
  #publicAt: Seq = -1;
  /** The arrival time of the oldest line that is not flushed. */
  #arrivedAt: Millis | undefined;
  /** Spans of the traced messages among these lines; usually none. */
  #spans: readonly Span[] = [];
  /** Set while the room has no session here. */
  idleSince: Millis | undefined;

  constructor(room: RoomId, options: FeedRunnerOptions) {
    const { bus, clock, frames } = options;
    this.room = room;
    this.#options = options;
    this.#feed = new Feed<Member>(
      options.pace,
      options.reorderTotal,
      (lines, members) => this.#judge(lines, [...members]),
      UTF8,
    );
    this.#timer = new CoalescedTimer(clock, () => this.#step({ kind: "wake" }));
    this.#fanout = new EphemeralFanout({ room, clock, frames, members: this.#members });
    // Subscribe before the join asks for the head, so that no later line is missed (O9).
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

  /**
   * Every user may read the lines here: no line since the owner said so has changed a right, and no
   * line is missing.
   */
  get isPublic(): boolean {
    const { changedAt, last, head } = this.#feed;
    return this.#publicAt >= changedAt && last === head;
  }

  /** The number of present users that the owner announced last. */
  get here(): number {
    return this.#fanout.here;
  }

  /** The grants of the users who have one. */
  get grants(): readonly (readonly [UserId, Grant])[] {
    return [...(this.#grants ?? [])];
  }

  /** Users with a local session that has joined or is joining. */
  get users(): readonly UserId[] {
    return [...this.#sessions.keys()];
  }

  /** A session joins, whether or not the owner has answered. */
  enter(user: UserId, grant: Grant | undefined): void {
    if (grant !== undefined) (this.#grants ??= new Map<UserId, Grant>()).set(user, grant);
    this.#sessions.set(user, (this.#sessions.get(user) ?? 0) + 1);
    this.idleSince = undefined;
  }

  /** True: it was the user's last local session. */
  exit(user: UserId): boolean {
    const left = (this.#sessions.get(user) ?? 0) - 1;
    if (left > 0) {
      this.#sessions.set(user, left);
      return false;
    }
    this.#sessions.delete(user);
    this.#grants?.delete(user);
    if (this.#sessions.size > 0) return true;
    this.idleSince = this.#options.clock.monotonic();
    this.#listed = undefined;
    return true;
  }

  /**
   * The owner answered a join, whose session may have left. Its list counts for the other joins of
   * the owner's step.
   */
  onListed({ c, users, here }: JoinedResult): void {
    if (users !== undefined && this.#sessions.size > 0) this.#listed = { c, users, here };
  }

  /** The owner answered the join. False: the room was recreated, and the lines here are invalid. */
  join(
    member: Member,
    result: JoinedResult,
    from: { readonly after?: Seq | undefined; readonly tail: number },
  ): boolean {
    // An answer that was made before event 1 may arrive after its line. Heads follow the order of
    // the lines; only they show that a whole room was lost.
    if (result.born !== "" && !this.#isSame(result.born)) return false;
    this.#members.add(member);
    if (result.head > 0) this.#kind = result.access ?? "open"; // removals.2
    if (result.access === undefined) this.#publicAt = Math.max(this.#publicAt, result.head);
    const listed = result.listedBy === this.#listed?.c ? this.#listed : undefined;
    // The answer with the list may be lost. The owner's next complete list replaces it (A4).
    // The owner answers a command again for each copy of it. So the list may be newer than this
    // answer, and its count is the one that fits.
    const list = listed && { users: listed.users, here: listed.here };
    this.#options.answers.set(member, { ...result, ...list });
    this.#step({ kind: "join", member, head: result.head, ...from });
    return true;
  }

  leave(member: Member): void {
    if (!this.#members.delete(member)) return;
    this.#step({ kind: "leave", member });
  }

  onHead(head: Seq, born: string): void {
    if (this.#isSame(born)) this.#step({ kind: "head", head });
    else this.#options.onRecreated(this);
  }

  flush(): void {
    this.#step({ kind: "flush" });
    // Lines that were flushed without a live member do not count as delivered.
    this.#arrivedAt = undefined;
    if (this.#spans.length > 0) this.#options.traces.delivered(this.#spans, 0, 0);
    this.#spans = [];
  }

  forget(): void {
    this.#step({ kind: "forget" });
  }

  /** Closes the room here. Its members are closed with "restart" and reconnect. */
  stop(): void {
    this.#isStopped = true;
    this.#feed.end();
    this.#timer.cancel();
    this.#fanout.stop();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    for (const { sink } of this.#members) sink.close(CLOSE.restart);
  }

  #judge(
    lines: readonly (readonly [Seq, Uint8Array])[],
    members: readonly Member[],
  ): ReadonlyMap<Member, Removal> {
    const texts = lines.map(([seq, bytes]) => [seq, decoder.decode(bytes)] as const);
    const { kind, removals } = judgeRemovals(texts, this.#kind, members);
    this.#kind = kind;
    return removals;
  }

  #onOut(data: Uint8Array): void {
    // The lines are a view of the bus's read buffer. The ring and the reorder buffer copy them
    // (ring.3).
    const block = decodeOut(data);
    const born = block && bornOf(block);
    if (block === undefined) this.#refuse("out", data); // N5
    else if (born !== undefined && !this.#isSame(born, this.#feed.last)) {
      this.#options.onRecreated(this);
    } else {
      this.#learnBirth(block);
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
   * Whether the room has the known birth, or no known birth yet. `last`: the last number received,
   * for the case that the owner reports an empty room.
   */
  #isSame(born: string, last: Seq = 0): boolean {
    if (this.#born !== "") return born === this.#born;
    this.#born = born;
    return born !== "" || last === 0;
  }

  /** feed-runner.1 */
  #learnBirth(block: Block): void {
    if (this.#born !== "" || block.first !== 1) return;
    const line = blockUpTo(block, 1);
    const id = line && parseObject(Buffer.from(line.bytes).toString())?.["id"];
    if (typeof id === "string") this.#born = id;
  }

  #step(input: FeedInput<Member>): void {
    if (this.#isStopped) return;
    const { clock } = this.#options;
    for (const effect of this.#feed.step(input, clock.monotonic())) this.#effects.push(effect);
    if (this.#isPerforming) return; // The outer call performs them in order.
    this.#isPerforming = true;
    try {
      for (let at = 0; at < this.#effects.length; at++) {
        const effect = this.#effects[at];
        assert(effect !== undefined, "the list has an effect at every index");
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
      case "request-turn": {
        const { member } = effect;
        return member.sink.requestTurn(member, () => this.#step({ kind: "turn", member }));
      }
      case "end-turn":
        return effect.member.sink.endTurn(effect.member);
      case "chunk":
        return this.#writeChunk(effect);
      case "joined":
        return this.#writeJoined(effect);
      case "caught-up":
        return effect.member.sink.writeText(
          encodeServerFrame({ t: "caught-up", room: this.room, seq: effect.seq }),
        );
      case "removed":
        this.#members.delete(effect.member);
        return effect.member.sink.removed(effect.member, effect);
      case "fetch":
        return this.#fetch(effect);
      case "share-fetch": {
        const { member, kind: _, ...range } = effect;
        return void this.#options.ranges.read({ room: this.room, ...range }, member.user);
      }
      case "starved":
        this.#options.stats.readersClosed.add("unserved");
        return effect.member.sink.close(CLOSE.overload);
    }
  }

  /** Writes the same bytes to every live member (L5, F7), FLUSH_SLICE members at a time. */
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
        // The membership may have changed while other work ran.
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
    const { answers } = this.#options;
    const answer = answers.get(member);
    if (answer === undefined) return;
    answers.delete(member);
    const { here, users, role = "member" } = answer;
    const born = answer.born === "" ? this.#born : answer.born;
    const { ref, sink } = member;
    sink.writeText(encodeServerFrame({ t: "joined", ref, room, born, head, from, role, here }));
    this.#fanout.onJoined(member, users, here);
    if (users === undefined) return;
    sink.writeText(encodeServerFrame({ t: "presence", room, join: users, here, all: true }));
  }

  #fetch({ first, last, head, member }: Extract<FeedEffect<Member>, { kind: "fetch" }>): void {
    const { ranges, stats } = this.#options;
    stats.fetches++;
    // The range of a reader lies below the feed's last line.
    if (first > this.#feed.last) stats.holes++;
    void ranges.read({ room: this.room, first, last, head }, member?.user).then((block) => {
      if (block !== undefined) this.#learnBirth(block);
      this.#step({ kind: "fetched", first, block });
    });
  }
}
