// Events: the lines of a room. An event is encoded once, by the room's owner, into one line of
// JSON; that text goes unchanged into the log, onto the bus, into PostgreSQL and to every member.
//
//   events.1. A line never holds a line break (JSON escapes them), so "\n" always separates events.
//   events.2. Keys stand in one fixed order: t, room, seq, id, from, at, then the kind's own.

import type { MessageId, Millis, RoomId, Seq, UserId } from "./ids.ts";

export type Body = { readonly [key: string]: unknown };

/** `{"t":"msg",…}`: a message, in its place in the room. */
export interface MessageEvent {
  readonly t: "msg";
  readonly room: RoomId;
  readonly seq: Seq;
  readonly id: MessageId;
  readonly from: UserId;
  /** The owner's clock; never goes backwards within a room. */
  readonly at: Millis;
  readonly body: Body;
  readonly replyTo?: Seq;
}

export type RoomEvent = MessageEvent;

export function encodeEvent(event: RoomEvent): string {
  const { t, room, seq, id, from, at, body, replyTo } = event;
  return JSON.stringify(
    replyTo === undefined
      ? { t, room, seq, id, from, at, body }
      : { t, room, seq, id, from, at, body, replyTo },
  );
}

/** Reads a line that this system wrote. Throws SyntaxError on text that is not JSON. */
export function decodeEvent(line: string): RoomEvent {
  return JSON.parse(line) as RoomEvent;
}
