// Notes: whom the events of a write concern, beside the members who are joined. A note is a hint to
// all sessions of a user, published when the log has confirmed the event.
//
// Owns: the reasons. Does not own: subjects and delivery, the rights (rights.ts).
//
//   notes.1. A user gets at most one note of an event, and none of an own message.
//   notes.2. A message concerns only users who may read the room, so that no stranger learns of a
//        closed room by being named in it. The owner does not know the grants of other tokens: a
//        user of a closed room without a stored role gets a note that needs a grant, which the
//        gateway judges. A mention of everyone concerns the stored members while there are at most
//        NOTED_MEMBERS_MAX; beyond it the room list alone counts it.
//   notes.3. The author of an answered message gets a note while the owner knows the author from
//        memory.
//   notes.4. An edit concerns the users whom the message did not mention before, as far as the
//        owner knows. A message that mentioned everyone has no new ones.

import type { EditedEvent, Mentions, MessageEvent, RoomEvent } from "#shared/protocol/events.ts";
import type { TargetMessage } from "#shared/protocol/history.ts";
import type { RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { Note, NoteReason } from "#shared/protocol/note.ts";
import { mayRead } from "#shared/protocol/roles.ts";
import type { RoomKind } from "#shared/protocol/roles.ts";
import { kindOf } from "./rights.ts";
import type { JudgedRoom } from "./rights.ts";

export interface UserNote extends Note {
  readonly user: UserId;
}

/** The publishes that one mention of everyone may cost. Beyond it there is no note. */
export const NOTED_MEMBERS_MAX = 200;

const NONE: readonly UserNote[] = [];
type Reason = Pick<UserNote, "why" | "needsGrant">;
const NO_USERS: readonly (readonly [UserId, Reason])[] = [];

/** What the owner knows of a message. */
interface KnownMessages {
  find(seq: Seq): TargetMessage | "none" | undefined;
}

/** `room` has the events. `edited`: the message that an edit names, before the edit. */
export function notesOf(
  events: readonly RoomEvent[],
  room: JudgedRoom & { readonly id: RoomId },
  known: KnownMessages,
  edited?: TargetMessage | "none",
): readonly UserNote[] {
  let notes: UserNote[] | undefined;
  for (const event of events) {
    const { seq } = event;
    for (const [user, reason] of concernedBy(event, room, known, edited)) {
      (notes ??= []).push({ room: room.id, seq, user, ...reason });
    }
  }
  return notes ?? NONE;
}

function concernedBy(
  event: RoomEvent,
  room: JudgedRoom,
  known: KnownMessages,
  edited: TargetMessage | "none" | undefined,
): Iterable<readonly [UserId, Reason]> {
  if (event.t === "member") {
    const isIn = event.role !== "none" && event.banned !== true;
    return [[event.user, { why: isIn ? "added" : "removed" }]];
  }
  if (event.t === "edited" && event.mentions !== undefined && typeof edited === "object") {
    return concernedByEdit(event, room, edited);
  }
  if (event.t !== "msg") return NO_USERS;
  const isDirect = kindOf(room) === "direct";
  const { mentions, replyTo, thread } = event;
  // Most messages concern no user: nothing is allocated for them.
  if (!isDirect && mentions === undefined && replyTo === undefined && thread === undefined)
    return NO_USERS;
  return concernedByMessage(event, room, known);
}

function concernedByMessage(
  { from, mentions, replyTo, thread }: MessageEvent,
  room: JudgedRoom,
  known: KnownMessages,
): Concerned["users"] {
  const concerned = new Concerned(room, from);
  if (kindOf(room) === "direct") concerned.addStored("direct");
  concerned.addMentions(mentions);
  for (const seq of [replyTo, thread]) {
    const answered = seq === undefined ? undefined : known.find(seq);
    if (answered !== "none") concerned.add(answered?.from, "reply"); // notes.3
  }
  return concerned.users;
}

/** notes.4. */
function concernedByEdit(
  { from, mentions }: EditedEvent,
  room: JudgedRoom,
  { mentions: before = [] }: TargetMessage,
): Concerned["users"] {
  const concerned = new Concerned(room, from);
  if (before === "@room") return concerned.users;
  concerned.addMentions(mentions);
  for (const user of before) concerned.users.delete(user);
  return concerned.users;
}

class Concerned {
  readonly users = new Map<UserId, Reason>();
  readonly #room: JudgedRoom;
  readonly #kind: RoomKind;
  readonly #from: UserId;

  constructor(room: JudgedRoom, from: UserId) {
    this.#room = room;
    this.#kind = kindOf(room);
    this.#from = from;
  }

  add(user: UserId | undefined, why: NoteReason): void {
    if (user === undefined || user === this.#from || this.users.has(user)) return; // notes.1
    const stored = this.#room.state.member(user);
    const isStranger = this.#kind === "closed" && stored?.banned !== true; // notes.2
    if (mayRead(this.#kind, stored, undefined)) this.users.set(user, { why });
    else if (isStranger) this.users.set(user, { why, needsGrant: true });
  }

  addMentions(mentions: Mentions | undefined): void {
    if (Array.isArray(mentions)) for (const user of mentions as UserId[]) this.add(user, "mention");
    if (mentions === "@room" && this.#room.state.size <= NOTED_MEMBERS_MAX) {
      this.addStored("mention");
    }
  }

  addStored(why: NoteReason): void {
    for (const [user] of this.#room.state.page(undefined, NOTED_MEMBERS_MAX)) this.add(user, why);
  }
}
