// Session I/O: the inputs and effects of a session.

import type { ClientFrameOf, DecodedFrame } from "#shared/protocol/client-frames.ts";
import type { CLOSE } from "#shared/protocol/close-codes.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { Millis, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { SaidName } from "#shared/protocol/names.ts";
import type { RoomsQuery } from "#shared/protocol/room-list.ts";
import type { Grant } from "#shared/protocol/roles.ts";
import type { ServerFrame } from "#shared/protocol/server-frames.ts";
import type { Verification } from "#shared/ports/identity.ts";
import type { SessionNames } from "./session-register.ts";
import type { Removal } from "./feed-io.ts";
import type { ClientWrite, WriteOutcome } from "./room-api-port.ts";
import type { RoomsOutcome } from "./room-lists-port.ts";

export type CloseReason = (typeof CLOSE)[keyof typeof CLOSE];

export interface Now {
  /** Tokens expire by the wall clock … */
  readonly wall: Millis;
  /** … and rates use the monotonic clock. */
  readonly monotonic: Millis;
}

export type SessionInput =
  | { readonly kind: "frame"; readonly frame: DecodedFrame }
  /** The answer to `verify`. */
  | { readonly kind: "verified"; readonly verification: Verification }
  /** The answer to `verify-refresh`. */
  | { readonly kind: "refreshed"; readonly ref: number; readonly verification: Verification }
  /** The first input: its address opened too many connections. */
  | { readonly kind: "too-many"; readonly afterMs: Millis }
  /** No valid hello arrived in time. */
  | { readonly kind: "overdue" }
  /** The outcome of `write`. */
  | {
      readonly kind: "write-answered";
      readonly id: string;
      readonly room: RoomId;
      readonly answer: WriteOutcome;
    }
  /** The `join` with number `attempt` failed. */
  | {
      readonly kind: "join-refused";
      readonly room: RoomId;
      readonly ref: number;
      readonly attempt: number;
      readonly error: ErrorName;
      readonly afterMs?: number;
    }
  /** The membership that the `join` with number `attempt` began has ended by a line of the room. */
  | {
      readonly kind: "removed";
      readonly room: RoomId;
      readonly attempt: number;
      readonly removal: Removal;
    }
  /** The answer to `rooms`. */
  | { readonly kind: "rooms"; readonly ref: number; readonly outcome: RoomsOutcome }
  /** The answer to `history`: the text of a `page` frame, or the refusal. */
  | {
      readonly kind: "page";
      readonly ref: number;
      readonly room: RoomId;
      readonly outcome:
        | { readonly kind: "page"; readonly text: string }
        | { readonly kind: "refused"; readonly error: ErrorName };
    };

export type SessionEffect =
  | { readonly kind: "verify"; readonly token: string }
  | { readonly kind: "verify-refresh"; readonly ref: number; readonly token: string }
  | { readonly kind: "frame"; readonly frame: ServerFrame }
  /** An encoded frame. */
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "close"; readonly reason: CloseReason }
  /** The session has begun. */
  | { readonly kind: "opened"; readonly user: UserId; readonly names: SessionNames | undefined }
  /** The token has a display name. */
  | { readonly kind: "named"; readonly said: SaidName }
  /** Attempt numbers of one session grow. A later join of the same room replaces an earlier one. */
  | {
      readonly kind: "join";
      readonly user: UserId;
      readonly grant: Grant | undefined;
      readonly attempt: number;
      readonly frame: ClientFrameOf<"join">;
    }
  | { readonly kind: "leave"; readonly user: UserId; readonly room: RoomId }
  | ({ readonly kind: "write" } & ClientWrite)
  | { readonly kind: "typing"; readonly user: UserId; readonly room: RoomId; readonly on: boolean }
  | { readonly kind: "read"; readonly user: UserId; readonly room: RoomId; readonly seq: Seq }
  | { readonly kind: "rooms"; readonly ref: number; readonly query: RoomsQuery }
  | {
      readonly kind: "history";
      readonly user: UserId;
      readonly grant: Grant | undefined;
      readonly frame: ClientFrameOf<"history">;
    };
