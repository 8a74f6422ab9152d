// Effects: the inputs and effects of the SDK's core, and the types of its results.
//
// parley.ts turns calls, timers and socket events into inputs, and performs the effects in order.
// The core names sockets and token requests by numbers, and ignores inputs of an older one. So
// parley.ts need not know which is current.

import type { WriteFrame } from "#shared/protocol/commands.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { Millis, RoomId, Seq } from "#shared/protocol/ids.ts";
import type { Note } from "#shared/protocol/note.ts";
import type { RoomsPage } from "#shared/protocol/room-list.ts";
import type { LeftReason } from "#shared/protocol/server-frames.ts";

/** "waiting": before the next attempt. "closed": no further attempt. */
export type ConnectionState = "idle" | "connecting" | "online" | "waiting" | "closed";
/** "catching-up": events up to the head are being delivered. "live": new events are delivered. */
export type RoomStatus = "joining" | "catching-up" | "live" | "left";

/** The outcome of a send. */
export type SendResult =
  | { readonly kind: "acked"; readonly seq: Seq; readonly at: Millis }
  | { readonly kind: "refused"; readonly error: ErrorName; readonly message: string };

/** One page of a room, ascending. `more`: there are more events in its direction. */
export interface Page {
  readonly events: readonly RoomEvent[];
  readonly more: boolean;
  /** With the view `messages`: the numbers that the page covers, as of the event `asOf`. */
  readonly first?: Seq;
  readonly last?: Seq;
  readonly asOf?: Seq;
}
/** `before` and `after` exclude each other; without both, the newest events. `limit`: 1 to 200. */
export interface PageRange {
  readonly before?: Seq;
  readonly after?: Seq;
  readonly limit: number;
  /** `messages`: the messages as they are now, each with its `state`; default: all events. */
  readonly view?: "events" | "messages";
  /** The replies to this message, with the view `messages`. */
  readonly thread?: Seq;
}

/** One page of the user's rooms. `after`: the `next` of the page before. `limit`: 1 to 200. */
export interface RoomsRange {
  readonly after?: string;
  readonly limit?: number;
}
/** `user` has read the room up to `seq`; `reads`: all positions that were received. */
export interface ReadChange {
  readonly user: string;
  readonly seq: Seq;
  readonly reads: ReadonlyMap<string, Seq>;
}

/** The users now, and the change. `users` is empty above 200 users. */
export interface PresenceChange {
  readonly users: ReadonlySet<string>;
  readonly here: number;
  readonly joined: readonly string[];
  readonly left: readonly string[];
}
/** `user` began (`on`) or stopped to type; `users`: all other users who type now. */
export interface TypingChange {
  readonly user: string;
  readonly on: boolean;
  readonly users: ReadonlySet<string>;
}
/** The room was recreated: everything that the application stored of it is outdated. */
export interface Reset {
  readonly born: string;
  readonly head: Seq;
}
/** The user lost the right to read the room. `seq`: the last event that was delivered. */
export interface Removed {
  readonly reason: LeftReason;
  readonly seq: Seq;
}
/** A failure that belongs to no call. `room`: only this room is affected. */
export interface Fault {
  readonly name: ErrorName;
  readonly message: string;
  readonly room?: string;
}

export type Input =
  /** "wake": the network, the page or the machine is back. "suspend": the page is put aside. */
  | { readonly kind: "connect" | "close" | "tick" | "wake" | "suspend" }
  | { readonly kind: "token"; readonly ask: number; readonly token: string }
  | { readonly kind: "token-failed"; readonly ask: number }
  | { readonly kind: "opened"; readonly socket: number }
  | { readonly kind: "text"; readonly socket: number; readonly text: string }
  | { readonly kind: "ended"; readonly socket: number; readonly code: number }
  | {
      readonly kind: "join";
      readonly room: RoomId;
      readonly after?: Seq | undefined;
      readonly born?: string | undefined;
      readonly tail?: number | undefined;
    }
  | { readonly kind: "leave"; readonly room: RoomId }
  /** The core checks the id and the body of the frame. */
  | { readonly kind: "write"; readonly frame: WriteFrame }
  /** The caller no longer waits for a page. */
  | { readonly kind: "cancel"; readonly call: number }
  | { readonly kind: "typing"; readonly room: RoomId; readonly on: boolean }
  /** The user has read the room up to `seq`. */
  | { readonly kind: "read"; readonly room: RoomId; readonly seq: Seq }
  | { readonly kind: "rooms"; readonly call: number; readonly range: RoomsRange }
  | {
      readonly kind: "history";
      readonly call: number;
      readonly room: RoomId;
      readonly range: PageRange;
    };

export type Effect =
  /** Call the token function; answer with `token` or `token-failed`. */
  | { readonly kind: "ask-token"; readonly ask: number }
  | { readonly kind: "open"; readonly socket: number }
  | { readonly kind: "write"; readonly socket: number; readonly text: string }
  /** Close the socket; its later events are ignored. `isSilent`: an answer did not come in time. */
  | { readonly kind: "drop"; readonly socket: number; readonly isSilent: boolean }
  | { readonly kind: "state"; readonly state: ConnectionState }
  | { readonly kind: "fault"; readonly fault: Fault }
  | { readonly kind: "settled"; readonly id: string; readonly result: SendResult }
  | { readonly kind: "page"; readonly call: number; readonly page: Page | RoomsPage }
  | { readonly kind: "hint"; readonly note: Note }
  | {
      readonly kind: "page-failed";
      readonly call: number;
      readonly error: ErrorName;
      readonly message: string;
    }
  | RoomEffect;

export type RoomEffect =
  | { readonly kind: "event"; readonly room: RoomId; readonly event: RoomEvent }
  | { readonly kind: "status"; readonly room: RoomId; readonly status: RoomStatus }
  | { readonly kind: "presence"; readonly room: RoomId; readonly change: PresenceChange }
  | { readonly kind: "typing"; readonly room: RoomId; readonly change: TypingChange }
  | { readonly kind: "read"; readonly room: RoomId; readonly change: ReadChange }
  | { readonly kind: "removed"; readonly room: RoomId; readonly removed: Removed }
  | { readonly kind: "reset"; readonly room: RoomId; readonly reset: Reset };
