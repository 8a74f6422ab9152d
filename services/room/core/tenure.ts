// Tenure: one period of ownership of a partition, from the owner's own claim to the first uncertain
// outcome.
//
// Owns: everything that an uncertain outcome discards: rooms, the commit window, lanes and presence
// (queries.ts). Does not own: how a tenure begins and ends (partition.ts), the decision about a
// write (writes.ts), performing effects (runtime/partition-runner.ts).
//
//   tenure.1. Broadcasts and acks come from settled entries only.
//   tenure.2. lanes.ts admits batches. A new incarnation drops the waiting commands of its gateway.
//   tenure.3. When a room is loaded, the owner first publishes its birth, because a gateway may
//       remember an earlier birth.
//   tenure.4. A snapshot older than the watermark at the time of its request is refused.
//   tenure.5. Every admitted command is answered once, or the tenure ends without an answer and the
//       lane resends it.
//   tenure.6. A batch with a command for a room of another partition is not taken. The answer is
//       `resync` with the `of` of this partition, so that the gateway addresses the other one.

import { isImport, isSync, isWrite } from "#shared/protocol/commands.ts";
import type { Command, CommandBatch, Sync, SyncGrants } from "#shared/protocol/commands.ts";
import { encodeEntry } from "#shared/protocol/entry.ts";
import type { DecodedEntry } from "#shared/protocol/entry.ts";
import type { Epoch, LogSeq, Millis, Partition, ProcessId } from "#shared/protocol/ids.ts";
import type { RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { isRoomOf } from "#shared/protocol/partition-map.ts";
import { TAKE_OVER_IDS_MS } from "#shared/protocol/limits.ts";
import type { AppendOutcome } from "#shared/ports/log.ts";
import { CommitWindow, toGroups } from "./commit.ts";
import type { Effect, Input, WallOffset } from "./partition-io.ts";
import { InboundLanes } from "./lanes.ts";
import { EffectBuffer } from "./effect-buffer.ts";
import { PendingSyncs } from "./pending-syncs.ts";
import { Queries } from "./queries.ts";
import type { Arrival, Room } from "./room.ts";
import { mayReadRoom } from "./rights.ts";
import { RoomTable, UNDELIVERED_MS } from "./room-table.ts";
import { RunningTime } from "./running-time.ts";
import { Writes } from "./writes.ts";
import type { ReplayedRoom } from "./replayed-room.ts";
import type { RoomMemory } from "./room-memory.ts";
import type { UnarchivedLines } from "./unarchived.ts";

/** The owner repeats a head once, this long after the room's last commit (O10). */
export const QUIET_MS = 1_000;
/**
 * A command that waits this long after its arrival for a room or a look-up gets `unavailable`
 * (P21).
 */
export const WAITING_MAX_MS = 5_000;

type Of<K extends Input["kind"]> = Extract<Input, { kind: K }>;
type Loaded = Of<"room-loaded">;

export interface TenureOptions {
  readonly node: ProcessId;
  readonly epoch: Epoch;
  /** The archive's watermark; the replay began at the next entry. */
  readonly watermark: LogSeq;
  readonly replayed: ReadonlyMap<RoomId, ReplayedRoom>;
  /** The lines of the replayed rooms. */
  readonly unarchived: UnarchivedLines;
  readonly memory: RoomMemory;
  readonly wallOffset: WallOffset;
  /** It serves the rooms with fnv1a32(room) mod `of` = p. */
  readonly place: { readonly p: Partition; readonly of: number };
}

export class Tenure {
  readonly epoch: Epoch;
  readonly #node: ProcessId;
  readonly #window: CommitWindow;
  readonly #rooms: RoomTable;
  readonly #unarchived: UnarchivedLines;
  readonly #lanes = new InboundLanes();
  /** Rooms whose head is to be repeated, the oldest commit first. */
  readonly #quiet = new Map<RoomId, Millis>();
  #watermark: LogSeq;
  readonly #out: EffectBuffer;
  readonly #queries: Queries;
  readonly #writes: Writes;
  readonly #running = new RunningTime();
  readonly #pendingSyncs: PendingSyncs;
  readonly #wallOffset: WallOffset;
  readonly #place: { readonly p: Partition; readonly of: number };

  constructor(options: TenureOptions) {
    this.#place = options.place;
    this.epoch = options.epoch;
    this.#node = options.node;
    this.#watermark = options.watermark;
    this.#window = new CommitWindow(
      Math.max(options.epoch, options.watermark),
      options.memory.account,
    );
    this.#unarchived = options.unarchived;
    this.#rooms = new RoomTable(options.memory, options.replayed);
    this.#out = new EffectBuffer(options.epoch);
    this.#pendingSyncs = new PendingSyncs(options.epoch);
    this.#queries = new Queries(this.#out, this.#window, options.memory);
    this.#wallOffset = options.wallOffset;
    const [rooms, window, out] = [this.#rooms, this.#window, this.#out];
    this.#writes = new Writes({ ...options, rooms, window, out, running: this.#running });
  }

  get isIdle(): boolean {
    return this.#window.isIdle;
  }

  /** The log sequence that the next append expects. */
  get last(): LogSeq {
    return this.#window.last;
  }

  /**
   * Repeats the heads of all replayed rooms: a crashed owner may have committed events without a
   * broadcast.
   */
  onBegin(): Effect[] {
    this.#out.repeatHeads(this.#rooms.replayedHeads());
    return this.#take();
  }

  onBatch(batch: CommandBatch, now: Millis): Effect[] {
    const { gw: gateway } = batch;
    if (!batch.commands.every((command) => this.#isMine(command))) {
      // Before the batch is admitted: the next one of this incarnation must not be taken either.
      const { of } = this.#place; // tenure.6
      return [{ kind: "resync", gateway, epoch: this.epoch, lane: batch.lane, of }];
    }
    const admission = this.#lanes.admit(batch);
    if (admission.kind === "ignore") return [];
    if (admission.kind === "resync" || admission.kind === "older") {
      const again = { kind: "resync", gateway, epoch: this.epoch, lane: batch.lane } as const;
      return [admission.kind === "older" ? { ...again, above: admission.newest } : again];
    }
    if (admission.kind === "begin") {
      this.#rooms.dropWaitingOf(gateway); // P8
      this.#writes.dropOf(gateway, now);
    }
    for (const command of batch.commands) this.#onCommand(gateway, command, now);
    for (const c of batch.unknown ?? []) this.#out.refuse(gateway, c, "unknown_type"); // N6
    return this.#take();
  }

  onFlush(now: Millis): Effect[] {
    this.#writes.flushed();
    this.#append(now);
    return this.#take();
  }

  /**
   * `uncertain` ends the tenure (P5). The `effects` of entries that were settled before are still
   * performed.
   */
  onAppended(
    n: number,
    outcome: AppendOutcome,
    now: Millis,
  ): { effects: Effect[]; uncertain?: AppendOutcome } {
    if (outcome.kind !== "ok") return { effects: [], uncertain: outcome };
    const entry = this.#window.settle(n, outcome.seq);
    if (entry === undefined) {
      return {
        effects: [],
        uncertain: { kind: "unknown", reason: "an append was answered out of order" },
      };
    }
    for (const [id, { first, lines, traces }] of entry.groups) {
      const room = this.#rooms.get(id);
      if (room === undefined) continue;
      this.#unarchived.add(room.commit(first, lines, outcome.seq));
      const broadcast = { kind: "broadcast", room: id, first, lines } as const;
      this.#out.effect(traces === undefined ? broadcast : { ...broadcast, traces });
      this.#quiet.delete(id);
      this.#quiet.set(id, now + QUIET_MS);
    }
    for (const note of entry.notes ?? []) this.#out.effect({ kind: "note", note });
    for (const [gateway, items] of entry.replies) {
      for (const item of items) this.#out.reply(gateway, item);
    }
    this.#append(now);
    return { effects: this.#take() };
  }

  /**
   * Refuses all commands that were certainly not written, because the log is full. The tenure has
   * ended (P9).
   */
  onFull(n: number): Effect[] {
    for (const entry of this.#window.unsettled(n)) {
      for (const [gateway, items] of entry.replies) {
        for (const { result } of items) this.#out.refuse(gateway, result.c, "busy");
      }
    }
    return this.#take();
  }

  onRoomLoaded({ room: id, outcome }: Loaded, now: Millis): Effect[] {
    const room = this.#rooms.get(id);
    if (room?.phase.kind !== "loading") return [];
    const isFresh = outcome.kind === "ok" && outcome.value.watermark >= room.phase.watermark; // P25
    const replayed = this.#rooms.replayedOf(id);
    if (!isFresh || !room.load(outcome.value, replayed)) {
      this.#rooms.retryLater(room, now);
      if (isFresh) {
        const detail = { room: id, head: outcome.value.head, replayFrom: replayed?.first };
        this.#out.effect({ kind: "log", event: "snapshot ends below replay", detail });
      }
    } else {
      this.#rooms.loaded(room);
      this.#out.effect({ kind: "repeat-head", room: id, head: room.head, born: room.born }); // R3
      this.#serveWaiting(room, now);
    }
    this.#load(now);
    return this.#take();
  }

  onLookedUp(input: Of<"looked-up">, now: Millis): Effect[] {
    this.#writes.onLookedUp(input, now);
    return this.#take();
  }

  onEntryRead(logSeq: LogSeq, entry: DecodedEntry | undefined): Effect[] {
    this.#queries.onEntryRead(logSeq, entry);
    return this.#take();
  }

  onWatermark(seq: LogSeq): Effect[] {
    if (seq <= this.#watermark) return [];
    this.#watermark = seq;
    for (const [room, archived] of this.#unarchived.archivedUpTo(seq)) room.onArchived(archived);
    return this.#take();
  }

  onGatewayGone(gateway: ProcessId, now: Millis): Effect[] {
    this.#lanes.forget(gateway);
    this.#rooms.dropGateway(gateway);
    this.#writes.dropOf(gateway, now);
    this.#queries.presence.dropGateway(gateway);
    this.#pendingSyncs.settle(gateway);
    return this.#take();
  }

  /** A gateway is back: requests a sync, because the owner may have dropped its members (A3). */
  onGatewayBack(gateway: ProcessId, now: Millis): Effect[] {
    return [this.#pendingSyncs.add(gateway, now)];
  }

  /**
   * O10: repeats heads after a disconnect, which may have lost the last messages and their repeated
   * heads.
   */
  onReconnected(awayMs: Millis, now: Millis): Effect[] {
    this.#out.repeatHeads(this.#rooms.headsSince(now - awayMs - UNDELIVERED_MS));
    return this.#take();
  }

  onTick(now: Millis): Effect[] {
    if (this.#hasNothingToDo) return [];
    for (const [id, dueAt] of this.#quiet) {
      if (dueAt > now) break;
      this.#quiet.delete(id);
      this.#repeatHead(this.#rooms.get(id));
    }
    this.#running.at(now);
    const limit = now - WAITING_MAX_MS;
    for (const expired of this.#rooms.expireWaiting(limit)) {
      this.#writes.refuseTemporarily(expired, "unavailable", now);
    }
    this.#writes.expire(limit, now); // P21
    for (const effect of this.#pendingSyncs.due(now)) this.#out.effect(effect); // A3
    this.#queries.onTick(now);
    this.#rooms.housekeep(now, this.#wallAt(now));
    this.#load(now);
    return this.#take();
  }

  /** O10. A room that is not loaded has no head, and its members would take it for another (R3). */
  #repeatHead(room: Room | undefined): void {
    if (room?.isLoaded !== true) return;
    const { id, head, born } = room;
    this.#out.effect({ kind: "repeat-head", room: id, head, born });
  }

  /** The partition has no rooms in memory, as most partitions of an idle cluster. */
  get #hasNothingToDo(): boolean {
    if (!this.#rooms.isEmpty || this.#quiet.size > 0) return false;
    return this.#queries.presence.isQuiet && this.#pendingSyncs.isEmpty;
  }

  /** The last entry: a release, or a split to `of` partitions. */
  appendEnd(now: Millis, of: number | undefined): Effect {
    const end = { epoch: this.epoch, node: this.#node, at: this.#wallAt(now) } as const;
    const text = encodeEntry(
      of === undefined ? { kind: "release", ...end } : { kind: "split", ...end, of },
    );
    return { kind: "append", n: 0, text, expected: this.last };
  }

  /** Gives the memory back. The tenure is not used afterwards. */
  end(): void {
    this.#rooms.clear();
    this.#queries.presence.clear();
    this.#unarchived.end();
    this.#window.clear();
  }

  #isMine(command: Command): boolean {
    if (isSync(command)) return command.rooms.every(([room]) => this.#isRoomHere(room));
    return this.#isRoomHere(command.room);
  }

  #isRoomHere(room: RoomId): boolean {
    // A room in the table was checked when it was opened.
    return this.#rooms.get(room) !== undefined || isRoomOf(room, this.#place.p, this.#place.of);
  }

  #onCommand(gateway: ProcessId, command: Command, now: Millis): void {
    if (isSync(command)) {
      this.#sync(gateway, command, now);
      return;
    }
    const room = this.#rooms.open(command.room, now);
    const arrival = { gateway, command, arrivedAt: now, ranMs: this.#running.at(now) };
    if (room.phase.kind === "ready") this.#serve(room, arrival, now);
    else if (!this.#rooms.wait(room, arrival)) this.#writes.refuseTemporarily(arrival, "busy", now);
    this.#load(now);
  }

  #serveWaiting(room: Room, now: Millis): void {
    while (room.phase.kind === "ready") {
      const next = this.#rooms.takeWaiting(room);
      if (next === undefined) return;
      this.#serve(room, next, now);
    }
  }

  #serve(room: Room, arrival: Arrival, now: Millis): void {
    const { gateway, command } = arrival;
    if (isImport(command)) this.#writes.importInto(room, { ...arrival, command }, now);
    else if (isWrite(command)) this.#writes.write(room, { ...arrival, command }, now);
    else this.#queries.answer(room, gateway, command);
  }

  #sync(gateway: ProcessId, command: Sync, now: Millis): void {
    this.#pendingSyncs.settle(gateway);
    const heads: [RoomId, Seq, string][] = [];
    for (const [id, , users, grants] of command.rooms) {
      const room = this.#rooms.open(id, now);
      const present = room.isLoaded ? readersOf(room, users, grants) : users;
      this.#queries.presence.replace(id, present, { gateway, c: command.c });
      if (room.isLoaded) heads.push([id, room.head, room.born]);
      else this.#rooms.requestHead(room, gateway);
    }
    this.#out.reply(gateway, { result: { c: command.c, ok: "synced", heads } });
    this.#load(now);
  }

  #load(now: Millis): void {
    const since = this.#wallAt(now) - TAKE_OVER_IDS_MS;
    for (const room of this.#rooms.startLoads(now, this.#watermark)) {
      this.#out.effect({ kind: "load-room", room, since });
    }
  }

  #append(now: Millis): void {
    const at = this.#wallAt(now);
    for (let next = this.#window.next(); next !== undefined; next = this.#window.next()) {
      const { n, expected, entry } = next;
      const groups = toGroups(entry);
      const { epoch } = this;
      const { traces } = entry;
      const commit = { kind: "commit", epoch, node: this.#node, at, groups } as const;
      const text = encodeEntry(traces === undefined ? commit : { ...commit, traces });
      const events = groups.reduce((sum, { lines }) => sum + lines.length, 0);
      this.#out.effect({ kind: "append", n, text, expected, events, traces });
    }
  }

  #wallAt(now: Millis): Millis {
    return now + this.#wallOffset.aheadMs;
  }

  #take(): Effect[] {
    this.#writes.requestLookUps(this.#watermark);
    this.#queries.announce();
    return this.#out.take();
  }
}

/** The users of a sync who may read the room. The others are not present (M9). */
function readersOf(
  room: Room,
  users: readonly UserId[],
  grants: SyncGrants = [],
): readonly UserId[] {
  if (room.state.isPublic) return users;
  const given = new Map(grants);
  return users.filter((user) => mayReadRoom(room, { user, grant: given.get(user) }));
}
