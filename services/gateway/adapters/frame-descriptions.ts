// FrameDescriptions: a sentence and an example of each frame, and the frames that answer a request.
//
// Owns: what the description of the WebSocket says beside the schemas (asyncapi.ts). Does not own:
// the fields (shared/protocol), the guide (docs/protocol.md).
//
//   frame-descriptions.1. Every frame has its row; otherwise the file does not compile. A test
//        checks each example with the decoder and the schema of its frame.

import type { ClientFrame } from "#shared/protocol/client-frames.ts";
import type { ServerFrame } from "#shared/protocol/server-frames.ts";

type ServerType = ServerFrame["t"];

interface FrameRow {
  readonly summary: string;
  readonly example: object;
}
interface RequestRow extends FrameRow {
  /** Exactly one of these follows; empty: nothing does. */
  readonly answers: readonly ServerType[];
}

const room = "general";
const id = "01a2286f-3f3f-7768-812a-d4886e1a45be";
const invite = "01a2286f-4000-7768-812a-d4886e1a45bf";
const at = 1_795_974_709_070;
const secret = "a-secret-of-22-letters";
const event = { room, seq: 1, id, from: "ada", at } as const;
const WRITTEN = ["ack", "error"] as const;

export const CLIENT_FRAMES: { readonly [T in ClientFrame["t"]]: RequestRow } = {
  hello: {
    summary: "The first frame: authenticates the connection.",
    answers: ["welcome"],
    example: { t: "hello", token: "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbg", client: "example/1.0" },
  },
  join: {
    summary: "Joins a room; events follow from `after` on, or the last `tail` ones.",
    answers: ["joined", "error"],
    example: { t: "join", ref: 1, room, after: 41 },
  },
  leave: {
    summary: "Leaves a room.",
    answers: ["left", "error"],
    example: { t: "leave", ref: 2, room },
  },
  send: {
    summary: "Sends a message. Repeat it with the same `id` until it is answered.",
    answers: WRITTEN,
    example: { t: "send", room, id, body: { text: "hello" } },
  },
  edit: {
    summary: "Replaces the body of an own message.",
    answers: WRITTEN,
    example: { t: "edit", room, id, target: 3, body: { text: "hello again" } },
  },
  delete: {
    summary: "Erases the text of a message.",
    answers: WRITTEN,
    example: { t: "delete", room, id, target: 3, reason: "typo" },
  },
  react: {
    summary: "Reacts to a message, or takes the reaction back.",
    answers: WRITTEN,
    example: { t: "react", room, id, target: 3, emoji: "👍", on: true },
  },
  pin: {
    summary: "Pins a message to the room, or unpins it.",
    answers: WRITTEN,
    example: { t: "pin", room, id, target: 3, on: true },
  },
  create: {
    summary: "Creates a room with members and settings.",
    answers: WRITTEN,
    example: { t: "create", room: "plans", id, kind: "closed", members: [{ user: "ben" }] },
  },
  member: {
    summary: "Sets the role, the mute or the ban of a user.",
    answers: WRITTEN,
    example: { t: "member", room, id, user: "ben", role: "moderator" },
  },
  update: {
    summary: "Changes the settings of a room.",
    answers: WRITTEN,
    example: { t: "update", room, id, title: "Plans", slowMode: 30 },
  },
  invite: {
    summary: "Makes an invite. The client chooses the secret; the room keeps its hash.",
    answers: WRITTEN,
    example: { t: "invite", room, id, secret, role: "member", ttl: 86_400, uses: 10 },
  },
  revoke: {
    summary: "Ends an invite.",
    answers: WRITTEN,
    example: { t: "revoke", room, id, invite },
  },
  enter: {
    summary: "Enters a closed room with an invite.",
    answers: WRITTEN,
    example: { t: "enter", room, id, invite, secret },
  },
  typing: {
    summary: "Announces that the user types. It may be lost.",
    answers: [],
    example: { t: "typing", room, on: true },
  },
  read: {
    summary: "Moves the read position of the user. It may be lost; say it again.",
    answers: [],
    example: { t: "read", room, seq: 42 },
  },
  rooms: {
    summary: "Asks for the rooms whose member the user is.",
    answers: ["rooms", "error"],
    example: { t: "rooms", ref: 3, limit: 50 },
  },
  history: {
    summary: "Asks for one page of events, or of messages as they are now.",
    answers: ["page", "error"],
    example: { t: "history", ref: 4, room, before: 42, limit: 50, view: "messages" },
  },
  refresh: {
    summary: "Prolongs the session with a new token of the same user.",
    answers: ["refreshed", "error"],
    example: { t: "refresh", ref: 5, token: "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbg" },
  },
  ping: {
    summary: "Asks whether the connection works.",
    answers: ["pong", "error"],
    example: { t: "ping", ref: 6 },
  },
};

export const SERVER_FRAMES: { readonly [T in ServerType]: FrameRow } = {
  welcome: {
    summary: "The session is open.",
    example: {
      t: "welcome",
      session: id,
      user: "ada",
      at,
      pingMs: 25_000,
      limits: { frameBytes: 65_536, bodyBytes: 16_384, unansweredSends: 64, rooms: 256 },
    },
  },
  joined: {
    summary: "The room is joined; its events from `from` on follow.",
    example: {
      t: "joined",
      ref: 1,
      room,
      born: id,
      head: 44,
      from: 42,
      role: "member",
      here: 2,
    },
  },
  left: {
    summary: "The room is left; without `ref` the user lost the right to read it.",
    example: { t: "left", room, reason: "removed", seq: 44 },
  },
  "caught-up": {
    summary: "Every event up to `seq` has been sent; live events follow.",
    example: { t: "caught-up", room, seq: 44 },
  },
  ack: {
    summary: "The write is in the durable log, at this number.",
    example: { t: "ack", id, room, seq: 45, at },
  },
  error: {
    summary: "A request was refused. `ref` or `id` names it.",
    example: {
      t: "error",
      code: 429,
      name: "rate_limited",
      retry: true,
      message: "Too many requests; wait.",
      id,
      room,
      afterMs: 50,
    },
  },
  presence: {
    summary: "Who came and went. It may be lost.",
    example: { t: "presence", room, join: ["ada", "ben"], here: 2, all: true },
  },
  typing: {
    summary: "A user types, or has stopped. It may be lost.",
    example: { t: "typing", room, user: "ben", on: true },
  },
  reads: {
    summary: "How far users have read. Ignore a lower number than before.",
    example: { t: "reads", room, reads: [["ben", 44]] },
  },
  note: {
    summary: "Something in a room concerns the user. A hint; it may be lost.",
    example: { t: "note", room: "plans", seq: 7, why: "mention" },
  },
  rooms: {
    summary: "A page of the user's rooms, newest activity first.",
    example: {
      t: "rooms",
      ref: 3,
      rooms: [
        {
          room,
          kind: "open",
          role: "member",
          head: 45,
          at,
          read: 44,
          unread: 1,
          mentions: 0,
          last: { seq: 45, from: "ada", at, text: "hello" },
        },
      ],
    },
  },
  page: {
    summary: "A page of history.",
    example: {
      t: "page",
      ref: 4,
      room,
      events: [{ t: "msg", ...event, body: { text: "hello" } }],
      more: false,
    },
  },
  pong: { summary: "The connection works.", example: { t: "pong", ref: 6, at } },
  refreshed: {
    summary: "The new token is in force.",
    example: { t: "refreshed", ref: 5, until: at + 3_600_000 },
  },
  reconnect: {
    summary: "This gateway will close the connection: connect again after `afterMs`.",
    example: { t: "reconnect", afterMs: 700 },
  },
  msg: { summary: "A message.", example: { t: "msg", ...event, body: { text: "hello" } } },
  edited: {
    summary: "The body of the message `target` from here on, and its mentions when it has some.",
    example: { t: "edited", ...event, seq: 2, target: 1, body: { text: "hello again" } },
  },
  deleted: {
    summary: "The text of the message `target` is erased.",
    example: { t: "deleted", ...event, seq: 2, target: 1 },
  },
  reacted: {
    summary: "A user reacts to the message `target`, or takes the reaction back.",
    example: { t: "reacted", ...event, seq: 2, target: 1, emoji: "👍", on: true },
  },
  pinned: {
    summary: "The message `target` is pinned to the room, or no more.",
    example: { t: "pinned", ...event, seq: 2, target: 1, on: true },
  },
  member: {
    summary: "Replaces everything that the room has of `user`.",
    example: { t: "member", ...event, user: "ben", role: "member" },
  },
  invite: {
    summary: "An invite of the room, or its end.",
    example: { t: "invite", ...event, invite, role: "member", until: at, uses: 10 },
  },
  room: {
    summary: "The settings of the room from here on.",
    example: { t: "room", ...event, kind: "closed", title: "Plans" },
  },
};
