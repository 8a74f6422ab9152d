// Inputs and effects: all that the SDK's core hears from the world, and all that it asks of it.
//
// The shell (parley.ts) turns calls, timers and socket events into inputs and performs the effects
// in order. A socket or a token request is a number here; whatever comes from an older one is
// ignored, so the shell never has to think about what is still current.

import type { ErrorName } from "#shared/protocol/errors.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { Millis, RoomId, Seq } from "#shared/protocol/ids.ts";

export type ConnectionState = "idle" | "connecting" | "online" | "waiting" | "closed";
export type RoomStatus = "joining" | "catching-up" | "live" | "left";

export type SendResult =
  | { readonly kind: "acked"; readonly seq: Seq; readonly at: Millis }
  | { readonly kind: "refused"; readonly error: ErrorName; readonly message: string };

/** One page of a room, ascending; `more` tells whether there is more in its direction. */
export interface Page {
  readonly events: readonly RoomEvent[];
  readonly more: boolean;
}
export interface PageRange {
  readonly before?: Seq;
  readonly after?: Seq;
  readonly limit: number;
}

/** Who is here now, and what just changed. `users` is empty in rooms too large for names. */
export interface PresenceChange {
  readonly users: ReadonlySet<string>;
  readonly here: number;
  readonly joined: readonly string[];
  readonly left: readonly string[];
}
/** `user` began (`on`) or ended; `users` are all who type now, without ourselves. */
export interface TypingChange {
  readonly user: string;
  readonly on: boolean;
  readonly users: ReadonlySet<string>;
}
/** The room's log was lost and restarted: what the application holds of it is no longer true. */
export interface Reset {
  readonly born: string;
  readonly head: Seq;
}
/** What went wrong outside of a call that could have said so itself. */
export interface Fault {
  readonly name: ErrorName;
  readonly message: string;
  readonly room?: string;
}

export type Input =
  | { readonly kind: "connect" | "close" | "tick" }
  | { readonly kind: "token"; readonly ask: number; readonly token: string }
  | { readonly kind: "token-failed"; readonly ask: number }
  | { readonly kind: "opened"; readonly socket: number }
  | { readonly kind: "text"; readonly socket: number; readonly text: string }
  | { readonly kind: "ended"; readonly socket: number; readonly code: number }
  | {
      readonly kind: "join";
      readonly room: RoomId;
      readonly after?: Seq | undefined;
      readonly tail?: number | undefined;
    }
  | { readonly kind: "leave"; readonly room: RoomId }
  | {
      readonly kind: "send";
      readonly room: RoomId;
      readonly id: string;
      readonly body: object;
      readonly replyTo?: Seq | undefined;
      readonly trace?: string | undefined;
    }
  | { readonly kind: "typing"; readonly room: RoomId; readonly on: boolean }
  | {
      readonly kind: "history";
      readonly call: number;
      readonly room: RoomId;
      readonly range: PageRange;
    };

export type Effect =
  /** Call the token provider; answer with `token` or `token-failed`. */
  | { readonly kind: "ask-token"; readonly ask: number }
  | { readonly kind: "open"; readonly socket: number }
  | { readonly kind: "write"; readonly socket: number; readonly text: string }
  /** Close it; nothing that it still says will be heard. */
  | { readonly kind: "drop"; readonly socket: number }
  | { readonly kind: "state"; readonly state: ConnectionState }
  | { readonly kind: "fault"; readonly fault: Fault }
  | { readonly kind: "settled"; readonly id: string; readonly result: SendResult }
  | { readonly kind: "page"; readonly call: number; readonly page: Page }
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
  | { readonly kind: "reset"; readonly room: RoomId; readonly reset: Reset };
