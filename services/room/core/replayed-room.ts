// Replayed room: what the log holds of one room above the archive's watermark, until the room is loaded.
//
// Owns: its blocks, and what must stay when their text is given up: head, birth, time, ids. Does not own:
// the archived part of the room, which the snapshot brings (room.ts).
//
//   replayed-room.1. Its lines are dense, and `first` is where they began, also when the oldest are not at hand now.

import { assert } from "#shared/kit/assert.ts";
import { ownString } from "#shared/kit/own-string.ts";
import { decodeEvent } from "#shared/protocol/events.ts";
import type { LogSeq, Millis, RoomId, Seq } from "#shared/protocol/ids.ts";
import { Dedupe } from "./dedupe.ts";
import { Recent } from "./recent.ts";
import type { BlockOwner, RecentBlock } from "./recent-block.ts";
import type { IdHolder, IdsToForget, RoomMemory } from "./room-memory.ts";

/** The objects of a replayed room, and its place in the table. */
const ROOM_BYTES = 1_024;

export class ReplayedRoom implements BlockOwner, IdHolder {
  readonly id: RoomId;
  readonly first: Seq;
  readonly recent: Recent;
  /** Those of its lines, from its floor on. */
  readonly ids: Dedupe;
  readonly #memory: RoomMemory;
  #archived: Seq = 0;
  #forgottenTo: Seq = 0;
  /** The room that was loaded with this, and learns from then on what is archived of it. */
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
    this.recent = new Recent(memory, this);
  }

  get head(): Seq {
    return this.#head;
  }

  /** Ids up to this number may be missing. */
  get forgottenTo(): Seq {
    return this.#forgottenTo;
  }

  get lastAt(): Millis {
    return this.#lastAt;
  }

  /** The id of the room's first message, when that is among these lines. */
  get born(): string | undefined {
    return this.#born;
  }

  add(first: Seq, lines: readonly string[], logSeq: LogSeq): RecentBlock {
    assert(first === this.#head + 1, "a replayed room is dense"); // replayed-room.1
    for (const line of lines) {
      const { seq, id, from, at } = decodeEvent(line);
      assert(seq === this.#head + 1, "a replayed room is dense");
      this.#head = seq;
      this.#lastAt = at;
      if (seq === 1) this.#born = id;
      this.ids.remember(from, id, { seq, at });
    }
    return this.recent.add({ first, lines: lines.map(ownString), logSeq }, "replay");
  }

  /** The archive has all of it. */
  get isArchived(): boolean {
    return this.#archived === this.#head;
  }

  forgetArchivedIds(ids: IdsToForget): void {
    this.forgetIds(this.#archived, ids);
  }

  /** The archive has everything up to here. */
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
    return this.ids.forgetUpTo(seq, ids);
  }

  /** Gives all memory back; it is not used afterwards. */
  clear(): void {
    this.recent.clear();
    this.ids.clear();
    this.#memory.account.add("rooms", -ROOM_BYTES);
    this.#memory.removeIds(this);
  }

  forgetLines(seq: Seq): void {
    this.recent.forgetUpTo(seq);
  }
}
