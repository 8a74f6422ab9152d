// Lists: judges the room lists that clients received by the lines of the archive, and the read
// positions in them by what the clients said.
//
//   checker/lists.1. Each room of a list is the fold of its lines up to the head that the list
//        names: the user is a member there with that role, and the counts and the last message are
//        those of the lines. A position is none that the user did not say.
//   checker/lists.2. The read position of a user in a room never falls from one list to a list that
//        was requested after it.
//   checker/lists.3. The last list of a client, at the end of the run, has every room whose member
//        the user is, and each position that the client said on the same connection as a member,
//        as far as it had received the room.
//
// It knows the protocol page and shares no code with the services. Of a message that was deleted
// after the list, the archive no longer says whom it mentioned: the count has a range then. An edit
// with mentions replaces those of its message for the lists from its number on.

import { parseObject } from "#shared/kit/json.ts";
import type { RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { ClientRecord, ShownRoom } from "./record.ts";
import type { Fail } from "./violation.ts";

type List = Extract<ClientRecord, { op: "list"; phase: "ok" }>;
type Said = Extract<ClientRecord, { op: "read" }>;

type Seen = Extract<ClientRecord, { op: "see" } | { op: "join"; phase: "ok" }>;

/** What a client said and received on one connection. */
interface Saying {
  readonly conn: number;
  readonly said: Map<RoomId, Seq>;
  readonly reached: Map<RoomId, Seq>;
}

/** The bounds of the protocol page. */
const UNREAD_MAX = 100;
const EVENTS_MAX = 1_000;

type Mentions = ReadonlySet<string> | "everyone";

interface Message {
  readonly seq: Seq;
  readonly from: UserId;
  /** By the numbers from which on they hold, ascending. Undefined: the text was erased. */
  readonly mentions: (readonly [Seq, Mentions])[] | undefined;
  /** The number of its deletion; Infinity: it was not deleted. */
  deletedBy: Seq;
}

interface Standing {
  readonly seq: Seq;
  readonly role: string;
  readonly isMember: boolean;
}

class Room {
  readonly messages: Message[] = [];
  readonly bySeq = new Map<Seq, Message>();
  readonly users = new Map<UserId, Standing[]>();
  head: Seq = 0;

  /** The member line in force behind `seq`, and the line since which the user is a member. */
  standingAt(user: UserId, seq: Seq): { readonly role: string; readonly since: Seq } | undefined {
    const lines = (this.users.get(user) ?? []).filter((line) => line.seq <= seq);
    const last = lines.at(-1);
    if (last?.isMember !== true) return undefined;
    const gap = lines.findLastIndex((line) => !line.isMember);
    return { role: last.role, since: lines[gap + 1]?.seq ?? last.seq };
  }
}

export class Lists {
  readonly #fail: Fail;
  readonly #rooms = new Map<RoomId, Room>();
  readonly #lists: List[] = [];
  /** By client: the last list, and what it said on the connection of that list before. */
  readonly #final = new Map<
    UserId,
    { readonly list: List; readonly said: ReadonlyMap<RoomId, Seq> }
  >();
  /** By client: the newest connection; and the highest positions of all connections. */
  readonly #saying = new Map<UserId, Saying>();
  readonly #highest = new Map<string, Seq>();
  /** By client and room: the newest received position. */
  readonly #shown = new Map<string, Seq>();
  /** By connection and request: the positions that the client had received before it. */
  readonly #before = new Map<string, ReadonlyMap<string, Seq>>();
  /** Judged rooms of lists. */
  judged = 0;
  /** Positions that were higher than those that the client knew. */
  grown = 0;

  constructor(fail: Fail) {
    this.#fail = fail;
  }

  /** The client received the room up to `seq`, or its head is `seq`. */
  onReached({ client, conn }: Said | Seen, room: RoomId, seq: Seq): void {
    const { reached } = this.#sayingOf(client, conn);
    reached.set(room, Math.max(seq, reached.get(room) ?? 0));
  }

  onSaid({ client, conn, room, seq }: Said): void {
    const { said, reached } = this.#sayingOf(client, conn);
    const counted = Math.min(seq, reached.get(room) ?? 0);
    said.set(room, Math.max(counted, said.get(room) ?? 0));
    const key = `${client} ${room}`;
    this.#highest.set(key, Math.max(seq, this.#highest.get(key) ?? 0));
  }

  onAsked({ client, conn, ref }: Extract<ClientRecord, { op: "list" }>): void {
    this.#before.set(`${client}/${conn} ${ref}`, new Map(this.#shown));
  }

  onListed(list: List): void {
    const { client, conn, ref, rooms } = list;
    this.#lists.push(list);
    const saying = this.#saying.get(client);
    const said = saying?.conn === conn ? saying.said : new Map<RoomId, Seq>();
    this.#final.set(client, { list, said: new Map(said) });
    const name = `${client}/${conn} ${ref}`;
    const before = this.#before.get(name);
    this.#before.delete(name);
    for (const { room, read } of rooms) {
      const key = `${client} ${room}`;
      const known = before?.get(key) ?? 0;
      if (read < known) {
        this.#fail("I18", `${client}: the position in ${room} fell from ${known} to ${read}`);
      }
      const shown = this.#shown.get(key);
      if (shown !== undefined && read > shown) this.grown++;
      this.#shown.set(key, Math.max(read, shown ?? 0));
      const highest = this.#highest.get(key) ?? 0;
      if (read > highest) {
        this.#fail("I18", `${client}: the position in ${room} is ${read}; ${highest} was said`);
      }
    }
  }

  /** Lines of the archive, each room in order. */
  takeArchived(text: string): void {
    const line = parseObject(text);
    if (line === undefined) return;
    const room = this.#roomOf(line["room"] as RoomId);
    const seq = Number(line["seq"]);
    room.head = seq;
    if (line["t"] === "msg") {
      const isErased = line["deleted"] !== undefined;
      const mentions: Message["mentions"] = isErased
        ? undefined
        : [[seq, mentionsOf(line["mentions"])]];
      const message = { seq, from: line["from"] as UserId, mentions, deletedBy: Infinity };
      room.messages.push(message);
      room.bySeq.set(seq, message);
    } else if (line["t"] === "edited") {
      const message = room.bySeq.get(Number(line["target"]));
      const { mentions } = line;
      if (mentions !== undefined) message?.mentions?.push([seq, mentionsOf(mentions)]);
    } else if (line["t"] === "deleted") {
      const message = room.bySeq.get(Number(line["target"]));
      if (message !== undefined) message.deletedBy = Math.min(message.deletedBy, seq);
    } else if (line["t"] === "member") {
      const user = line["user"] as UserId;
      const role = String(line["role"]);
      const isMember = role !== "none" && line["banned"] !== true;
      room.users.set(user, [...(room.users.get(user) ?? []), { seq, role, isMember }]);
    }
  }

  /** `isComplete`: the run has ended in order, and the last lists were requested after it. */
  finish(isComplete: boolean): void {
    for (const list of this.#lists) for (const shown of list.rooms) this.#judge(list, shown);
    if (isComplete)
      for (const [client, { list, said }] of this.#final) this.#judgeFinal(client, list, said);
  }

  /** checker/lists.1. */
  #judge({ client }: List, shown: ShownRoom): void {
    const { room: id, head, role, read, unread, mentions, last } = shown;
    const where = `${client}: ${id} at ${head} in a list`;
    const room = this.#rooms.get(id);
    if (room === undefined || head > room.head) {
      return this.#fail("I18", `${where}: its head is ${room?.head ?? 0}`);
    }
    this.judged++;
    const standing = room.standingAt(client, head);
    if (standing?.role !== role) {
      return this.#fail("I18", `${where}: the role is ${role} instead of ${standing?.role}`);
    }
    const window = head - EVENTS_MAX;
    const present = room.messages.filter(
      ({ seq, deletedBy }) => seq <= head && seq > window && deletedBy > head,
    );
    const base = Math.max(read, standing.since);
    const others = present.filter(({ seq, from }) => seq > base && from !== client);
    const expected = Math.min(UNREAD_MAX, others.length);
    if (unread !== expected) {
      this.#fail("I18", `${where} read up to ${read}: ${unread} unread instead of ${expected}`);
    }
    const sure = others.filter((message) => isNamed(message, head, client)).length;
    const unsure = others.filter(({ mentions: whom }) => whom === undefined).length;
    const [least, most] = [sure, sure + unsure].map((count) => Math.min(UNREAD_MAX, count));
    if (mentions < (least ?? 0) || mentions > (most ?? 0)) {
      this.#fail("I18", `${where}: ${mentions} mentions instead of ${least} to ${most}`);
    }
    const newest = present.at(-1)?.seq ?? 0;
    if (last !== newest) this.#fail("I18", `${where}: the last message is ${last}, not ${newest}`);
  }

  /** checker/lists.3. */
  #judgeFinal(client: UserId, { rooms }: List, said: ReadonlyMap<RoomId, Seq>): void {
    const shown = new Map(rooms.map((room) => [room.room, room]));
    for (const [id, room] of this.#rooms) {
      const standing = room.standingAt(client, room.head);
      const listed = shown.get(id);
      if ((standing === undefined) !== (listed === undefined)) {
        const what = listed === undefined ? "is missing in" : "does not belong to";
        this.#fail("I18", `${id} ${what} the last list of ${client}`);
      }
      const seq = said.get(id) ?? 0;
      // A position from before the membership is not stored.
      if (standing === undefined || listed === undefined || seq < standing.since) continue;
      if (listed.read < seq) {
        this.#fail("I18", `${client} said ${id} ${seq}; the last list has ${listed.read}`);
      }
    }
  }

  #sayingOf(client: UserId, conn: number): Saying {
    let saying = this.#saying.get(client);
    if (saying?.conn === conn) return saying;
    saying = { conn, said: new Map(), reached: new Map() };
    this.#saying.set(client, saying);
    return saying;
  }

  #roomOf(id: RoomId): Room {
    let room = this.#rooms.get(id);
    if (room === undefined) this.#rooms.set(id, (room = new Room()));
    return room;
  }
}

function mentionsOf(mentions: unknown): Mentions {
  if (mentions === "@room") return "everyone";
  return new Set(Array.isArray(mentions) ? (mentions as string[]) : []);
}

/** Whether the message mentions the user behind the line `head`. */
function isNamed({ mentions = [] }: Message, head: Seq, user: UserId): boolean {
  const whom = mentions.findLast(([seq]) => seq <= head)?.[1];
  return whom === "everyone" || whom?.has(user) === true;
}
