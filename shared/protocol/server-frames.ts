// Server frames: both halves of the frames that a gateway sends to a client.
//
// Owns: the types, the encoder, and the decoder of the SDK. Does not own: room events. The owner
// encodes them as lines (events.ts), and a gateway passes these lines on unchanged.
//
// The server can be newer or older than the client. So the decoder ignores an unknown type, and
// treats a known field with a wrong type as absent or as broken.
//
//   server-frames.1. Every frame that the SDK handles has its row in SHAPES. A frame without a
//        row does not compile.

import { isObject, parseObject } from "../kit/json.ts";
import type { JsonObject } from "../kit/json.ts";
import type { ErrorFrame } from "./errors.ts";
import type { RoomEvent } from "./events.ts";
import type { Millis, RoomId, Seq, UserId } from "./ids.ts";
import type { NoteReason } from "./note.ts";
import type { ListedRoom } from "./room-list.ts";
import type { Role } from "./roles.ts";
import { IS_TEMPORARY } from "./temporary-errors.ts";

export interface WelcomeFrame {
  readonly t: "welcome";
  readonly session: string;
  readonly user: UserId;
  readonly at: Millis;
  readonly pingMs: number;
  readonly limits: {
    readonly frameBytes: number;
    readonly bodyBytes: number;
    readonly unansweredSends: number;
    readonly rooms: number;
  };
}
export interface JoinedFrame {
  readonly t: "joined";
  readonly ref: number;
  readonly room: RoomId;
  /** The birth of the room; "" for a room without an event. A recreated room has another one. */
  readonly born: string;
  readonly head: Seq;
  /** The number of the first event that follows. */
  readonly from: Seq;
  readonly role: Role;
  readonly here: number;
}
/** The answer to a leave; or, without `ref`, the news that the user lost the right to read. */
export interface LeftFrame {
  readonly t: "left";
  readonly ref?: number;
  readonly room: RoomId;
  readonly reason?: LeftReason;
  /** The last event of the room that this connection received. */
  readonly seq?: Seq;
}
/** `removed`, `banned`: by a `member` event; `closed`: the room was created as a closed one. */
export type LeftReason = "removed" | "banned" | "closed";
export interface CaughtUpFrame {
  readonly t: "caught-up";
  readonly room: RoomId;
  readonly seq: Seq;
}
export interface AckFrame {
  readonly t: "ack";
  readonly id: string;
  readonly room: RoomId;
  readonly seq: Seq;
  readonly at: Millis;
}
/**
 * `join` and `leave` are the users who joined and left; `here` is the number of users present. A
 * presence frame can be lost. So from time to time the owner sends one with `all`: `join` then has
 * every user who is present.
 */
export interface PresenceFrame {
  readonly t: "presence";
  readonly room: RoomId;
  readonly join?: readonly UserId[];
  readonly leave?: readonly UserId[];
  readonly here?: number;
  readonly all?: boolean;
}
export interface TypingFrame {
  readonly t: "typing";
  readonly room: RoomId;
  readonly user: UserId;
  readonly on: boolean;
}
/** How far users have read the room. A later frame can name a lower number of a user: ignore it. */
export interface ReadsFrame {
  readonly t: "reads";
  readonly room: RoomId;
  readonly reads: readonly (readonly [UserId, Seq])[];
}
/** A hint to every session of a user, joined there or not. The truth is the room list. */
export interface NoteFrame {
  readonly t: "note";
  readonly room: RoomId;
  readonly seq: Seq;
  readonly why: NoteReason;
}
/** The answer to `rooms`, newest activity first. */
export interface RoomsFrame {
  readonly t: "rooms";
  readonly ref: number;
  readonly rooms: readonly ListedRoom[];
  /** The `after` of the next page; undefined: there is none. */
  readonly next?: string;
}
/** The state of a message in a page of messages; a message to which nothing happened has none. */
export interface ShownState {
  readonly edited?: { readonly seq: Seq; readonly at: Millis };
  /** The replies in its thread, and the number of the newest one. */
  readonly replies?: number;
  readonly lastReply?: Seq;
  /** The number of the event that pinned it. */
  readonly pinned?: Seq;
  /** In the order of the first reaction; `users` has at most 50 names. */
  readonly reactions?: readonly {
    readonly emoji: string;
    readonly count: number;
    readonly users: readonly UserId[];
  }[];
}
export interface PageFrame {
  readonly t: "page";
  readonly ref: number;
  readonly room: RoomId;
  readonly events: readonly RoomEvent[];
  readonly more: boolean;
  /** With the view `messages`: the numbers that the page covers, as of the event `asOf`. */
  readonly first?: Seq;
  readonly last?: Seq;
  readonly asOf?: Seq;
}
export interface PongFrame {
  readonly t: "pong";
  readonly ref: number;
  readonly at: Millis;
}
/** The answer to `refresh`: the new token is in force. */
export interface RefreshedFrame {
  readonly t: "refreshed";
  readonly ref: number;
  /** When the new token expires. */
  readonly until: Millis;
}
export interface ReconnectFrame {
  readonly t: "reconnect";
  readonly afterMs: number;
}

export type ServerFrame =
  | WelcomeFrame
  | JoinedFrame
  | LeftFrame
  | CaughtUpFrame
  | AckFrame
  | ErrorFrame
  | PresenceFrame
  | TypingFrame
  | ReadsFrame
  | NoteFrame
  | RoomsFrame
  | PageFrame
  | PongFrame
  | RefreshedFrame
  | ReconnectFrame
  | RoomEvent;

export function encodeServerFrame(frame: ServerFrame): string {
  return JSON.stringify(frame);
}

/** The frames that the SDK acts on. */
export type HandledFrame = Exclude<ServerFrame, PongFrame | RoomEvent>;

export type DecodedServerFrame =
  | { readonly kind: "frame"; readonly frame: HandledFrame }
  /** A numbered event of a room, also of an unknown kind. */
  | { readonly kind: "event"; readonly event: RoomEvent }
  /** `pong`, and frames of an unknown type. */
  | { readonly kind: "ignored" }
  | { readonly kind: "broken" };

type Shape = { readonly [key: string]: "string" | "number" | "boolean" };

/**
 * The required fields of each frame (server-frames.1). The code that uses an optional field checks
 * it.
 */
const SHAPES: { readonly [T in HandledFrame["t"]]: Shape } = {
  welcome: { session: "string", user: "string", at: "number", pingMs: "number" },
  joined: { ref: "number", room: "string", born: "string", head: "number", from: "number" },
  "caught-up": { room: "string", seq: "number" },
  left: { room: "string" },
  ack: { id: "string", seq: "number", at: "number" },
  error: { name: "string", message: "string", retry: "boolean" },
  presence: { room: "string" },
  typing: { room: "string", user: "string", on: "boolean" },
  reads: { room: "string" },
  note: { room: "string", seq: "number", why: "string" },
  rooms: { ref: "number" },
  page: { ref: "number", more: "boolean" },
  refreshed: { ref: "number", until: "number" },
  reconnect: { afterMs: "number" },
};
const EVENT: Shape = { room: "string", seq: "number", id: "string", from: "string", at: "number" };

/** Decodes one line. Never throws. */
export function decodeServerFrame(line: string): DecodedServerFrame {
  const value = parseObject(line);
  const type = value?.["t"];
  if (value === undefined || typeof type !== "string") return { kind: "broken" };
  if (Object.hasOwn(SHAPES, type)) {
    if (!fits(value, SHAPES[type as HandledFrame["t"]])) return { kind: "broken" };
    if (type === "page" && !isEvents(value["events"])) return { kind: "broken" };
    if (type === "reads" && !isReads(value["reads"])) return { kind: "broken" };
    if (type === "rooms" && !isRooms(value["rooms"])) return { kind: "broken" };
    return { kind: "frame", frame: withoutWrongFields(value) as unknown as HandledFrame };
  }
  if (fits(value, EVENT) && Number.isSafeInteger(value["seq"])) {
    return { kind: "event", event: value as unknown as RoomEvent };
  }
  return { kind: "ignored" };
}

/** An optional list of names, or an optional count, of a wrong type counts as absent. */
function withoutWrongFields(value: JsonObject): JsonObject {
  const { t, join, leave, here, all, name } = value;
  if (t === "error" && !Object.hasOwn(IS_TEMPORARY, String(name))) {
    // An error of a newer server: the client needs to know only whether a retry is possible.
    return { ...value, name: value["retry"] === true ? "unavailable" : "conflict" };
  }
  if (t === "page") {
    const isWhole = ["first", "last", "asOf"].every((key) => typeof value[key] === "number");
    if (isWhole) return value;
    const { first: _first, last: _last, asOf: _asOf, ...page } = value;
    return page;
  }
  if (t === "joined") return { ...value, here: typeof here === "number" ? here : 0 };
  if (t !== "presence") return value;
  const { room } = value;
  return {
    t,
    room,
    ...(isNames(join) && { join }),
    ...(isNames(leave) && { leave }),
    ...(typeof here === "number" && { here }),
    ...(all === true && { all }),
  };
}

function fits(value: JsonObject, shape: Shape): boolean {
  return Object.entries(shape).every(([key, type]) => typeof value[key] === type);
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function isEvents(value: unknown): value is readonly RoomEvent[] {
  return Array.isArray(value) && value.every((item) => isObject(item) && fits(item, EVENT));
}

function isReads(value: unknown): value is ReadsFrame["reads"] {
  if (!Array.isArray(value)) return false;
  return value.every((item) => {
    if (!Array.isArray(item)) return false;
    const [user, seq] = item as readonly unknown[];
    return typeof user === "string" && typeof seq === "number";
  });
}

const LISTED: Shape = { room: "string", head: "number", unread: "number", mentions: "number" };

function isRooms(value: unknown): value is RoomsFrame["rooms"] {
  return Array.isArray(value) && value.every((item) => isObject(item) && fits(item, LISTED));
}
