// Server frames: what a gateway says to a client. Room events travel as the owner's own lines (see
// events.ts) and are not encoded here.

import type { ErrorFrame } from "./errors.ts";
import type { RoomEvent } from "./events.ts";
import type { Millis, RoomId, Seq, UserId } from "./ids.ts";

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
  /** "" for a room without a message; changes only if the room's log was lost and restarted. */
  readonly born: string;
  readonly head: Seq;
  /** What follows starts with this number. */
  readonly from: Seq;
  readonly role: "member";
  readonly here: number;
}
export interface LeftFrame {
  readonly t: "left";
  readonly ref: number;
  readonly room: RoomId;
}
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
 * `join` and `leave` name users; `here` is how many are here. May be lost, so from time to time `join`
 * names everybody (`all`): whoever is not named is not here.
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
export interface PageFrame {
  readonly t: "page";
  readonly ref: number;
  readonly room: RoomId;
  readonly events: readonly RoomEvent[];
  readonly more: boolean;
}
export interface PongFrame {
  readonly t: "pong";
  readonly ref: number;
  readonly at: Millis;
}
/** Answer to `refresh`: the new token is in force. */
export interface RefreshedFrame {
  readonly t: "refreshed";
  readonly ref: number;
  /** When the new token ends. */
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
  | PageFrame
  | PongFrame
  | RefreshedFrame
  | ReconnectFrame
  | RoomEvent;
