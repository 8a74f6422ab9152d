// Changes: judges the changes of messages by the lines of the archive, and the pages of messages
// that clients received by the fold of these lines.
//
//   checker/changes.1. A stored change names an earlier message of its room that was not deleted
//        before. Its sender has the right to it: the author edits, and mentions everyone as a
//        moderator only, the author or a moderator deletes, a moderator pins. A reply in a thread
//        names a message of the main line.
//   checker/changes.2. The archive has no text of a deleted message: its line and those of its
//        edits are tombstones that name the deletion. No other line is a tombstone.
//   checker/changes.3. A page of messages shows each message as the lines up to `asOf` make it, and
//        every message of its list among the numbers that it covers. It mentions whom its newest
//        edit with mentions names, else whom its line names. The archive no longer knows that of a
//        message that was deleted behind `asOf`, and older records do not have it.
//
// It knows the protocol page and shares no code with the services.

import { parseObject } from "#shared/kit/json.ts";
import type { RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { Column, Names } from "./column.ts";
import type { Members } from "./members.ts";
import type { ClientRecord, Mentioned, ViewedMessage } from "./record.ts";
import { mentionedIn } from "./shown-message.ts";
import type { Fail } from "./violation.ts";

type View = Extract<ClientRecord, { op: "view"; phase: "ok" }>;

interface Change {
  readonly seq: Seq;
  readonly t: string;
  readonly from: UserId;
  readonly emoji?: string;
  readonly on?: boolean;
  /** Of an edit that has some. */
  readonly mentions?: Mentioned;
}

class Room {
  /** By number: the sender of a message, and the root of the thread that it is in. */
  readonly authors = new Column();
  readonly threads = new Column();
  /** By number of a message: the number of its deletion. */
  readonly deletions = new Column();
  /** By number of a line: the deletion that its tombstone names. */
  readonly tombstones = new Column();
  readonly changes = new Map<Seq, Change[]>();
  /** By number of a message whose line names users. */
  readonly mentions = new Map<Seq, Mentioned>();
  /** Lines with a text, or a tombstone of one: [line, message]. */
  readonly edits: (readonly [Seq, Seq])[] = [];
  last: Seq = 0;
}

export class Changes {
  readonly #fail: Fail;
  readonly #members: Members;
  readonly #rooms = new Map<RoomId, Room>();
  readonly #users = new Names();
  readonly #views: View[] = [];
  /** Judged pages of messages, and stored changes. */
  viewed = 0;
  changed = 0;
  erased = 0;

  constructor(members: Members, fail: Fail) {
    this.#members = members;
    this.#fail = fail;
  }

  onViewed(view: View): void {
    this.#views.push(view);
  }

  /** Lines of the archive, each room in order, each after `members` has taken it. */
  takeArchived(text: string): void {
    const line = parseObject(text);
    if (line === undefined) return;
    const [room, seq, from] = [line["room"] as RoomId, Number(line["seq"]), line["from"] as UserId];
    const known = this.#rooms.get(room) ?? new Room();
    this.#rooms.set(room, known);
    known.last = seq;
    const { t, deleted, mentions } = line;
    if (deleted !== undefined) known.tombstones.set(seq, (deleted as { seq: Seq }).seq);
    if (t === "msg") {
      known.authors.set(seq, this.#users.number(from));
      if (mentions !== undefined) known.mentions.set(seq, mentionedIn(mentions));
      const thread = Number(line["thread"] ?? 0);
      if (thread > 0) this.#onReply(known, room, seq, thread);
      return;
    }
    if (t !== "edited" && t !== "deleted" && t !== "reacted" && t !== "pinned") return;
    const target = Number(line["target"]);
    this.changed++;
    const isCall = mentions === "@room";
    this.#judge(known, room, { t, seq, from, target, at: Number(line["at"]), isCall });
    const { emoji, on } = line as { emoji?: string; on?: boolean };
    const of = known.changes.get(target) ?? [];
    const shown = {
      ...(emoji !== undefined && { emoji }),
      ...(on !== undefined && { on }),
      ...(mentions !== undefined && { mentions: mentionedIn(mentions) }),
    };
    known.changes.set(target, [...of, { seq, t, from, ...shown }]);
    if (t === "edited") known.edits.push([seq, target]);
    if (t === "deleted") known.deletions.set(target, seq);
  }

  finish(): void {
    for (const [id, room] of this.#rooms) this.#judgeErasure(id, room);
    for (const view of this.#views) this.#judgeView(view);
  }

  #onReply(known: Room, room: RoomId, seq: Seq, thread: Seq): void {
    known.threads.set(seq, thread);
    const isMain = known.authors.at(thread) > 0 && known.threads.at(thread) === 0;
    if (thread >= seq || !isMain || known.deletions.at(thread) > 0) {
      this.#fail("I17", `${room} ${seq} is in a thread of ${thread}, which cannot have one`);
    }
    const of = known.changes.get(thread) ?? [];
    known.changes.set(thread, [...of, { seq, t: "reply", from: "" as UserId }]);
  }

  /** checker/changes.1. */
  #judge(
    known: Room,
    room: RoomId,
    change: { t: string; seq: Seq; from: UserId; target: Seq; at: number; isCall: boolean },
  ): void {
    const { t, seq, from, target, at, isCall } = change;
    const author = known.authors.at(target);
    if (target >= seq || author === 0) {
      return this.#fail("I17", `${room} ${seq}: ${t} of ${target}, which is no message`);
    }
    if (known.deletions.at(target) > 0) {
      return this.#fail("I17", `${room} ${seq}: ${t} of ${target}, which was deleted before`);
    }
    const isOwn = this.#users.name(author) === from;
    const role = this.#members.roleAt(room, from, seq - 1);
    const mayManage = role === "moderator" || role === "owner";
    const mayWrite = mayManage || role === "member";
    const isMuted = this.#members.isMutedAt(room, from, seq - 1, at);
    const isAllowed = {
      edited: isOwn && mayWrite && !isMuted && (!isCall || mayManage),
      deleted: mayManage || (isOwn && role !== "none"),
      reacted: mayWrite && !isMuted,
      pinned: mayManage,
    }[t];
    if (isAllowed !== true) {
      this.#fail("I17", `${room} ${seq}: ${from} (${role}) had no right to ${t} of ${target}`);
    }
  }

  /** checker/changes.2. */
  #judgeErasure(id: RoomId, room: Room): void {
    const expected = new Map<Seq, Seq>();
    for (const [target, changes] of room.changes) {
      const deletion = changes.find(({ t }) => t === "deleted")?.seq;
      if (deletion !== undefined) expected.set(target, deletion);
    }
    for (const [seq, target] of room.edits) {
      const deletion = room.deletions.at(target);
      if (deletion > 0) expected.set(seq, deletion);
    }
    for (let seq = 1; seq <= room.last; seq++) {
      const [is, wanted] = [room.tombstones.at(seq), expected.get(seq) ?? 0];
      if (wanted > 0) this.erased++;
      if (is === wanted) continue;
      const what = is === 0 ? "still has its text" : `is a tombstone of ${is}`;
      this.#fail("I17", `${id} ${seq} ${what}; its deletion is ${wanted}`);
    }
  }

  /** checker/changes.3. */
  #judgeView({ client, room: id, thread = 0, first, last, asOf, messages }: View): void {
    const room = this.#rooms.get(id);
    if (room === undefined) return;
    this.viewed++;
    const where = `${client}: page of messages of ${id}`;
    const shown = new Map(messages.map((message) => [message.seq, message]));
    for (const { seq } of messages) {
      if (seq >= first && seq <= last) continue;
      this.#fail("I17", `${where}: ${seq} is outside of ${first} to ${last}`);
    }
    for (let seq = Math.max(1, first); seq <= Math.min(last, asOf, room.last); seq++) {
      const isListed = room.authors.at(seq) > 0 && room.threads.at(seq) === thread;
      const message = shown.get(seq);
      if (isListed !== (message !== undefined)) {
        this.#fail("I17", `${where}: ${seq} ${isListed ? "is missing" : "does not belong there"}`);
      }
      if (!isListed || message === undefined) continue;
      const fold = foldOf(room, seq, asOf);
      const withMentions = fold.mentions !== undefined && message.mentions !== undefined;
      const [is, wanted] = [textOf(message, withMentions), textOf(fold, withMentions)];
      if (is !== wanted) {
        this.#fail("I17", `${where} as of ${asOf}: ${seq} is ${is} instead of ${wanted}`);
      }
    }
  }
}

/** The state of a message behind the line `asOf`. */
function foldOf(room: Room, seq: Seq, asOf: Seq): ViewedMessage {
  const changes = (room.changes.get(seq) ?? []).filter((change) => change.seq <= asOf);
  const isDeleted = (of: Seq): boolean => {
    const deletion = room.deletions.at(of);
    return deletion > 0 && deletion <= asOf;
  };
  const newest = (t: string): Change | undefined => changes.findLast((change) => change.t === t);
  const replies = changes.filter(({ t }) => t === "reply");
  const pin = newest("pinned");
  const named = changes.findLast(({ t, mentions }) => t === "edited" && mentions !== undefined);
  const on = new Map<string, Set<string>>();
  for (const { t, emoji = "", from, on: isOn } of changes) {
    if (t !== "reacted") continue;
    const users = on.get(emoji) ?? new Set();
    on.set(emoji, users);
    users.delete(from);
    if (isOn === true) users.add(from);
  }
  const standing = [...on].filter(([, users]) => users.size > 0);
  const isGone = isDeleted(seq);
  return {
    seq,
    edited: isGone ? 0 : (newest("edited")?.seq ?? 0),
    deleted: isGone ? room.deletions.at(seq) : 0,
    replies: replies.filter((reply) => !isDeleted(reply.seq)).length,
    lastReply: replies.at(-1)?.seq ?? 0,
    pinned: isGone || pin?.on !== true ? 0 : pin.seq,
    reactions: isGone ? [] : standing.map(([emoji, users]) => `${emoji} ${users.size}`),
    ...(isGone && { mentions: [] }),
    ...(room.deletions.at(seq) === 0 && {
      mentions: named?.mentions ?? room.mentions.get(seq) ?? [],
    }),
  };
}

function textOf({ reactions, mentions, ...rest }: ViewedMessage, withMentions: boolean): string {
  const { seq, edited, deleted, replies, lastReply, pinned } = rest;
  const sorted = [...reactions].sort();
  const named = withMentions && { mentions };
  return JSON.stringify({ seq, edited, deleted, replies, lastReply, pinned, sorted, ...named });
}
