// Members: judges who was allowed to read and to write, by the rooms' own lines in the archive.
//
//   members.1. A connection joins a room only while its user has the right to read at the head that
//        `joined` names. The first later line that takes the right is the last line that the
//        connection receives of the room. A line that creates a closed room is none of a user who
//        has no right behind it.
//   members.2. A page of a user reaches no line behind which the user never had the right again.
//   members.3. A stored message has a sender with the right to send; a stored change of another
//        user has a sender who is moderator or owner.
//
// It knows the protocol page and shares no code with the services. Runs have no tokens with grants.

import { parseObject } from "#shared/kit/json.ts";
import type { MessageId, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { ClientRecord } from "./record.ts";
import type { Fail } from "./violation.ts";
import { idOfWrite } from "./write-ids.ts";

type On<Op extends ClientRecord["op"]> = Extract<ClientRecord, { op: Op }>;

/** What a room has of a user from the line `seq` on. */
interface Standing {
  readonly seq: Seq;
  readonly role: string;
  readonly banned: boolean;
  readonly mutedUntil: number;
}

interface Room {
  isClosed: boolean;
  /** The line with the settings; 0: none. */
  settingsSeq: Seq;
  /** The id of the first line, when it creates the room: its member lines count as one with it. */
  creation: MessageId | undefined;
  readonly users: Map<UserId, Standing[]>;
}

/** One membership of a connection. */
interface Membership {
  readonly name: string;
  readonly client: UserId;
  readonly room: RoomId;
  readonly head: Seq;
  last: Seq;
}

const WRITERS: ReadonlySet<string> = new Set(["member", "moderator", "owner"]);
const MANAGERS: ReadonlySet<string> = new Set(["moderator", "owner"]);

export class Members {
  readonly #fail: Fail;
  readonly #rooms = new Map<RoomId, Room>();
  /** The newest membership by connection and room, and all of them. */
  readonly #open = new Map<string, Membership>();
  readonly #all: Membership[] = [];
  readonly #pages: Membership[] = [];
  /** Memberships that a line ended. */
  removed = 0;

  constructor(fail: Fail) {
    this.#fail = fail;
  }

  onJoined(record: Extract<On<"join">, { phase: "ok" }>): void {
    const { client, conn, room, from, head = from - 1 } = record;
    const name = `${client}/${conn}`;
    const membership = { name, client, room, head, last: 0 };
    this.#open.set(`${name} ${room}`, membership);
    this.#all.push(membership);
  }

  onSeen({ client, conn, room, seq }: On<"see">): void {
    const membership = this.#open.get(`${client}/${conn} ${room}`);
    if (membership !== undefined) membership.last = Math.max(membership.last, seq);
  }

  onPaged({ client, conn, room, first, ids }: Extract<On<"page">, { phase: "ok" }>): void {
    if (ids.length === 0) return;
    const last = first + ids.length - 1;
    this.#pages.push({ name: `${client}/${conn}`, client, room, head: last, last });
  }

  onViewed({ client, conn, room, messages }: Extract<On<"view">, { phase: "ok" }>): void {
    const last = messages.at(-1)?.seq;
    if (last === undefined) return;
    this.#pages.push({ name: `${client}/${conn}`, client, room, head: last, last });
  }

  /** Lines of the archive, each room in order. */
  takeArchived(text: string): void {
    const line = parseObject(text);
    if (line === undefined) return;
    const room = line["room"] as RoomId;
    const [seq, at, from] = [Number(line["seq"]), Number(line["at"]), line["from"] as UserId];
    if (line["t"] === "msg") return this.#judgeSend(room, seq, at, from);
    if (line["t"] !== "room" && line["t"] !== "member") return;
    const known = this.#roomOf(room);
    const { creation } = known;
    const isCreation = creation !== undefined && idOfWrite(creation, seq - 1) === line["id"];
    if (line["t"] === "room") {
      if (seq === 1) known.creation = line["id"] as MessageId;
      else this.#judgeChange(known, room, seq, from);
      known.isClosed = line["kind"] !== "open";
      known.settingsSeq = known.settingsSeq === 0 ? seq : known.settingsSeq;
      return;
    }
    const user = line["user"] as UserId;
    if (!isCreation && user !== from) this.#judgeChange(known, room, seq, from);
    const standings = known.users.get(user) ?? [];
    known.users.set(user, standings);
    standings.push({
      seq: isCreation ? 1 : seq,
      role: String(line["role"]),
      banned: line["banned"] === true,
      mutedUntil: Number(line["mutedUntil"] ?? 0),
    });
  }

  /** The effective role behind the line `seq`, of the lines taken so far. */
  roleAt(room: RoomId, user: UserId, seq: Seq): string {
    const known = this.#rooms.get(room);
    return known === undefined ? "member" : roleAt(known, user, seq);
  }

  isMutedAt(room: RoomId, user: UserId, seq: Seq, at: number): boolean {
    const known = this.#rooms.get(room);
    const standing = known === undefined ? undefined : standingAt(known, user, seq);
    return (standing?.mutedUntil ?? 0) > at;
  }

  finish(): void {
    for (const membership of this.#all) this.#judgeMembership(membership);
    for (const page of this.#pages) this.#judgePage(page);
  }

  /** members.1. */
  #judgeMembership({ name, client, room, head, last }: Membership): void {
    const known = this.#rooms.get(room);
    if (known === undefined) return;
    if (!mayRead(known, client, head)) {
      this.#fail("I16", `${name} joined ${room} at ${head} without the right to read it`);
    }
    for (const seq of changesOf(known, client)) {
      if (seq <= head || mayRead(known, client, seq)) continue;
      this.removed++;
      const limit = seq === known.settingsSeq ? seq - 1 : seq;
      if (last > limit) {
        this.#fail("I16", `${name} received ${room} up to ${last}; its right ended with ${limit}`);
      }
      return;
    }
  }

  /** members.2. */
  #judgePage({ name, client, room, last }: Membership): void {
    const known = this.#rooms.get(room);
    if (known === undefined || mayRead(known, client, last)) return;
    const later = changesOf(known, client).filter((seq) => seq > last);
    if (later.some((seq) => mayRead(known, client, seq))) return;
    this.#fail("I16", `${name} read a page of ${room} up to ${last} without the right to`);
  }

  /** members.3. */
  #judgeSend(room: RoomId, seq: Seq, at: number, from: UserId): void {
    const known = this.#rooms.get(room);
    if (known === undefined) return;
    const standing = standingAt(known, from, seq - 1);
    const isMuted = (standing?.mutedUntil ?? 0) > at;
    if (WRITERS.has(roleAt(known, from, seq - 1)) && !isMuted) return;
    this.#fail("I16", `${room} ${seq} is stored; ${from} had no right to send it`);
  }

  #judgeChange(known: Room, room: RoomId, seq: Seq, from: UserId): void {
    if (MANAGERS.has(roleAt(known, from, seq - 1))) return;
    this.#fail("I16", `${room} ${seq} is stored; ${from} had no right to change the room`);
  }

  #roomOf(room: RoomId): Room {
    let known = this.#rooms.get(room);
    if (known === undefined) {
      known = { isClosed: false, settingsSeq: 0, creation: undefined, users: new Map() };
      this.#rooms.set(room, known);
    }
    return known;
  }
}

/** The lines that can change the right of a user, ascending. */
function changesOf({ settingsSeq, users }: Room, user: UserId): Seq[] {
  const own = (users.get(user) ?? []).map(({ seq }) => seq);
  return settingsSeq > 0 ? [settingsSeq, ...own] : own;
}

function standingAt({ users }: Room, user: UserId, seq: Seq): Standing | undefined {
  return users.get(user)?.findLast((standing) => standing.seq <= seq);
}

function roleAt(room: Room, user: UserId, seq: Seq): string {
  const standing = standingAt(room, user, seq);
  if (standing?.banned === true) return "none";
  if (standing !== undefined && standing.role !== "none") return standing.role;
  return room.isClosed && seq >= room.settingsSeq ? "none" : "member";
}

function mayRead(room: Room, user: UserId, seq: Seq): boolean {
  return roleAt(room, user, seq) !== "none";
}
