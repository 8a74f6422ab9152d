// Arbitraries: random values of the types of this folder, for property tests.

import * as fc from "fast-check";
import { uuidv7 } from "../../kit/uuid.ts";
import type { LogEntry, RoomLines } from "../entry.ts";
import { encodeEvent } from "../events.ts";
import type { Body, RoomEvent } from "../events.ts";
import type { MessageId, ProcessId, RoomId, UserId } from "../ids.ts";
import { MEMBER_ROLES, ROLES, ROOM_KINDS } from "../roles.ts";

const ROOM_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

const HEXADECIMAL = fc.constantFrom(..."0123456789abcdef".split(""));

export const room = fc
  .string({ unit: fc.constantFrom(...ROOM_CHARACTERS.split("")), minLength: 1, maxLength: 64 })
  .map((text) => text as RoomId);

export const processId = fc.nat(0xffff).map((n) => `room-${n.toString(36)}` as ProcessId);

export const millis = fc.integer({ min: 0, max: 2 ** 48 - 1 });

/** Any text that every store keeps: whole code points, without U+0000. */
export const storable = fc
  .string({ unit: "binary", maxLength: 30 })
  .map((text) => text.replaceAll("\u0000", "0"));

export const userId = storable
  .filter((text) => text.length > 0 && new TextEncoder().encode(text).length <= 128)
  .map((text) => text as UserId);

export const messageId: fc.Arbitrary<MessageId> = fc
  .tuple(millis, fc.infiniteStream(fc.integer({ min: 0, max: 2 ** 32 - 1 })))
  .map(([at, bits]) => uuidv7(at, { next32: () => Number(bits.next().value) }));

export const body: fc.Arbitrary<Body> = fc
  .dictionary(storable, fc.jsonValue({ maxDepth: 3, stringUnit: "binary" }))
  .map((value) => JSON.parse(JSON.stringify(value).replaceAll("\\u0000", "0")) as Body)
  .filter((value) => !JSON.stringify(value).includes("__proto__"));

const message: fc.Arbitrary<RoomEvent> = fc
  .record({ room, seq: fc.integer({ min: 1 }), id: messageId, from: userId, at: millis, body })
  .chain((known) =>
    fc
      .option(fc.integer({ min: 1 }), { nil: undefined })
      .map(
        (replyTo) => ({ t: "msg", ...known, ...(replyTo !== undefined && { replyTo }) }) as const,
      ),
  );

const place = { room, seq: fc.integer({ min: 1 }), id: messageId, from: userId, at: millis };
const maybe = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(of, { nil: undefined });

const memberEvent: fc.Arbitrary<RoomEvent> = fc
  .record({
    ...place,
    user: userId,
    role: fc.constantFrom(...ROLES),
    mutedUntil: maybe(millis),
    banned: fc.constantFrom(undefined, true as const),
    reason: maybe(storable),
  })
  .map((known) => ({ t: "member", ...known }) as const);

const settingsEvent: fc.Arbitrary<RoomEvent> = fc
  .record({
    ...place,
    kind: fc.constantFrom(...ROOM_KINDS),
    title: maybe(storable),
    sendRole: maybe(fc.constantFrom(...MEMBER_ROLES)),
    archived: fc.constantFrom(undefined, true as const),
    slowMode: maybe(fc.integer({ min: 1 })),
    slowFrom: maybe(fc.integer({ min: 1 })),
    editWindow: maybe(fc.integer({ min: 1 })),
  })
  .map((known) => ({ t: "room", ...known }) as const);

const entryEvent: fc.Arbitrary<RoomEvent> = fc
  .record({
    ...place,
    user: userId,
    reason: storable,
    invite: messageId,
    use: fc.integer({ min: 1 }),
  })
  .map((known) => ({ t: "member", role: "member", ...known }) as const);

const inviteEvent: fc.Arbitrary<RoomEvent> = fc.oneof(
  fc
    .record({ ...place, invite: messageId })
    .map((known) => ({ t: "invite", ...known, revoked: true }) as const),
  fc
    .record({
      ...place,
      invite: messageId,
      hash: storable,
      role: fc.constantFrom("reader" as const, "member" as const),
      until: millis,
      uses: fc.integer({ min: 1 }),
    })
    .map((known) => ({ t: "invite", ...known }) as const),
);

const deletion = fc.record({ by: userId, at: millis, seq: fc.integer({ min: 1 }) });
const mentions = fc.oneof(fc.constant("@room" as const), fc.array(userId, { maxLength: 3 }));
const emoji = fc.constantFrom("👍", "🇫🇷", "👩‍👩‍👧", ":ok:", "1\ufe0f\u20e3");
const target = fc.integer({ min: 1 });

const changeEvent: fc.Arbitrary<RoomEvent> = fc.oneof(
  fc
    .record({ ...place, target, body, mentions: maybe(mentions), deleted: maybe(deletion) })
    .map((known) => ({ t: "edited", ...known }) as const),
  fc
    .record({ ...place, target, reason: maybe(storable) })
    .map((known) => ({ t: "deleted", ...known }) as const),
  fc
    .record({ ...place, target, emoji, on: fc.boolean() })
    .map((known) => ({ t: "reacted", ...known }) as const),
  fc
    .record({ ...place, target, on: fc.boolean() })
    .map((known) => ({ t: "pinned", ...known }) as const),
  fc
    .record({ ...place, body, thread: maybe(target), deleted: maybe(deletion) })
    .map((known) => ({ t: "msg", ...known }) as const),
);

export const event: fc.Arbitrary<RoomEvent> = fc
  .oneof(
    { weight: 4, arbitrary: message },
    memberEvent,
    entryEvent,
    inviteEvent,
    settingsEvent,
    changeEvent,
  )
  // A key without a value is not on the wire.
  .map((known) => JSON.parse(JSON.stringify(known)) as RoomEvent);

export const traceparent = fc
  .tuple(
    fc.string({ unit: HEXADECIMAL, minLength: 31, maxLength: 31 }),
    fc.string({ unit: HEXADECIMAL, minLength: 15, maxLength: 15 }),
  )
  .map(([trace, span]) => `00-1${trace}-1${span}-01`);

const group: fc.Arbitrary<RoomLines> = fc
  .record({ room, first: fc.integer({ min: 1 }), events: fc.array(event, { maxLength: 4 }) })
  .map(({ room, first, events }) => ({ room, first, lines: events.map(encodeEvent) }));

export const entry: fc.Arbitrary<LogEntry> = fc.oneof(
  fc.record({ kind: fc.constant("claim" as const), node: processId, at: millis }),
  fc.record({
    kind: fc.constant("release" as const),
    epoch: fc.nat(),
    node: processId,
    at: millis,
  }),
  fc
    .record({
      kind: fc.constant("commit" as const),
      epoch: fc.nat(),
      node: processId,
      at: millis,
      groups: fc.array(group, { maxLength: 4 }),
      traces: fc.option(fc.array(traceparent, { minLength: 1, maxLength: 3 }), { nil: undefined }),
    })
    .map(({ traces, ...rest }) => ({ ...rest, ...(traces !== undefined && { traces }) })),
);

/** JSON of any shape, also with the names of inherited properties. */
export const hostileJson = fc
  .json({ maxDepth: 4, stringUnit: "binary" })
  .map((text) => text.replaceAll('"":', '"__proto__":'));
