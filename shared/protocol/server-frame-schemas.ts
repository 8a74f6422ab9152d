// Server frame schemas: the frames that a gateway sends, as schemas for the description of the API.
//
// Owns: the fields of each frame and of each room event for a reader of the description. Does not
// own: the encoder and the decoder of the SDK (server-frames.ts), the encoding of events
// (events.ts), the checks of what clients send (client-frames.ts).
//
//   server-frame-schemas.1. Every frame has its row, and a row names every field of its frame:
//        otherwise the file does not compile. A client ignores fields that it does not know.

import { z } from "zod";
import { MEDIA_TYPE, PIXELS_MAX } from "./attachments.ts";
import { ERRORS } from "./errors.ts";
import type { ErrorName } from "./errors.ts";
import { STORABLE_PATTERN, UUID_V7 } from "./ids.ts";
import { BODY_BYTES_MAX, REACTION_NAMES_MAX } from "./limits.ts";
import { NOTE_REASONS } from "./note.ts";
import { MEMBER_ROLES, ROLES, ROOM_KINDS } from "./roles.ts";
import type { ServerFrame } from "./server-frames.ts";

const room = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const user = z.string().min(1).max(128).meta({ pattern: STORABLE_PATTERN });
const id = z.string().regex(UUID_V7);
const ref = z.number().int().meta({ description: "The `ref` of the request." });
const seq = z.number().int().min(1);
const seqOrNone = z.number().int().min(0).meta({ description: "0: none." });
const at = z.number().int().min(0).meta({ description: "In ms since 1970." });
const count = z.number().int().min(0);
const body = z
  .looseObject({})
  .meta({ description: `A JSON object of at most ${BODY_BYTES_MAX} bytes.` });
const target = seq.meta({ description: "The number of the message that it changes." });
const mentions = z.union([z.literal("@room"), z.array(user)]);
const pixels = z.number().int().min(1).max(PIXELS_MAX).optional();
const attachment = z.object({
  id,
  name: z.string(),
  type: z.string().regex(MEDIA_TYPE),
  bytes: count,
  width: pixels,
  height: pixels,
});
const deleted = z.object({ by: user, at, seq }).optional().meta({
  description: "The message was deleted: its body is empty.",
});
const head = { room, seq, id, from: user, at };

const events = {
  msg: z.object({
    t: z.literal("msg"),
    ...head,
    body,
    replyTo: seq.optional(),
    thread: seq.optional(),
    mentions: mentions.optional(),
    attachments: z.array(attachment).optional(),
    deleted,
  }),
  edited: z.object({
    t: z.literal("edited"),
    ...head,
    target,
    body,
    mentions: mentions.optional().meta({
      description: "Whom the message mentions from here on; without it the mentions stay.",
    }),
    deleted,
  }),
  deleted: z.object({ t: z.literal("deleted"), ...head, target, reason: z.string().optional() }),
  reacted: z.object({
    t: z.literal("reacted"),
    ...head,
    target,
    emoji: z.string(),
    on: z.boolean(),
  }),
  pinned: z.object({ t: z.literal("pinned"), ...head, target, on: z.boolean() }),
  member: z.object({
    t: z.literal("member"),
    ...head,
    user,
    role: z.enum(ROLES),
    mutedUntil: at.optional(),
    banned: z.literal(true).optional(),
    reason: z.string().optional(),
    invite: id.optional(),
    use: seq.optional().meta({ description: "The number of this use of the invite." }),
  }),
  invite: z.object({
    t: z.literal("invite"),
    ...head,
    invite: id,
    hash: z.string().optional(),
    role: z.enum(["reader", "member"]).optional(),
    until: at.optional(),
    uses: count.optional(),
    revoked: z.literal(true).optional(),
  }),
  room: z.object({
    t: z.literal("room"),
    ...head,
    kind: z.enum(ROOM_KINDS),
    title: z.string().optional(),
    topic: z.string().optional(),
    avatar: z.string().optional(),
    sendRole: z.enum(MEMBER_ROLES).optional(),
    archived: z.literal(true).optional(),
    slowMode: count.optional().meta({ description: "Seconds between two messages." }),
    slowFrom: seqOrNone.optional(),
    editWindow: count.optional().meta({ description: "Seconds for which an author may edit." }),
  }),
} as const;

/** A message of a page with the view `messages`. */
const state = z.object({
  edited: z.object({ seq, at }).optional(),
  replies: count.optional(),
  lastReply: seq.optional(),
  pinned: seq.optional(),
  reactions: z
    .array(z.object({ emoji: z.string(), count, users: z.array(user).max(REACTION_NAMES_MAX) }))
    .optional(),
});
const shownMessage = events.msg.extend({
  state: state.optional().meta({ description: "With the view `messages`." }),
});
const listedRoom = z.object({
  room,
  kind: z.enum(ROOM_KINDS),
  title: z.string().optional(),
  role: z.enum(ROLES),
  head: seqOrNone,
  at,
  read: seqOrNone,
  unread: count,
  mentions: count,
  last: z
    .object({ seq, from: user, at, text: z.string(), files: z.array(z.string()).optional() })
    .optional(),
});

type FrameOf<T extends ServerFrame["t"]> = Extract<ServerFrame, { readonly t: T }>;
type Shape<F> = { readonly [K in keyof F]-?: z.ZodType };
/** server-frame-schemas.1. */
type Schemas = { readonly [T in ServerFrame["t"]]: z.ZodObject<Shape<FrameOf<T>>> };

export const serverFrameSchemas: Schemas = {
  welcome: z.object({
    t: z.literal("welcome"),
    session: z.string().meta({ description: "The id of this session." }),
    user,
    at,
    pingMs: count.meta({ description: "The period of the WebSocket pings of the server." }),
    limits: z.object({
      frameBytes: count,
      bodyBytes: count,
      unansweredSends: count,
      rooms: count,
    }),
  }),
  joined: z.object({
    t: z.literal("joined"),
    ref,
    room,
    born: z.string().meta({ description: "The birth of the room; empty without an event." }),
    head: seqOrNone.meta({ description: "The number of the newest event; 0: none." }),
    from: seq.meta({ description: "The number of the first event that follows." }),
    role: z.enum(ROLES),
    here: count.meta({ description: "The number of users present." }),
  }),
  left: z.object({
    t: z.literal("left"),
    ref: ref.optional(),
    room,
    reason: z.enum(["removed", "banned", "closed"]).optional(),
    seq: seqOrNone.optional().meta({ description: "The last event that this connection got." }),
  }),
  "caught-up": z.object({ t: z.literal("caught-up"), room, seq: seqOrNone }),
  ack: z.object({ t: z.literal("ack"), id: z.string(), room, seq, at }),
  error: z.object({
    t: z.literal("error"),
    ref: ref.optional(),
    id: z.string().optional().meta({ description: "The `id` of the write." }),
    room: z.string().optional(),
    code: z.number().int().meta({ description: "The HTTP status of the same error." }),
    name: z.enum(Object.keys(ERRORS) as [ErrorName, ...ErrorName[]]),
    retry: z.boolean().meta({ description: "Whether the same request may succeed later." }),
    message: z.string(),
    afterMs: count.optional().meta({ description: "The time in ms before a retry." }),
  }),
  presence: z.object({
    t: z.literal("presence"),
    room,
    join: z.array(user).optional(),
    leave: z.array(user).optional(),
    here: count.optional(),
    all: z.boolean().optional().meta({ description: "`join` has every user who is present." }),
  }),
  typing: z.object({ t: z.literal("typing"), room, user, on: z.boolean() }),
  reads: z.object({ t: z.literal("reads"), room, reads: z.array(z.tuple([user, seq])) }),
  note: z.object({ t: z.literal("note"), room, seq, why: z.enum(NOTE_REASONS) }),
  rooms: z.object({
    t: z.literal("rooms"),
    ref,
    rooms: z.array(listedRoom),
    next: z.string().optional().meta({ description: "The `after` of the next page." }),
  }),
  page: z.object({
    t: z.literal("page"),
    ref,
    room,
    events: z.array(z.union([shownMessage, ...Object.values(events).slice(1)])),
    more: z.boolean(),
    first: seqOrNone.optional().meta({ description: "With the view `messages`." }),
    last: seqOrNone.optional(),
    asOf: seqOrNone.optional(),
  }),
  pong: z.object({ t: z.literal("pong"), ref, at }),
  refreshed: z.object({ t: z.literal("refreshed"), ref, until: at }),
  reconnect: z.object({ t: z.literal("reconnect"), afterMs: count }),
  ...events,
};
