// Replayed room: the entries of one room above the archive's watermark, until the room is loaded.
//
// Owns: its blocks, and the data that stays when texts are dropped: head, birth, time, ids,
// targets, erasures, and the events that change the room's state. Does not own: the archived part
// of the room, which comes with the snapshot (room.ts).
//
//   replayed-room.1. Its lines are dense. `first` is the sequence number of the first replayed
//       line, also after that line was dropped.

import { assert } from "#shared/kit/assert.ts";
import { ownString } from "#shared/kit/own-string.ts";
import { decodeEvent, isStateEvent } from "#shared/protocol/events.ts";
import type { StateEvent } from "#shared/protocol/events.ts";
import type { LogSeq, Millis, RoomId, Seq } from "#shared/protocol/ids.ts";
import { Dedupe } from "./dedupe.ts";
import { Erasures } from "./erasures.ts";
import { Recent } from "./recent.ts";
import type { BlockOwner, RecentBlock } from "./recent-block.ts";
import type { IdHolder, IdsToForget, RoomMemory } from "./room-memory.ts";
import { Targets } from "./message-targets.ts";
import { SENDER_BYTES, SlowMode } from "./slow-mode.ts";
import type { SentMessage } from "./slow-mode.ts";

/** The memory of a replayed room without its lines and ids. */
const ROOM_BYTES = 1_024;
/** The memory of an event that changes the room's state. */
const CHANGE_BYTES = 512;

export class ReplayedRoom implements BlockOwner, IdHolder {
  readonly id: RoomId;
  readonly first: Seq;
  readonly recent: Recent;
  /** The ids of its lines, above their floor. */
  readonly ids: Dedupe;
  /** The messages among its lines. */
  readonly targets: Targets;
  readonly erasures: Erasures;
  /** For a room with slow mode. */
  readonly senders = new SlowMode();
  readonly #memory: RoomMemory;
  /** In order, also those that the snapshot has already (room-state.1). */
  readonly changes: StateEvent[] = [];
  #archived: Seq = 0;
  #forgottenTo: Seq = 0;
  /** The loaded room that took this one over. It receives the watermarks from then on. */
  loadedRoom: { onArchived(seq: Seq): void } | undefined;
  #head: Seq;
  #lastAt: Millis = 0;
  #born: string | undefined;

  constructor(id: RoomId, first: Seq, memory: RoomMemory) {
    this.id = id;
    this.first = first;
    this.#head = first - 1;
    this.#memory = memory;
    memory.account.add("rooms", ROOM_BYTES);
    memory.addIds(this);
    this.ids = new Dedupe(0, { account: memory.account });
    this.targets = new Targets(first, memory.account);
    this.erasures = new Erasures(memory.account);
    this.recent = new Recent(memory, this);
  }

  get head(): Seq {
    return this.#head;
  }

  /** Ids up to this sequence number may be missing. */
  get forgottenTo(): Seq {
    return this.#forgottenTo;
  }

  get lastAt(): Millis {
    return this.#lastAt;
  }

  /** The id of the room's first message, if the replay contains it. */
  get born(): string | undefined {
    return this.#born;
  }

  add(first: Seq, lines: readonly string[], logSeq: LogSeq): RecentBlock {
    assert(first === this.#head + 1, "a replayed room is dense"); // replayed-room.1
    const erased: Seq[] = [];
    for (const line of lines) {
      const event = decodeEvent(line);
      const { seq, id, from, at } = event;
      assert(seq === this.#head + 1, "a replayed room is dense");
      this.#head = seq;
      this.#lastAt = at;
      if (seq === 1) this.#born = id;
      this.ids.remember(from, id, { seq, at });
      this.targets.take(event);
      erased.push(...this.erasures.take(event));
      if (event.t === "msg") this.#takeSender(event);
      if (!isStateEvent(event)) continue;
      this.changes.push(event);
      this.#memory.account.add("rooms", CHANGE_BYTES);
    }
    const block = this.recent.add({ first, lines: lines.map(ownString), logSeq }, "replay");
    for (const seq of erased) this.recent.rewrite(seq, (line) => this.erasures.redact(seq, line));
    return block;
  }

  #takeSender(message: SentMessage): void {
    const before = this.senders.size;
    this.senders.take(message);
    this.#memory.account.add("rooms", (this.senders.size - before) * SENDER_BYTES);
  }

  /** The archive has all of its events. */
  get isArchived(): boolean {
    return this.#archived === this.#head;
  }

  forgetArchivedIds(ids: IdsToForget): void {
    this.forgetIds(this.#archived, ids);
  }

  /** The archive has all events up to here. */
  get archived(): Seq {
    return this.#archived;
  }

  onArchived(seq: Seq): void {
    this.loadedRoom?.onArchived(seq);
    this.#archived = Math.max(this.#archived, seq);
    this.recent.forgetUpTo(seq);
  }

  forgetIds(seq: Seq, ids: IdsToForget): boolean {
    this.#forgottenTo = Math.max(this.#forgottenTo, seq);
    this.targets.forgetUpTo(seq);
    return this.ids.forgetUpTo(seq, ids);
  }

  /** Gives all memory back. The object is not used afterwards. */
  clear(): void {
    this.recent.clear();
    this.ids.clear();
    this.targets.clear();
    this.erasures.clear();
    const changes = this.changes.length * CHANGE_BYTES;
    const senders = this.senders.size * SENDER_BYTES;
    this.#memory.account.add("rooms", -ROOM_BYTES - changes - senders);
    this.changes.length = 0;
    this.senders.clear();
    this.#memory.removeIds(this);
  }

  forgetLines(seq: Seq): void {
    this.recent.forgetUpTo(seq);
  }
}
