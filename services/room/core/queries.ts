// Queries: the commands that append nothing to the log: join, leave, head and range.
//
// Owns: presence, and ranges that wait for an entry to be read back. Does not own: sends
// (writes.ts), the loading of rooms (room-table.ts). A room that is passed here is loaded.

import type { JoinCommand, Query, RangeCommand } from "#shared/protocol/commands.ts";
import type { DecodedEntry } from "#shared/protocol/entry.ts";
import type { LogSeq, Millis, ProcessId, Seq } from "#shared/protocol/ids.ts";
import type { EffectBuffer } from "./effect-buffer.ts";
import { Presence } from "./presence.ts";
import { ReadBacks } from "./read-backs.ts";
import type { Room } from "./room.ts";
import type { RoomMemory } from "./room-memory.ts";

interface PendingJoin {
  readonly gateway: ProcessId;
  readonly query: JoinCommand;
  readonly head: Seq;
  readonly born: string;
}

const COUNT_PERIOD_MS = 1_000;

export class Queries {
  readonly presence: Presence;
  readonly #out: EffectBuffer;
  readonly #readBacks = new ReadBacks();
  /** The joins of this step. */
  #joins: PendingJoin[] = [];
  #countedAt: Millis = 0;

  constructor(out: EffectBuffer, memory: RoomMemory) {
    this.#out = out;
    this.presence = new Presence(memory);
  }

  answer(room: Room, gateway: ProcessId, query: Query): void {
    const { c } = query;
    const { id, head, born } = room;
    switch (query.op) {
      case "join":
        this.presence.join(id, query.user, { gateway, c });
        this.#joins.push({ gateway, query, head, born });
        return;
      case "leave":
        this.presence.leave(id, query.user, { gateway, c });
        this.#out.reply(gateway, { result: { c, ok: "left" } });
        return;
      case "head":
        this.#out.reply(gateway, { result: { c, ok: "head", head, born } });
        return;
      case "range":
        this.#range(room, gateway, query);
    }
  }

  onEntryRead(logSeq: LogSeq, entry: DecodedEntry | undefined): void {
    for (const { gateway, item } of this.#readBacks.answer(logSeq, entry)) {
      this.#out.reply(gateway, item);
    }
  }

  /** Announces the counts of large rooms once a second (A2). */
  onTick(now: Millis): void {
    if (now - this.#countedAt < COUNT_PERIOD_MS) return;
    this.#countedAt = now;
    this.presence.everySecond();
  }

  /**
   * Ends a step: adds the announcements of presence and the answers of the joins, each with all
   * users that are present now.
   * Answers leave after announcements, and a gateway delivers to a member only what follows its
   * answer. So an answer has to include the users who joined later in the same step (A1). The names
   * leave once per gateway, room and step: a list in each answer would grow with the square of the
   * joins.
   */
  announce(): void {
    /** Gateway and room → the command number of the join whose answer carries the names. */
    const listed = new Map<string, number>();
    for (const { gateway, query, head, born } of this.#joins) {
      const { c, room } = query;
      const here = this.presence.here(room);
      const result = { c, ok: "joined", head, born, here } as const;
      const key = `${gateway} ${room}`;
      const listedBy = listed.get(key);
      const users = listedBy === undefined ? this.presence.users(room) : undefined;
      if (users !== undefined) listed.set(key, c);
      const names = users ? { users } : listedBy !== undefined && { listedBy };
      this.#out.reply(gateway, { result: { ...result, ...names } });
    }
    this.#joins = [];
    for (const frame of this.presence.takeAnnouncements()) {
      this.#out.effect({ kind: "announce", frame });
    }
  }

  #range(room: Room, gateway: ProcessId, query: RangeCommand): void {
    const { c, first, last } = query;
    const answer = room.recent.range(first, Math.min(last, room.head));
    const lines = answer.kind === "lines" ? answer.lines : [];
    if (answer.kind === "in-log") {
      const asked = this.#readBacks.ask(answer.logSeq, gateway, query);
      if (asked === "first") this.#out.effect({ kind: "get-entry", logSeq: answer.logSeq });
      if (asked !== "full") return;
    }
    this.#out.reply(gateway, { result: { c, ok: "range", first, count: lines.length }, lines });
  }
}
