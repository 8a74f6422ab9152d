// Client frames: the schemas of the frames that a client sends, and their only decoder.
//
// The decoder drops unknown fields. An unknown `t`, a wrong type or a string that a store cannot
// keep gets one typed error. Does not own: the encoder, which is JSON.stringify, so that the web
// client needs no zod. Cores import the types of this file, never its values.
//
//   client-frames.1. One WebSocket frame has one JSON object, or several separated by "\n".
//   client-frames.2. `body` is an object of at most BODY_BYTES_MAX as JSON and BODY_DEPTH_MAX
//        levels, without U+0000, lone surrogates, non-finite numbers and the key "__proto__".
//   client-frames.3. A text that JSON.parse would change (strict-json.ts) is refused.

import { z } from "zod";
import { isObject, parseObject } from "../kit/json.ts";
import type { JsonObject } from "../kit/json.ts";
import { jsonLoss } from "../kit/strict-json.ts";
import type { JsonLoss } from "../kit/strict-json.ts";
import { MEDIA_TYPE, PIXELS_MAX, PROOF } from "./attachments.ts";
import { isBodyTooLarge, isCleanBody } from "./body.ts";
import type { ErrorName } from "./errors.ts";
import type { Body } from "./events.ts";
import { isEmoji } from "./emoji.ts";
import { fieldFault } from "./field-fault.ts";
import {
  isMessageId,
  isStorable,
  isTextWithin,
  isUserId,
  STORABLE_PATTERN,
  UUID_V7,
} from "./ids.ts";
import type { MessageId, RoomId } from "./ids.ts";
import { INVITE_SECRET } from "./invites.ts";
import {
  ATTACHMENT_NAME_LENGTH_MAX,
  ATTACHMENTS_MAX,
  AVATAR_LENGTH_MAX,
  BODY_DEPTH_MAX,
  CREATE_MEMBERS_MAX,
  EDIT_WINDOW_S_MAX,
  EMOJI_BYTES_MAX,
  INVITE_TTL_S_MAX,
  INVITE_USES_MAX,
  MENTIONS_MAX,
  PAGE_EVENTS_MAX,
  REASON_LENGTH_MAX,
  ROOMS_PAGE_MAX,
  SLOW_MODE_S_MAX,
  TAIL_EVENTS_MAX,
  TITLE_LENGTH_MAX,
  TOPIC_LENGTH_MAX,
} from "./limits.ts";
import { readCursor } from "./room-list.ts";
import { MEMBER_ROLES, ROLES, ROOM_KINDS } from "./roles.ts";

export const roomSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/)
  .transform((value) => value as RoomId);
export const messageIdSchema = z.string().transform((value) => value as MessageId);
const ref = z.number().int();
const seq = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const token = z.string().min(1).max(8_192);
/** Not z.record, which silently drops a top-level "__proto__". F2 requires a refusal. */
export const bodySchema = z.custom<Body>(isObject).meta({ type: "object" });

const trace = z.string().max(128).optional();
export const userSchema = z
  .string()
  .min(1)
  .max(128)
  .refine(isUserId)
  .meta({ pattern: "^[^\\u0000]+$" });
/** A text that every store keeps unchanged, of at most `max` characters. */
export const storableText = (max: number) =>
  z
    .string()
    .refine((value) => isTextWithin(value, max))
    .meta({ maxLength: max, pattern: STORABLE_PATTERN });

/** What an owner of a room can set. An empty text and 0 remove the value. */
export const settingsSchemas = {
  title: storableText(TITLE_LENGTH_MAX).optional(),
  topic: storableText(TOPIC_LENGTH_MAX).optional(),
  avatar: storableText(AVATAR_LENGTH_MAX).optional(),
  sendRole: z.enum(MEMBER_ROLES).optional(),
  slowMode: z.number().int().min(0).max(SLOW_MODE_S_MAX).optional(),
  editWindow: z.number().int().min(0).max(EDIT_WINDOW_S_MAX).optional(),
};
export const archivedSchema = z.boolean();
export const createSchemas = {
  kind: z.enum(ROOM_KINDS),
  ...settingsSchemas,
  /** The invited members. */
  members: z
    .array(z.object({ user: userSchema, role: z.enum(MEMBER_ROLES).optional() }))
    .max(CREATE_MEMBERS_MAX)
    .optional(),
  /** The other user of a direct room. */
  user: userSchema.optional(),
};
export const memberSchemas = {
  role: z.enum(ROLES),
  mutedUntil: seq.optional(),
  banned: z.boolean().optional(),
  reason: storableText(REASON_LENGTH_MAX).optional(),
};
/** The terms of an invite; `ttl` in seconds. */
export const inviteSchemas = {
  role: z.enum(["reader", "member"]).optional(),
  ttl: z.number().int().min(1).max(INVITE_TTL_S_MAX).optional(),
  uses: z.number().int().min(1).max(INVITE_USES_MAX).optional(),
};
export const inviteSecretSchema = z.string().regex(INVITE_SECRET);
export const inviteIdSchema = z.string().regex(UUID_V7).refine(isMessageId);
/** The number of an event. */
export const targetSchema = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
export const emojiSchema = z.string().max(EMOJI_BYTES_MAX).refine(isEmoji);
export const reasonSchema = storableText(REASON_LENGTH_MAX);
/** Whom a message mentions: users, or everyone in the room. */
export const mentionsSchema = z.union([z.literal("@room"), z.array(userSchema).max(MENTIONS_MAX)]);
const pixels = z.number().int().min(1).max(PIXELS_MAX);
/** What a message has of a file. */
export const attachmentSchemas = {
  id: z.string().regex(UUID_V7).refine(isMessageId),
  name: storableText(ATTACHMENT_NAME_LENGTH_MAX)
    .refine((name) => name !== "")
    .meta({ minLength: 1 }),
  type: z.string().regex(MEDIA_TYPE),
  bytes: seq,
  width: pixels.optional(),
  height: pixels.optional(),
};
/** The files of a message, each as its upload was answered. */
export const attachmentsSchema = z
  .array(z.object({ ...attachmentSchemas, until: seq, proof: z.string().regex(PROOF) }))
  .min(1)
  .max(ATTACHMENTS_MAX);
/** What a page shows: all events, or the messages as they are now. */
export const viewSchema = z.enum(["events", "messages"]);
/** The page of a room list. */
export const roomsSchemas = {
  /** The `next` of the page before. */
  after: z
    .string()
    .refine((text) => readCursor(text) !== undefined)
    .optional(),
  limit: z.number().int().min(1).max(ROOMS_PAGE_MAX).optional(),
};
const WRITE = { room: roomSchema, id: messageIdSchema, trace };

export const clientFrameSchemas = {
  hello: z.object({
    t: z.literal("hello"),
    token,
    session: z.string().max(64).optional(),
    client: z.string().max(64).optional(),
    device: z.string().max(64).optional(),
  }),
  join: z.object({
    t: z.literal("join"),
    ref,
    room: roomSchema,
    after: seq.optional(),
    tail: z.number().int().min(0).max(TAIL_EVENTS_MAX).optional(),
  }),
  leave: z.object({ t: z.literal("leave"), ref, room: roomSchema }),
  send: z.object({
    t: z.literal("send"),
    room: roomSchema,
    id: messageIdSchema,
    body: bodySchema,
    replyTo: targetSchema.optional(),
    thread: targetSchema.optional(),
    mentions: mentionsSchema.optional(),
    attachments: attachmentsSchema.optional(),
    trace,
  }),
  edit: z.object({
    t: z.literal("edit"),
    ...WRITE,
    target: targetSchema,
    body: bodySchema,
    mentions: mentionsSchema.optional(),
  }),
  delete: z.object({
    t: z.literal("delete"),
    ...WRITE,
    target: targetSchema,
    reason: reasonSchema.optional(),
  }),
  react: z.object({
    t: z.literal("react"),
    ...WRITE,
    target: targetSchema,
    emoji: emojiSchema,
    on: z.boolean(),
  }),
  pin: z.object({ t: z.literal("pin"), ...WRITE, target: targetSchema, on: z.boolean() }),
  create: z.object({ t: z.literal("create"), ...WRITE, ...createSchemas }),
  member: z.object({ t: z.literal("member"), ...WRITE, user: userSchema, ...memberSchemas }),
  update: z.object({
    t: z.literal("update"),
    ...WRITE,
    ...settingsSchemas,
    archived: archivedSchema.optional(),
  }),
  invite: z.object({
    t: z.literal("invite"),
    ...WRITE,
    secret: inviteSecretSchema,
    ...inviteSchemas,
  }),
  revoke: z.object({ t: z.literal("revoke"), ...WRITE, invite: inviteIdSchema }),
  enter: z.object({
    t: z.literal("enter"),
    ...WRITE,
    invite: inviteIdSchema,
    secret: inviteSecretSchema,
  }),
  typing: z.object({ t: z.literal("typing"), room: roomSchema, on: z.boolean() }),
  read: z.object({ t: z.literal("read"), room: roomSchema, seq: targetSchema }),
  rooms: z.object({ t: z.literal("rooms"), ref, ...roomsSchemas }),
  history: z.object({
    t: z.literal("history"),
    ref,
    room: roomSchema,
    before: seq.optional(),
    after: seq.optional(),
    limit: z.number().int().min(1).max(PAGE_EVENTS_MAX),
    view: viewSchema.optional(),
    thread: targetSchema.optional(),
  }),
  refresh: z.object({ t: z.literal("refresh"), ref, token }),
  ping: z.object({ t: z.literal("ping"), ref }),
} as const;

type Schemas = typeof clientFrameSchemas;
export type ClientFrame = { [K in keyof Schemas]: z.output<Schemas[K]> }[keyof Schemas];
export type ClientFrameOf<T extends keyof Schemas> = z.output<Schemas[T]>;

export type DecodedFrame =
  | { readonly kind: "frame"; readonly frame: ClientFrame }
  | {
      readonly kind: "refused";
      readonly error: ErrorName;
      /** The `ref` or the `id` of the broken frame, when it has a valid one. */
      readonly ref?: number;
      readonly id?: string;
      readonly message?: string;
    };

/** The requirements of `checkBody`, for error messages (F2). */
export const BODY_EXPECTED =
  `a JSON object of at most ${BODY_DEPTH_MAX} levels without U+0000, lone surrogates, the key ` +
  "`__proto__` or infinite numbers";

const LOSSES: { readonly [L in JsonLoss]: string } = {
  "a key is repeated": "The frame repeats a key: expected each key once in its object.",
  "a number is not exact": "The frame holds a number that a double cannot hold exactly.",
};

/** Decodes a whole text frame into at least one item, in order. Never throws. */
export function decodeClientFrames(text: string): DecodedFrame[] {
  if (!text.includes("\n")) return [decodeClientFrame(text)];
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  // A text frame of line breaks alone is malformed, and gets one error (F4).
  return lines.length === 0 ? [decodeClientFrame("")] : lines.map(decodeClientFrame);
}

/** Decodes one line of a text frame. Never throws. */
export function decodeClientFrame(line: string): DecodedFrame {
  const value = parseObject(line);
  if (value === undefined) return refuse("bad_frame", {}, "The frame is not a JSON object.");
  const loss = jsonLoss(line, value);
  if (loss !== undefined) return refuse("bad_frame", value, LOSSES[loss]); // F8
  const type = value["t"];
  if (typeof type !== "string") {
    const text = 'The field t is missing: expected a frame type such as "join".';
    return refuse("bad_frame", value, text);
  }
  if (!Object.hasOwn(clientFrameSchemas, type)) return refuse("unknown_type", value);
  const schema = clientFrameSchemas[type as keyof Schemas];
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const fault = fieldFault(schema, value, parsed.error.issues[0]?.path ?? []);
    const text = fault === undefined ? "frame is not valid" : `field ${fault.field} ${fault.text}`;
    return refuse("bad_frame", value, `The ${text}.`);
  }
  const frame: ClientFrame = parsed.data;
  if ("id" in frame && !isMessageId(frame.id)) return refuse("bad_id", value);
  const problem = "body" in frame ? checkBody(frame.body) : undefined;
  if (problem === "bad_frame") {
    return refuse(problem, value, `The field body is not valid: expected ${BODY_EXPECTED}.`);
  }
  if (problem !== undefined) return refuse(problem, value);
  const wrong = frame.t === "history" ? historyFault(frame) : undefined;
  if (wrong !== undefined) return refuse("bad_frame", value, wrong);
  const fault = frame.t === "create" ? createFault(frame) : undefined;
  if (fault !== undefined) return refuse("bad_frame", value, fault);
  return { kind: "frame", frame };
}

/** Why the parts of a `history` do not fit together; undefined when they do. */
export function historyFault({
  before,
  after,
  view,
  thread,
}: Pick<ClientFrameOf<"history">, "before" | "after" | "view" | "thread">): string | undefined {
  if (before !== undefined && after !== undefined) return "Expected before or after, not both.";
  const isThread = thread !== undefined && view !== "messages";
  return isThread ? "The field thread needs the view messages." : undefined;
}

/** Why the parts of a `create` do not fit together; undefined when they do. */
export function createFault({
  kind,
  user,
  members = [],
}: Pick<ClientFrameOf<"create">, "kind" | "user" | "members">): string | undefined {
  if (kind === "direct" && (user === undefined || members.length > 0)) {
    return "A direct room has the field user, and no members.";
  }
  if (kind !== "direct" && user !== undefined) return "Only a direct room has the field user.";
  const users = new Set(members.map((member) => member.user));
  return users.size === members.length ? undefined : "The field members names a user twice.";
}

/** The error of a message body, or undefined (F2). */
export function checkBody(body: Body): ErrorName | undefined {
  if (!isCleanBody(body)) return "bad_frame";
  return isBodyTooLarge(body) ? "too_large" : undefined;
}

function refuse(error: ErrorName, value: JsonObject, message?: string): DecodedFrame {
  const ref = value["ref"];
  const id = value["id"];
  return {
    kind: "refused",
    error,
    ...(Number.isSafeInteger(ref) && { ref: ref as number }),
    ...(typeof id === "string" && id.length <= 64 && isStorable(id) && { id }),
    ...(message !== undefined && { message }),
  };
}
