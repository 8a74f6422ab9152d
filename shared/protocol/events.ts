// Events: the numbered facts of a room, and their encoding as lines.
//
// The owner of a room encodes each event once, as one line of JSON. That text goes unchanged into
// the log, onto the bus, into PostgreSQL and to every member. Owns: the kinds of events, both
// halves of their codec. Does not own: which command becomes which event (commands.ts).
//
//   events.1. A line never contains a line break, because JSON escapes it. So "\n" always
//        separates events.
//   events.2. Keys have one fixed order: t, room, seq, id, from, at, then the keys of the kind.
//   events.3. Every kind has its row in IN_ORDER. A kind without a row does not compile.
//   events.4. A line that is no event is refused with UnreadableLine. Its text is not in the
//        message, because it may be a user's.

import { isCount, parseObject } from "../kit/json.ts";
import { attachmentOf } from "./attachments.ts";
import type { Attachment } from "./attachments.ts";
import { isUserId } from "./ids.ts";
import type { MessageId, Millis, RoomId, Seq, UserId } from "./ids.ts";
import type { InviteRole } from "./invites.ts";
import { MENTIONS_MAX } from "./limits.ts";
import type { MemberRole, Role, RoomKind } from "./roles.ts";

/** Users, or everyone in the room. */
export type Mentions = readonly UserId[] | "@room";

export type Body = { readonly [key: string]: unknown };

/** What every event has. `t` names the kind. */
interface EventHead {
  readonly room: RoomId;
  readonly seq: Seq;
  readonly id: MessageId;
  readonly from: UserId;
  /** The owner's clock. It never goes backwards within a room. */
  readonly at: Millis;
}

/** `{"t":"msg",…}`: a message. */
export interface MessageEvent extends EventHead {
  readonly t: "msg";
  readonly body: Body;
  readonly replyTo?: Seq | undefined;
  /** The message of the main line whose thread this one continues. */
  readonly thread?: Seq | undefined;
  readonly mentions?: Mentions | undefined;
  readonly attachments?: readonly Attachment[] | undefined;
  /** The message was deleted: its body is empty (tombstone.ts). */
  readonly deleted?: Deletion | undefined;
}

/** Who deleted a message, when, and the number of the `deleted` event. */
export interface Deletion {
  readonly by: UserId;
  readonly at: Millis;
  readonly seq: Seq;
}

/** `{"t":"edited",…}`: the body of the message `target` from here on. */
export interface EditedEvent extends EventHead {
  readonly t: "edited";
  readonly target: Seq;
  readonly body: Body;
  /** Whom the message mentions from here on; undefined: as before. */
  readonly mentions?: Mentions | undefined;
  readonly deleted?: Deletion | undefined;
}

/** `{"t":"deleted",…}`: the text of the message `target` is erased. */
export interface DeletedEvent extends EventHead {
  readonly t: "deleted";
  readonly target: Seq;
  readonly reason?: string | undefined;
}

/** `{"t":"reacted",…}`: the sender reacts to the message `target`, or takes the reaction back. */
export interface ReactedEvent extends EventHead {
  readonly t: "reacted";
  readonly target: Seq;
  readonly emoji: string;
  readonly on: boolean;
}

/** `{"t":"pinned",…}`: the message `target` is pinned to the room, or no more. */
export interface PinnedEvent extends EventHead {
  readonly t: "pinned";
  readonly target: Seq;
  readonly on: boolean;
}

/** `{"t":"member",…}`: replaces everything that the room has of `user`. */
export interface MemberEvent extends EventHead {
  readonly t: "member";
  readonly user: UserId;
  /** `none`: no member from here on. */
  readonly role: Role;
  /** The user may not send before this time. */
  readonly mutedUntil?: Millis | undefined;
  readonly banned?: true | undefined;
  readonly reason?: string | undefined;
  /** The invite with which the user entered, and the number of this use of it. */
  readonly invite?: MessageId | undefined;
  readonly use?: number | undefined;
}

/** `{"t":"invite",…}`: an invite of the room from here on, or its end (invites.ts). */
export interface InviteEvent extends EventHead {
  readonly t: "invite";
  /** The id of the event that made it. */
  readonly invite: MessageId;
  readonly hash?: string | undefined;
  readonly role?: InviteRole | undefined;
  readonly until?: Millis | undefined;
  readonly uses?: number | undefined;
  readonly revoked?: true | undefined;
}

/** The settings of a room. The event that changes one of them has all of them. */
export interface RoomSettings {
  readonly kind: RoomKind;
  readonly title?: string | undefined;
  readonly topic?: string | undefined;
  readonly avatar?: string | undefined;
  /** The lowest role that may send; default `member`. */
  readonly sendRole?: MemberRole | undefined;
  /** Nothing more is sent to the room. */
  readonly archived?: true | undefined;
  /** A user below moderator waits so many seconds between two messages. */
  readonly slowMode?: number | undefined;
  /** The event that set the slow mode: only messages behind it count. */
  readonly slowFrom?: Seq | undefined;
  /** An author edits a message for so many seconds; default: always. */
  readonly editWindow?: number | undefined;
}

/** `{"t":"room",…}`: the settings of the room from here on. `kind` never changes. */
export interface SettingsEvent extends EventHead, RoomSettings {
  readonly t: "room";
}

/** The events that change a message. */
export type ChangeEvent = EditedEvent | DeletedEvent | ReactedEvent | PinnedEvent;
export type RoomEvent = MessageEvent | MemberEvent | SettingsEvent | InviteEvent | ChangeEvent;
/** The events that change who may do what. */
export type StateEvent = MemberEvent | SettingsEvent | InviteEvent;
type Kind = RoomEvent["t"];
type EventByKind = { readonly [E in RoomEvent as E["t"]]: E };

/** The keys of each kind in their order on the wire. JSON leaves out a key without a value. */
const IN_ORDER: { readonly [K in Kind]: (event: EventByKind[K]) => EventByKind[K] } = {
  msg: ({ t, room, seq, id, from, at, body, replyTo, thread, mentions, ...more }) => {
    const plain = { t, room, seq, id, from, at, body };
    // Almost every message is plain, and JSON.stringify is slower for each undefined field.
    const isPlain = replyTo === undefined && thread === undefined;
    const { attachments: files, deleted } = more;
    const isBare = mentions === undefined && files === undefined && deleted === undefined;
    if (isPlain && isBare) return plain;
    const attachments = files?.map(attachmentOf);
    return { ...plain, replyTo, thread, mentions, attachments, deleted };
  },
  edited: ({ t, room, seq, id, from, at, target, body, mentions, deleted }) => ({
    t,
    room,
    seq,
    id,
    from,
    at,
    target,
    body,
    mentions,
    deleted,
  }),
  deleted: ({ t, room, seq, id, from, at, target, reason }) => ({
    t,
    room,
    seq,
    id,
    from,
    at,
    target,
    reason,
  }),
  reacted: ({ t, room, seq, id, from, at, target, emoji, on }) => ({
    t,
    room,
    seq,
    id,
    from,
    at,
    target,
    emoji,
    on,
  }),
  pinned: ({ t, room, seq, id, from, at, target, on }) => ({
    t,
    room,
    seq,
    id,
    from,
    at,
    target,
    on,
  }),
  member: ({ t, room, seq, id, from, at, ...rest }) => ({
    t,
    room,
    seq,
    id,
    from,
    at,
    user: rest.user,
    role: rest.role,
    mutedUntil: rest.mutedUntil,
    banned: rest.banned,
    reason: rest.reason,
    invite: rest.invite,
    use: rest.use,
  }),
  invite: ({ t, room, seq, id, from, at, ...rest }) => ({
    t,
    room,
    seq,
    id,
    from,
    at,
    invite: rest.invite,
    hash: rest.hash,
    role: rest.role,
    until: rest.until,
    uses: rest.uses,
    revoked: rest.revoked,
  }),
  room: ({ t, room, seq, id, from, at, ...settings }) => ({
    t,
    room,
    seq,
    id,
    from,
    at,
    ...settingsOf(settings),
  }),
};

/** The settings alone, in their order on the wire. */
export function settingsOf(from: RoomSettings): RoomSettings {
  const { kind, title, topic, avatar, sendRole, archived, slowMode, slowFrom, editWindow } = from;
  const texts = { kind, title, topic, avatar };
  return { ...texts, sendRole, archived, slowMode, slowFrom, editWindow };
}

function inOrder<K extends Kind>(kind: K, event: EventByKind[K]): EventByKind[K] {
  return IN_ORDER[kind](event);
}

export function encodeEvent(event: RoomEvent): string {
  return JSON.stringify(inOrder(event.t, event));
}

export function isMentions(value: unknown): value is Mentions {
  if (value === "@room") return true;
  return Array.isArray(value) && value.length <= MENTIONS_MAX && value.every(isUserId);
}

/** Undefined for a kind without a body. A server of a newer version can send such a kind. */
export function bodyOf(event: RoomEvent): Body | undefined {
  return "body" in event ? event.body : undefined;
}

export function isStateEvent(event: RoomEvent): event is StateEvent {
  return event.t === "member" || event.t === "room" || event.t === "invite";
}

/** A line of a commit that holds no event. */
export class UnreadableLine extends Error {
  override readonly name = "UnreadableLine";
}

/** The event in a line that may hold none, such as one from quarantine (archive.4). */
export function readEvent(line: string): RoomEvent | undefined {
  const event = parseObject(line);
  const isEvent = typeof event?.["from"] === "string" && isCount(event["seq"]);
  return isEvent ? (event as unknown as RoomEvent) : undefined;
}

/** Decodes a line that this system wrote. Throws UnreadableLine (events.4). */
export function decodeEvent(line: string): RoomEvent {
  const event = parseObject(line);
  if (event === undefined || !isCount(event["seq"]) || !isCount(event["at"])) {
    throw new UnreadableLine(`a line of ${line.length} characters is not an event`);
  }
  return event as unknown as RoomEvent;
}
