// Rooms: the rooms that have a feed on this gateway.
//
//   rooms.1. The first session that joins a room opens it. It closes FEED_GRACE_MS after the last
//        session left, so that a client that soon returns finds the ring.
//   rooms.2. All rings hold at most RINGS_BYTES_MAX. Beyond it the least recently used ring is
//        emptied.
//   rooms.3. Every join goes to the owner, because its answer has the head and the presence list. A
//        leave goes to the owner only when the user's last local session leaves, after the user's
//        joins.
//   rooms.4. The answer to a join that is older than a line which changed rights here is not used;
//        the owner judges the join again, at most JUDGED_MAX times.

import { LRUCache } from "lru-cache";
import type { Partition, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { MemoryAccount } from "#shared/kit/memory-account.ts";
import type { RoomStatus } from "#shared/protocol/control.ts";
import type { Answer } from "#shared/protocol/results.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { Block } from "#shared/protocol/lines.ts";
import type { PartitionMap } from "#shared/protocol/partition-map.ts";
import { FEED_GRACE_MS, FEEDS_IDLE_MAX, RINGS_BYTES_MAX } from "../core/bounds.ts";
import type { SyncRoom } from "../core/sync.ts";
import type { Lanes } from "./lanes.ts";
import type { Member } from "./member.ts";
import type { GatewayMemoryLine } from "./socket-memory.ts";
import { FeedRunner } from "./feed-runner.ts";
import type { JoinedResult, FeedRunnerOptions } from "./feed-runner.ts";

export interface RoomsOptions extends Omit<
  FeedRunnerOptions,
  "answers" | "onRingUse" | "onRecreated"
> {
  readonly map: PartitionMap;
  readonly lanes: Lanes;
  readonly memory: MemoryAccount<GatewayMemoryLine>;
}

/** rooms.4. The owner's next answer is newer than the line, unless the owner is behind. */
const JUDGED_MAX = 4;

export interface JoinRequest {
  readonly member: Member;
  readonly after?: Seq | undefined;
  readonly tail: number;
  readonly onRefused: (error: ErrorName, afterMs?: number) => void;
}

/** A session's membership in a room, from its join on. */
export class Membership {
  readonly member: Member;
  readonly runner: FeedRunner;
  /** Undefined after the owner's answer. */
  request: JoinRequest | undefined;
  /** How often the owner judged the join (rooms.4). */
  judged = 0;
  isOver = false;
  readonly #rooms: Rooms;

  constructor(rooms: Rooms, runner: FeedRunner, request: JoinRequest) {
    this.#rooms = rooms;
    this.runner = runner;
    this.member = request.member;
    this.request = request;
  }

  leave(): void {
    this.#rooms.leave(this);
  }
}

export class Rooms {
  readonly #options: RoomsOptions;
  readonly #feedOptions: FeedRunnerOptions;
  readonly #runners = new Map<RoomId, FeedRunner>();
  readonly #byPartition = new Map<Partition, Set<FeedRunner>>();
  /** Rooms without sessions, the longest idle first. */
  readonly #idle = new Set<FeedRunner>();
  readonly #rings: LRUCache<FeedRunner, true>;

  constructor(options: RoomsOptions) {
    this.#options = options;
    this.#feedOptions = {
      ...options,
      answers: new WeakMap(),
      onRingUse: (runner) => this.#onRingUse(runner),
      onRecreated: (runner) => this.#onRecreated(runner),
    };
    this.#rings = new LRUCache<FeedRunner, true>({
      maxSize: RINGS_BYTES_MAX,
      noDisposeOnSet: true,
      dispose: (_, runner, reason) => {
        if (reason === "evict") runner.forget(); // rooms.2
      },
    });
  }

  get count(): number {
    return this.#runners.size;
  }

  /** The string of the open room, which is equal to `room`. */
  sameId(room: RoomId): RoomId {
    return this.#runners.get(room)?.room ?? room;
  }

  /** Every room with sessions here: their number, and the known head. */
  statuses(): RoomStatus[] {
    const statuses: RoomStatus[] = [];
    for (const [room, { feed }] of this.#runners) {
      if (feed.members > 0) statuses.push([room, feed.members, feed.head]);
    }
    return statuses;
  }

  /** Members that are behind. */
  get readers(): number {
    let readers = 0;
    for (const { feed } of this.#runners.values()) readers += feed.readers;
    return readers;
  }

  get ringBytes(): number {
    return this.#rings.calculatedSize;
  }

  join(request: JoinRequest): Membership {
    const { member } = request;
    const { room, user, grant } = member;
    const runner = this.#runners.get(room) ?? this.#open(room);
    const membership = new Membership(this, runner, request);
    runner.enter(user, grant);
    this.#idle.delete(runner);
    this.#ask(membership);
    return membership;
  }

  /** Only the membership calls it. */
  leave(membership: Membership): void {
    if (membership.isOver) return;
    membership.isOver = true;
    const { runner, member, request } = membership;
    runner.leave(member);
    this.#exit(runner, member.user);
    request?.onRefused("conflict");
  }

  onHeads(heads: readonly (readonly [RoomId, Seq, string])[]): void {
    for (const [room, head, born] of heads) this.#runners.get(room)?.onHead(head, born);
  }

  /**
   * The rooms of a partition with local members, for `sync`. Rooms without members are included
   * while their feed exists: the owner may have missed their leave (lane.5).
   */
  *localRooms(p: Partition): Generator<SyncRoom> {
    for (const runner of this.#byPartition.get(p) ?? []) {
      const { room, feed, users, grants } = runner;
      yield grants.length === 0 ? [room, feed.last, users] : [room, feed.last, users, grants];
    }
  }

  /** Rooms of these partitions have moved to upper halves. */
  onSplit(split: readonly Partition[]): void {
    for (const p of split) {
      for (const runner of this.#byPartition.get(p) ?? []) {
        const to = this.#options.map.partitionOf(runner.room);
        if (to === p) continue;
        this.#byPartition.get(p)?.delete(runner);
        this.#byPartition.set(to, (this.#byPartition.get(to) ?? new Set()).add(runner));
      }
    }
  }

  /**
   * The head of a room whose feed is current and which every user may read; otherwise undefined,
   * and the owner judges the reader.
   */
  head(room: RoomId): Seq | undefined {
    const runner = this.#runners.get(room);
    if (runner === undefined) return undefined;
    const { feed, isPublic } = runner;
    return feed.isOpen && feed.members > 0 && isPublic ? feed.head : undefined;
  }

  /** The head that the feed of the room knows; undefined without an open feed. */
  lastHead(room: RoomId): Seq | undefined {
    const feed = this.#runners.get(room)?.feed;
    return feed?.isOpen === true ? feed.head : undefined;
  }

  /** The number of present users that the gateway knows of. */
  here(room: RoomId): number {
    return this.#runners.get(room)?.here ?? 0;
  }

  /** The lines from exactly `first` on that the ring has. */
  read(room: RoomId, first: Seq, last: Seq): Block[] {
    return this.#runners.get(room)?.feed.read(first, last) ?? [];
  }

  /** A block from another source, as it may be shown (feed.7). */
  redact(room: RoomId, block: Block): Block {
    return this.#runners.get(room)?.feed.redact(block) ?? block;
  }

  /** Empties the least recently used rings while memory is short (L9). */
  shed(): void {
    const { memory } = this.#options;
    while (memory.over > 0) {
      const oldest = this.#rings.rkeys().next().value;
      if (oldest === undefined) return;
      this.#rings.delete(oldest);
      oldest.forget();
      memory.set("rings", this.#rings.calculatedSize);
    }
  }

  /** Closes rooms that were idle for FEED_GRACE_MS. Call it about once a second. */
  sweep(now: number): void {
    for (const runner of this.#idle) {
      const isOver = now - (runner.idleSince ?? now) >= FEED_GRACE_MS;
      if (!isOver && this.#idle.size <= FEEDS_IDLE_MAX) return;
      this.#close(runner);
    }
  }

  stop(): void {
    for (const runner of this.#runners.values()) this.#close(runner);
  }

  #open(room: RoomId): FeedRunner {
    const runner = new FeedRunner(room, this.#feedOptions);
    const p = this.#options.map.partitionOf(room);
    const peers = this.#byPartition.get(p) ?? new Set();
    this.#byPartition.set(p, peers.add(runner));
    this.#runners.set(room, runner);
    return runner;
  }

  /** rooms.3. */
  #ask(membership: Membership): void {
    const { room, user, grant } = membership.member;
    const query = { op: "join", room, user, ...(grant !== undefined && { grant }) } as const;
    this.#options.lanes.submit(query, (answer) => this.#onAnswer(membership, answer));
  }

  #onAnswer(membership: Membership, { result }: Answer): void {
    const { runner, request } = membership;
    if ("ok" in result && result.ok === "joined") this.#runners.get(runner.room)?.onListed(result);
    if (membership.isOver || request === undefined) return;
    if ("ok" in result && result.ok === "joined") {
      const isOld = result.head < runner.feed.changedAt;
      if (isOld && ++membership.judged < JUDGED_MAX) return this.#ask(membership); // rooms.4
      membership.request = undefined;
      if (!isOld && this.#admit(runner, request, result)) return;
      membership.leave();
      request.onRefused("unavailable");
    } else {
      membership.request = undefined;
      membership.leave();
      if ("error" in result) request.onRefused(result.error, result.afterMs);
      else request.onRefused("internal");
    }
  }

  #onRingUse(runner: FeedRunner): void {
    const size = runner.feed.ringBytes;
    if (size > 0) this.#rings.set(runner, true, { size });
    else this.#rings.delete(runner);
    this.#options.memory.set("rings", this.#rings.calculatedSize);
  }

  /** False: the room was recreated. The session joins again and receives another `born`. */
  #admit(runner: FeedRunner, request: JoinRequest, result: JoinedResult): boolean {
    if (this.#runners.get(runner.room) !== runner) return false;
    if (runner.join(request.member, result, request)) return true;
    this.#onRecreated(runner);
    return false;
  }

  /**
   * R3. Closes the members before they receive a line of the recreated room. They reconnect and
   * receive another `born`.
   */
  #onRecreated(runner: FeedRunner): void {
    if (this.#runners.get(runner.room) !== runner) return;
    this.#options.report("room recreated", { room: runner.room });
    this.#close(runner);
  }

  #exit(runner: FeedRunner, user: UserId): void {
    const { room } = runner;
    const isLast = runner.exit(user);
    if (isLast) this.#options.lanes.submit({ op: "leave", room, user }, () => undefined);
    if (runner.idleSince !== undefined && this.#runners.get(room) === runner) {
      this.#idle.add(runner);
    }
  }

  #close(runner: FeedRunner): void {
    this.#idle.delete(runner);
    this.#runners.delete(runner.room);
    this.#byPartition.get(this.#options.map.partitionOf(runner.room))?.delete(runner);
    this.#rings.delete(runner);
    this.#options.memory.set("rings", this.#rings.calculatedSize);
    runner.stop();
  }
}
