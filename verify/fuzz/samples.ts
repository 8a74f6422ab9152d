// Samples: good messages that the fuzzer breaks: each client frame, each command, each server
// frame.
//
// Owns: the messages that one or a few values name. Does not own: the decoders (targets.ts), and
// the random messages of the property tests (shared/protocol/test/arbitraries.ts).

import type { Command } from "#shared/protocol/commands.ts";
import { errorFrame } from "#shared/protocol/errors.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { MessageId, ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import type { ListedRoom } from "#shared/protocol/room-list.ts";
import type { ServerFrame } from "#shared/protocol/server-frames.ts";

export const ROOM = "general" as RoomId;
export const GATEWAY = "gw-a1" as ProcessId;
export const ROOM_NODE = "room-a1" as ProcessId;
export const ADA = "ada" as UserId;
export const BOB = "bob" as UserId;
export const ID = "0199d3c0-0000-7000-8000-000000000001" as MessageId;

export const SECRET = "a-secret-of-22-letters";
export const HASH = "h".repeat(43);

const FILE = { id: ID, name: "a.png", type: "image/png", bytes: 9, width: 3, height: 2 };

export const CLIENT_FRAMES: readonly object[] = [
  { t: "hello", token: "token", session: "s", client: "c" },
  { t: "join", ref: 1, room: ROOM, after: 3, tail: 9 },
  { t: "leave", ref: 1, room: ROOM },
  { t: "send", room: ROOM, id: ID, body: { text: "hi", list: [1, { a: null }] }, replyTo: 3 },
  { t: "send", room: ROOM, id: ID, body: { text: "in a thread" }, thread: 3 },
  { t: "send", room: ROOM, id: ID, body: { text: "you two" }, mentions: [ADA, BOB] },
  { t: "send", room: ROOM, id: ID, body: { text: "all" }, mentions: "@room" },
  { t: "send", room: ROOM, id: ID, body: {}, attachments: [{ ...FILE, until: 9, proof: HASH }] },
  { t: "read", room: ROOM, seq: 3 },
  { t: "rooms", ref: 1, after: "9.general", limit: 10 },
  { t: "edit", room: ROOM, id: ID, target: 3, body: { text: "hello" } },
  { t: "edit", room: ROOM, id: ID, target: 3, body: { text: "you" }, mentions: [ADA, BOB] },
  { t: "delete", room: ROOM, id: ID, target: 3, reason: "typo" },
  { t: "react", room: ROOM, id: ID, target: 3, emoji: "👍", on: true },
  { t: "pin", room: ROOM, id: ID, target: 3, on: false },
  { t: "create", room: ROOM, id: ID, kind: "closed", title: "Plans", members: [{ user: BOB }] },
  { t: "create", room: ROOM, id: ID, kind: "direct", user: BOB },
  { t: "member", room: ROOM, id: ID, user: BOB, role: "none", banned: true, reason: "spam" },
  { t: "update", room: ROOM, id: ID, topic: "", sendRole: "moderator", archived: true },
  { t: "update", room: ROOM, id: ID, slowMode: 30, editWindow: 0 },
  { t: "invite", room: ROOM, id: ID, secret: SECRET, role: "reader", ttl: 60, uses: 3 },
  { t: "revoke", room: ROOM, id: ID, invite: ID },
  { t: "enter", room: ROOM, id: ID, invite: ID, secret: SECRET },
  { t: "typing", room: ROOM, on: true },
  { t: "history", ref: 1, room: ROOM, after: 3, limit: 10 },
  { t: "history", ref: 1, room: ROOM, limit: 10, view: "messages", thread: 3 },
  { t: "refresh", ref: 1, token: "token" },
  { t: "ping", ref: 1 },
];

export const COMMANDS: readonly Command[] = [
  { c: 1, op: "send", room: ROOM, from: ADA, id: ID, body: { text: "hi" }, replyTo: 3 },
  { c: 2, op: "join", room: ROOM, user: ADA },
  { c: 3, op: "leave", room: ROOM, user: ADA },
  { c: 4, op: "head", room: ROOM },
  { c: 5, op: "range", room: ROOM, first: 1, last: 9 },
  { c: 6, op: "sync", rooms: [[ROOM, 3, [ADA, BOB]]] },
  { c: 7, op: "create", room: ROOM, from: ADA, id: ID, kind: "closed", members: [{ user: BOB }] },
  { c: 8, op: "member", room: ROOM, from: ADA, id: ID, user: BOB, role: "none", banned: true },
  { c: 9, op: "update", room: ROOM, from: ADA, id: ID, title: "Plans", grant: "admin" },
  { c: 10, op: "about", room: ROOM, user: ADA, grant: "reader" },
  { c: 11, op: "members", room: ROOM, user: ADA, after: BOB, limit: 9 },
  { c: 19, op: "invites", room: ROOM, user: ADA, grant: "owner" },
  { c: 13, op: "edit", room: ROOM, from: ADA, id: ID, target: 3, body: { text: "hello" } },
  { c: 30, op: "edit", room: ROOM, from: ADA, id: ID, target: 3, body: {}, mentions: "@room" },
  { c: 14, op: "delete", room: ROOM, from: ADA, id: ID, target: 3, reason: "typo" },
  { c: 15, op: "react", room: ROOM, from: ADA, id: ID, target: 3, emoji: ":ok:", on: false },
  { c: 16, op: "pin", room: ROOM, from: ADA, id: ID, target: 3, on: true },
  { c: 17, op: "send", room: ROOM, from: ADA, id: ID, body: { text: "hi" }, thread: 3 },
  { c: 18, op: "send", room: ROOM, from: ADA, id: ID, body: {}, mentions: [ADA, BOB] },
  { c: 29, op: "send", room: ROOM, from: ADA, id: ID, body: {}, attachments: [FILE], until: 9 },
  { c: 19, op: "send", room: ROOM, from: ADA, id: ID, body: {}, mentions: "@room" },
  { c: 31, op: "send", room: ROOM, from: ADA, id: ID, body: {}, unordered: true },
  { c: 20, op: "update", room: ROOM, from: ADA, id: ID, slowMode: 30, editWindow: 9 },
  { c: 21, op: "invite", room: ROOM, from: ADA, id: ID, hash: HASH, ttl: 60, uses: 3 },
  { c: 22, op: "revoke", room: ROOM, from: ADA, id: ID, invite: ID },
  { c: 23, op: "enter", room: ROOM, from: ADA, id: ID, invite: ID, hash: HASH },
  {
    c: 25,
    op: "import",
    room: ROOM,
    user: ADA,
    grant: "admin",
    born: ID,
    events: [{ t: "msg", room: ROOM, seq: 1, id: ID, from: ADA, at: 1, body: {} }],
  },
  { c: 12, op: "sync", rooms: [[ROOM, 3, [ADA, BOB], [[BOB, "member"]]]] },
];

export const EVENT: RoomEvent = {
  t: "msg",
  room: ROOM,
  seq: 1,
  id: ID,
  from: ADA,
  at: 1,
  body: {},
};
export const LIMITS = { frameBytes: 65_536, bodyBytes: 16_384, unansweredSends: 64, rooms: 256 };
export const LISTED: ListedRoom = {
  room: ROOM,
  kind: "closed",
  title: "Plans",
  role: "owner",
  head: 9,
  at: 9,
  read: 3,
  unread: 6,
  mentions: 1,
  last: { seq: 9, from: ADA, at: 9, text: "hi" },
};
export const SERVER_FRAMES: readonly ServerFrame[] = [
  { t: "welcome", session: "s", user: ADA, at: 1, pingMs: 25_000, limits: LIMITS },
  { t: "joined", ref: 1, room: ROOM, born: ID, head: 9, from: 1, role: "member", here: 3 },
  { t: "left", room: ROOM, reason: "banned", seq: 9 },
  { t: "caught-up", room: ROOM, seq: 9 },
  { t: "ack", id: ID, room: ROOM, seq: 9, at: 1 },
  errorFrame("busy", { id: ID, afterMs: 9 }),
  { t: "presence", room: ROOM, join: [ADA], leave: [BOB], here: 2, all: true },
  { t: "typing", room: ROOM, user: ADA, on: true },
  { t: "reads", room: ROOM, reads: [[ADA, 3]] },
  { t: "note", room: ROOM, seq: 3, why: "mention" },
  { t: "rooms", ref: 1, rooms: [LISTED], next: "9.general" },
  { t: "refreshed", ref: 1, until: 9 },
  { t: "reconnect", afterMs: 100 },
  EVENT,
  { t: "page", ref: 1, room: ROOM, events: [EVENT], more: false },
  { t: "page", ref: 1, room: ROOM, events: [EVENT], more: true, first: 1, last: 9, asOf: 9 },
];
