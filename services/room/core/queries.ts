// Queries: the commands that append nothing to the log: join, leave, head, about, members,
// invites, range.
//
// Owns: presence, and ranges that wait for an entry to be read back. Does not own: writes
// (writes.ts), the loading of rooms (room-table.ts), rights (rights.ts). A room that is passed here
// is loaded.
//
//   queries.1. A query of a user is answered only when the user may read the room. `leave` and
//        `range` show nothing that the gateway may not have: it asks for ranges on behalf of users
//        whose `join` or `head` was answered.
//        The list of invites is for users who may make one.
//   queries.2. An answer by a state that the log has not confirmed waits for the commit
//        (room/room.6).
//   queries.3. A join that was refused at first can be allowed when it is resent, behind newer
//        commands of its gateway, which presence.4 prefers. It gets `unavailable`, and the next
//        join counts. Otherwise the user would be joined and never present.

import type {
  JoinCommand,
  MembersCommand,
  Query,
  RangeCommand,
} from "#shared/protocol/commands.ts";
import type { ResultWithLines } from "#shared/protocol/results.ts";
import type { DecodedEntry } from "#shared/protocol/entry.ts";
import type { LogSeq, Millis, ProcessId, Seq } from "#shared/protocol/ids.ts";
import type { Role, RoomKind } from "#shared/protocol/roles.ts";
import type { CommitWindow } from "./commit.ts";
import type { EffectBuffer } from "./effect-buffer.ts";
import { Presence } from "./presence.ts";
import { ReadBacks } from "./read-backs.ts";
import { mayInvite, mayReadRoom, roleIn } from "./rights.ts";
import type { Room } from "./room.ts";
import type { RoomMemory } from "./room-memory.ts";

interface PendingJoin {
  readonly room: Room;
  readonly gateway: ProcessId;
  readonly query: JoinCommand;
  readonly head: Seq;
  readonly born: string;
  readonly role: Role;
  /** The kind of a room that not every user may read. */
  readonly access: RoomKind | undefined;
}

const COUNT_PERIOD_MS = 1_000;

export class Queries {
  readonly presence: Presence;
  readonly #out: EffectBuffer;
  readonly #window: CommitWindow;
  readonly #readBacks = new ReadBacks();
  /** The joins of this step. */
  #joins: PendingJoin[] = [];
  #countedAt: Millis = 0;

  constructor(out: EffectBuffer, window: CommitWindow, memory: RoomMemory) {
    this.#out = out;
    this.#window = window;
    this.presence = new Presence(memory);
  }

  answer(room: Room, gateway: ProcessId, query: Query): void {
    const { c } = query;
    if (query.op === "range") {
      this.#range(room, gateway, query);
      return;
    }
    const { id, state } = room;
    const { head, born } = room.shown;
    if (!isAllowed(room, query)) {
      this.#reply(room, gateway, { result: { c, error: "forbidden" } }); // queries.1
      return;
    }
    switch (query.op) {
      case "join": {
        if (!this.presence.join(id, query.user, { gateway, c })) {
          this.#out.refuse(gateway, c, "unavailable"); // queries.3
          return;
        }
        const access = state.isPublic ? undefined : state.kind;
        this.#joins.push({ room, gateway, query, head, born, role: roleIn(room, query), access });
        return;
      }
      case "leave":
        this.presence.leave(id, query.user, { gateway, c });
        this.#out.reply(gateway, { result: { c, ok: "left" } });
        return;
      case "head":
        this.#reply(room, gateway, { result: { c, ok: "head", head, born } });
        return;
      case "about": {
        const { mutedUntil } = state.member(query.user) ?? {};
        const muted = mutedUntil !== undefined && { mutedUntil };
        const about = { ...state.settings, head, born, role: roleIn(room, query), ...muted };
        const result = { c, ok: "about", ...about, members: state.size } as const;
        this.#reply(room, gateway, { result });
        return;
      }
      case "members":
        this.#members(room, gateway, query);
        return;
      case "invites":
        this.#reply(room, gateway, { result: { c, ok: "invites", invites: state.invites.list() } });
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
    for (const { room: joined, gateway, query, head, born, role, access } of this.#joins) {
      const { c, room } = query;
      const here = this.presence.here(room);
      const result = { c, ok: "joined", head, born, here } as const;
      const key = `${gateway} ${room}`;
      const listedBy = listed.get(key);
      const users = listedBy === undefined ? this.presence.users(room) : undefined;
      if (users !== undefined) listed.set(key, c);
      const names = users ? { users } : listedBy !== undefined && { listedBy };
      const rights = {
        ...(role !== "member" && { role }),
        ...(access !== undefined && { access }),
      };
      this.#reply(joined, gateway, { result: { ...result, ...names, ...rights } });
    }
    this.#joins = [];
    for (const frame of this.presence.takeAnnouncements()) {
      this.#out.effect({ kind: "announce", frame });
    }
  }

  #members(room: Room, gateway: ProcessId, { c, after, limit }: MembersCommand): void {
    const page = room.state.page(after, limit + 1);
    const members = page.slice(0, limit).map(([user, member]) => ({ user, ...member }));
    const more = page.length > limit;
    this.#reply(room, gateway, { result: { c, ok: "members", members, more } });
  }

  /** queries.2. */
  #reply(room: Room, gateway: ProcessId, item: ResultWithLines): void {
    if (room.isChanging && this.#window.attach(gateway, item)) return;
    this.#out.reply(gateway, item);
  }

  #range(room: Room, gateway: ProcessId, query: RangeCommand): void {
    const { c, first, last } = query;
    const answer = room.recent.range(first, Math.min(last, room.head));
    const lines = answer.kind === "lines" ? answer.lines : [];
    if (answer.kind === "in-log") {
      const asked = this.#readBacks.ask(answer.logSeq, gateway, query, (seq, line) =>
        room.redact(seq, line),
      );
      if (asked === "first") this.#out.effect({ kind: "get-entry", logSeq: answer.logSeq });
      if (asked !== "full") return;
    }
    this.#out.reply(gateway, { result: { c, ok: "range", first, count: lines.length }, lines });
  }
}

/** queries.1. */
function isAllowed(room: Room, query: Exclude<Query, RangeCommand>): boolean {
  if (query.op === "leave") return true;
  if (query.op === "invites") return mayInvite(room, query);
  const { user, grant } = query;
  // The head of an older gateway names no user.
  return user === undefined ? room.state.isPublic : mayReadRoom(room, { user, grant });
}
