// Feed: a gateway's stream of one room, and the cursors of its members here.
//
// Owns: the ring, the reorder buffer, the live members and the readers. Does not own: sockets, the
// bus, the source of fetched lines, who may join, who loses the right to read (removals.ts).
// A member that is caught up is live and receives each flush. A member that is behind is a reader:
// it receives chunks, from the ring or from a fetch, at the speed of its socket. A joined, a
// resumed and a slow client therefore use the same path.
//
//   feed.1. `last` grows only by the next line. A gap is fetched first (O9).
//   feed.2. Every live member has exactly the lines up to `flushed`, and a flush begins after
//        `flushed`.
//   feed.3. A reader receives the lines after its cursor in order. It becomes live at `flushed`
//        (L6), but not below the head that its `joined` frame named.
//   feed.4. A member has at most one chunk or flush in progress, so a slow socket costs bounded
//        memory. A reader requests its next chunk only in its turn at the socket. It keeps the turn
//        only while the chunk is written, or while a fetch that covers the chunk is in flight (L7).
//   feed.5. One `caught-up` follows every `joined` (O8).
//   feed.6. Every line passes `#take` once, in order. A line that takes the right to read from
//        members gives each of them a stop: no flush and no chunk passes it, and the member is
//        removed when it has every line up to it. So a removal needs no message but that line (M8).
//   feed.7. A `deleted` line erases its message in the ring, and in every block that arrives later
//        (erased-messages.ts). So a member that has not yet received the message gets its
//        tombstone.

import { unreachable } from "#shared/kit/assert.ts";
import { LazyMap } from "#shared/kit/lazy-map.ts";
import type { Millis, Seq } from "#shared/protocol/ids.ts";
import {
  blockAbove,
  blockLast,
  blockUpTo,
  isDeletion,
  notableLines,
} from "#shared/protocol/lines.ts";
import type { Block } from "#shared/protocol/lines.ts";
import { RANGE_BYTES_MAX, RANGE_EVENTS_MAX } from "#shared/protocol/limits.ts";
import * as bounds from "./bounds.ts";
import type { FeedEffect, FeedInput, JudgeRemovals, Removal } from "./feed-io.ts";
import { ErasedMessages } from "./erased-messages.ts";
import type { TextCodec } from "./erased-messages.ts";
import { Fetches } from "./fetches.ts";
import type { Range } from "./fetches.ts";
import { ReorderBuffer } from "./reorder-buffer.ts";
import { defaultPace, gapAfter } from "./pacing.ts";
import type { FlushPace } from "./pacing.ts";
import { Readers } from "./readers.ts";
import type { Reader } from "./readers.ts";
import { Ring } from "./ring.ts";
import type { SharedBound } from "./shared-bound.ts";

export class Feed<M> {
  readonly #ring = new Ring(bounds.RING_BYTES_MAX);
  readonly #reorder: ReorderBuffer;
  readonly #fetches = new Fetches(bounds.FETCHES_PER_FEED_MAX);
  readonly #live = new Set<M>();
  readonly #readers = new Readers<M>();
  /** False until the first head is known. Before that, no line can be placed. */
  #isOpen = false;
  #last: Seq = 0;
  #flushed: Seq = 0;
  /** The highest known sequence number; never below `last`. */
  #head: Seq = 0;
  /** feed.6: members that get no line behind their stop. */
  readonly #stops = new LazyMap<M, Removal>();
  readonly #erased: ErasedMessages;
  /** The newest line that may have changed rights; also of the lines that the feed skipped. */
  #changedAt: Seq = 0;
  readonly #judge: JudgeRemovals<M>;
  #isFlushing = false;
  #isFlushAsked = false;
  #flushAt: Millis = 0;
  readonly #pace: FlushPace;

  /** `reorderTotal`: the bytes in the reorder buffers of all feeds of the process. */
  constructor(
    pace: FlushPace = defaultPace(),
    reorderTotal?: SharedBound,
    judge: JudgeRemovals<M> = () => new Map<M, Removal>(),
    utf8?: TextCodec,
  ) {
    this.#erased = new ErasedMessages(utf8);
    this.#pace = pace;
    this.#judge = judge;
    this.#reorder = new ReorderBuffer(reorderTotal);
  }

  /** Releases its share of `reorderTotal`. The feed is not used afterwards. */
  end(): void {
    this.#reorder.clear();
  }

  get last(): Seq {
    return this.#last;
  }

  get head(): Seq {
    return this.#head;
  }

  /** A right that the owner judged at a lower head may be outdated. */
  get changedAt(): Seq {
    return this.#changedAt;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get ringBytes(): number {
    return this.#ring.bytes + this.#erased.bytes;
  }

  get members(): number {
    return this.#live.size + this.#readers.size;
  }

  get readers(): number {
    return this.#readers.size;
  }

  isLive(member: M): boolean {
    return this.#live.has(member);
  }

  /** The lines from exactly `first` on that are in the ring, for pages. */
  read(first: Seq, last: Seq): Block[] {
    return this.#ring.read(first, last, RANGE_BYTES_MAX);
  }

  get wakeAt(): Millis | undefined {
    const isDue = this.#last > this.#flushed && !this.#isFlushing && !this.#isFlushAsked;
    const at = Math.min(
      isDue ? this.#flushAt : Infinity,
      this.#fetches.wakeAt,
      this.#readers.deadlineAt ?? Infinity,
    );
    return at === Infinity ? undefined : at;
  }

  step(input: FeedInput<M>, now: Millis): FeedEffect<M>[] {
    switch (input.kind) {
      case "out":
        return this.#onOut(input.block, now);
      case "head":
        this.#head = Math.max(this.#head, input.head);
        return this.#isOpen ? this.#repair() : [];
      case "join":
        return this.#onJoin(input, now);
      case "leave":
        this.#live.delete(input.member);
        this.#stops.delete(input.member);
        return this.#readers.delete(input.member)
          ? [{ kind: "end-turn", member: input.member }]
          : [];
      case "flush":
        this.#isFlushAsked = false;
        return this.#flush(now);
      case "flushed":
        this.#isFlushing = false;
        this.#flushAt = now + gapAfter(input.costMs, this.#pace);
        return [...this.#removeLive(), ...this.#advanceIdle(now), ...this.#schedule(now)];
      case "full":
        return this.#onFull(input.member, input.cursor, now);
      case "turn":
        return this.#onTurn(input.member, now);
      case "chunk-written":
        return this.#onWritten(input.member, now);
      case "fetched":
        return this.#onFetched(input.first, input.block, now);
      case "forget":
        this.#ring.forget(this.#flushed);
        return [];
      case "wake":
        return this.#onWake(now);
      default:
        return unreachable(input);
    }
  }

  #onOut(block: Block, now: Millis): FeedEffect<M>[] {
    this.#head = Math.max(this.#head, block.count === 0 ? block.first : blockLast(block));
    if (!this.#isOpen) {
      if (block.count > 0) this.#reorder.hold(block);
      return [];
    }
    this.#receive(block);
    return [...this.#repair(), ...this.#schedule(now)];
  }

  /** Appends the lines that follow `last`, then those of the reorder buffer (feed.1). */
  #receive(block: Block): void {
    const fresh = blockAbove(block, this.#last);
    if (fresh === undefined) return;
    if (fresh.first > this.#last + 1) {
      this.#reorder.hold(fresh);
      return;
    }
    this.#take(fresh);
    this.#takeHeld();
  }

  #takeHeld(): void {
    for (;;) {
      const block = this.#reorder.takeUpTo(this.#last + 1);
      if (block === undefined) return;
      const fresh = blockAbove(block, this.#last);
      if (fresh !== undefined) this.#take(fresh);
    }
  }

  #take(block: Block): void {
    this.#ring.push(block);
    this.#last = blockLast(block);
    this.#head = Math.max(this.#head, this.#last);
    const notable = notableLines(block);
    if (notable.length === 0) return;
    const changes = notable.filter(([, line]) => !isDeletion(line));
    const newest = changes.at(-1);
    if (newest !== undefined) this.#onChanges(changes, newest[0]);
    if (changes.length < notable.length) this.#erase(notable);
  }

  /** feed.7. */
  #erase(lines: ReturnType<typeof notableLines>): void {
    for (const [, line] of lines) if (isDeletion(line)) this.#erased.take(line);
    this.#ring.rewrite((block) => this.#erased.redact(block));
  }

  /** A block from another source, without the texts of the messages that were deleted (feed.7). */
  redact(block: Block): Block {
    return this.#erased.redact(block);
  }

  /** feed.6. */
  #onChanges(changes: ReturnType<typeof notableLines>, newest: Seq): void {
    this.#changedAt = newest;
    for (const [member, removal] of this.#judge(changes, this.#all())) {
      if (!this.#stops.has(member)) this.#stops.set(member, removal);
    }
  }

  *#all(): Generator<M> {
    yield* this.#live;
    yield* this.#readers.members();
  }

  /** Fetches the first gap, or skips it when the room has no members here. */
  #repair(): FeedEffect<M>[] {
    if (this.#last >= this.#head) return [];
    if (this.members === 0) {
      this.#jump(this.#head);
      return [];
    }
    const first = this.#last + 1;
    const end = this.#reorder.first === undefined ? this.#head : this.#reorder.first - 1;
    const last = Math.min(end, this.#last + RANGE_EVENTS_MAX);
    return this.#fetch({ first, last }, true);
  }

  #jump(head: Seq): void {
    this.#ring.forget(this.#last);
    this.#last = this.#flushed = this.#changedAt = head;
    this.#takeHeld();
  }

  #fetch(range: Range, isHole: boolean): FeedEffect<M>[] {
    const started = this.#fetches.start(range, isHole);
    return started === undefined ? [] : [{ kind: "fetch", ...started, head: this.head }];
  }

  #onJoin(
    join: { member: M; head: Seq; after?: Seq | undefined; tail: number },
    now: Millis,
  ): FeedEffect<M>[] {
    const { member, after, tail } = join;
    const head = Math.max(join.head, this.#isOpen ? this.#last : 0);
    this.#head = Math.max(this.#head, head);
    const isAlone = this.members === 0;
    const cursor = after === undefined ? Math.max(0, head - tail) : Math.min(after, head);
    // Before the lines above the head are taken, so that they are judged for this member (feed.6).
    const reader = this.#readers.add(member, cursor, head, now);
    if (!this.#isOpen) {
      this.#isOpen = true;
      this.#last = this.#flushed = head;
      this.#takeHeld();
    } else if (isAlone && head > this.#last) this.#jump(head);
    return [
      { kind: "joined", member, head, from: cursor + 1 },
      ...this.#advance(member, reader, now),
      ...this.#repair(),
      ...this.#schedule(now),
    ];
  }

  #schedule(now: Millis): FeedEffect<M>[] {
    if (this.#last === this.#flushed || this.#isFlushing || this.#isFlushAsked) return [];
    if (now < this.#flushAt) return []; // wakeAt returns the time.
    this.#isFlushAsked = true;
    return [{ kind: "flush-soon" }];
  }

  #flush(now: Millis): FeedEffect<M>[] {
    if (this.#isFlushing || this.#last === this.#flushed) return [];
    const from = this.#flushed + 1;
    const stop = this.#firstLiveStop();
    if (stop < from) return [...this.#removeLive(), ...this.#flush(now)];
    const end = Math.min(this.#last, stop);
    const blocks = this.#ring.read(from, end, bounds.FLUSH_BYTES_MAX);
    const newest = blocks.at(-1);
    if (newest === undefined) {
      // The ring holds less than arrived at once: every live member becomes a reader.
      for (const member of this.#live) {
        this.#live.delete(member);
        this.#readers.demote(member, this.#flushed, now);
      }
      this.#flushed = this.#last;
      return this.#advanceIdle(now);
    }
    this.#flushed = blockLast(newest);
    if (this.#live.size === 0) return [...this.#advanceIdle(now), ...this.#schedule(now)];
    this.#isFlushing = true;
    return [{ kind: "write", blocks, from, to: this.#flushed, members: [...this.#live] }];
  }

  #onFull(member: M, cursor: Seq, now: Millis): FeedEffect<M>[] {
    if (!this.#live.delete(member)) return [];
    return this.#queue(member, this.#readers.demote(member, cursor, now));
  }

  #queue(member: M, reader: Reader): FeedEffect<M>[] {
    reader.state = "queued";
    return [{ kind: "request-turn", member }];
  }

  #onTurn(member: M, now: Millis): FeedEffect<M>[] {
    const reader = this.#readers.get(member);
    if (reader?.state !== "queued") return [{ kind: "end-turn", member }];
    const first = reader.cursor + 1;
    const until = Math.min(this.#flushed, this.#stopOf(member));
    if (first > until) return [{ kind: "end-turn", member }, ...this.#advance(member, reader, now)];
    const blocks = this.#ring.read(first, until, RANGE_BYTES_MAX);
    if (blocks.length > 0) return [this.#chunk(member, reader, blocks)];
    this.#readers.armDeadline(now);
    const ringFirst = this.#ring.first ?? Infinity;
    const end = Math.min(until, first + RANGE_EVENTS_MAX - 1, ringFirst - 1);
    const [begun] = this.#fetch({ first, last: end }, false);
    const running = this.#fetches.running(first);
    reader.state = running === undefined ? "idle" : "fetching";
    if (running === undefined) return [{ kind: "end-turn", member }]; // feed.4
    if (begun?.kind === "fetch") return [{ ...begun, member }];
    const { head } = this;
    return [{ kind: "share-fetch", first: running.first, last: running.last, head, member }];
  }

  #onWritten(member: M, now: Millis): FeedEffect<M>[] {
    const reader = this.#readers.get(member);
    if (reader?.state !== "writing") return [];
    reader.servedAt = now;
    return [{ kind: "end-turn", member }, ...this.#advance(member, reader, now)];
  }

  /** Readers that wait for the feed check again. */
  #advanceIdle(now: Millis): FeedEffect<M>[] {
    const effects: FeedEffect<M>[] = [];
    for (const [member, reader] of this.#readers.unserved()) {
      if (reader.state === "idle") effects.push(...this.#advance(member, reader, now));
    }
    return effects;
  }

  /**
   * The next step of a reader without a turn: request one, become live, or wait for the feed
   * (feed.3).
   */
  #advance(member: M, reader: Reader, now: Millis): FeedEffect<M>[] {
    const removal = this.#stops.get(member);
    if (removal !== undefined && reader.cursor >= removal.seq) {
      this.#readers.delete(member);
      return this.#remove(member, removal);
    }
    if (reader.cursor < this.#flushed) return this.#queue(member, reader);
    reader.state = "idle";
    // The cursor is at `flushed`: it is never above its target, nor above `flushed` without a
    // target.
    if (this.#flushed >= reader.target) return this.#goLive(member, reader);
    this.#readers.armDeadline(now);
    return [];
  }

  #goLive(member: M, reader: Reader): FeedEffect<M>[] {
    this.#readers.delete(member);
    this.#live.add(member);
    return reader.isCaughtUp ? [] : [{ kind: "caught-up", member, seq: reader.cursor }];
  }

  #remove(member: M, removal: Removal): FeedEffect<M>[] {
    this.#stops.delete(member);
    return [{ kind: "removed", member, ...removal }];
  }

  /** Removes the live members that have every line up to their stops. */
  #removeLive(): FeedEffect<M>[] {
    const effects: FeedEffect<M>[] = [];
    for (const [member, removal] of this.#stops) {
      if (removal.seq > this.#flushed || !this.#live.delete(member)) continue;
      effects.push(...this.#remove(member, removal));
    }
    return effects;
  }

  #firstLiveStop(): Seq {
    let first = Infinity;
    for (const [member, { seq }] of this.#stops) {
      if (seq < first && this.#live.has(member)) first = seq;
    }
    return first;
  }

  #stopOf(member: M): Seq {
    return this.#stops.get(member)?.seq ?? Infinity;
  }

  #chunk(member: M, reader: Reader, blocks: readonly Block[]): FeedEffect<M> {
    const newest = blocks.at(-1);
    if (newest !== undefined) reader.cursor = blockLast(newest);
    reader.state = "writing";
    return { kind: "chunk", member, blocks };
  }

  #onFetched(first: Seq, fetched: Block | undefined, now: Millis): FeedEffect<M>[] {
    const block = fetched && this.redact(fetched);
    if (block === undefined || block.count === 0 || block.first !== first) {
      this.#fetches.fail(first, now);
      return this.#endTurns();
    }
    this.#fetches.succeed(first);
    if (blockLast(block) > this.#last) this.#receive(block);
    else if (this.#ring.first !== undefined) this.#ring.prepend(block);
    else if (blockLast(block) === this.#last) this.#ring.push(block);
    const effects: FeedEffect<M>[] = [];
    for (const [member, reader] of this.#readers.unserved()) {
      if (reader.state !== "fetching") continue;
      const above = first <= reader.cursor + 1 ? blockAbove(block, reader.cursor) : undefined;
      const until = Math.min(this.#flushed, this.#stopOf(member));
      const part = above === undefined ? undefined : blockUpTo(above, until);
      if (part !== undefined) effects.push(this.#chunk(member, reader, [part]));
    }
    effects.push(...this.#endTurns(), ...this.#advanceIdle(now));
    return [...effects, ...this.#repair(), ...this.#schedule(now)];
  }

  /** Readers return their turn when the fetch that they kept it for is not in flight (feed.4). */
  #endTurns(): FeedEffect<M>[] {
    const effects: FeedEffect<M>[] = [];
    for (const [member, reader] of this.#readers.unserved()) {
      if (reader.state !== "fetching" || this.#fetches.running(reader.cursor + 1)) continue;
      reader.state = "idle";
      effects.push({ kind: "end-turn", member });
    }
    return effects;
  }

  #onWake(now: Millis): FeedEffect<M>[] {
    const effects: FeedEffect<M>[] = [];
    for (const member of this.#readers.expireStarved(now)) {
      effects.push({ kind: "starved", member });
    }
    if (now >= this.#fetches.wakeAt) {
      const again = this.#fetches.due(now, (range) => this.#requesterOf(range) !== undefined);
      for (const range of again) {
        effects.push({ kind: "fetch", ...range, head: this.head, ...this.#requesterOf(range) });
      }
      effects.push(...this.#advanceIdle(now), ...this.#repair());
    }
    return [...effects, ...this.#schedule(now)];
  }

  /**
   * The member that needs a line of the range now; an empty object when all members need it (L8).
   */
  #requesterOf({ first, last }: Range): { readonly member?: M } | undefined {
    const isIn = (seq: Seq): boolean => first <= seq && seq <= last;
    if (isIn(this.#last + 1) && this.members > 0) return {}; // No range ends above the head.
    for (const [member, reader] of this.#readers.unserved()) {
      if (isIn(reader.cursor + 1)) return { member };
    }
    return undefined;
  }
}
