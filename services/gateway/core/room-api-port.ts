// RoomApi port: sends and reads of a room for a caller without a session, such as an HTTP request.
//
// Each call resolves and never rejects: a failure is a row of the error table.

import type { ErrorName } from "#shared/protocol/errors.ts";
import type { Body } from "#shared/protocol/events.ts";
import type { MessageId, Millis, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";

export interface Refused {
  readonly kind: "refused";
  readonly error: ErrorName;
  readonly afterMs?: number;
}

export interface SendInput {
  readonly user: UserId;
  readonly room: RoomId;
  readonly id: MessageId;
  readonly body: Body;
  readonly replyTo?: Seq;
  readonly trace?: string;
}

/** `before` and `after` exclude each other; with neither the newest `limit` events are meant. */
export interface PageInput {
  /** Who asks. */
  readonly user: UserId;
  readonly room: RoomId;
  readonly before?: Seq;
  readonly after?: Seq;
  readonly limit: number;
  /** A number that is known to be stored: the head is not asked for, and the page may reach it. */
  readonly known?: Seq;
}

export type SendOutcome =
  | {
      readonly kind: "sent";
      readonly seq: Seq;
      readonly at: Millis;
      /** The id was known already: what is stored there may be another message (H8). */
      readonly repeat?: true;
    }
  | Refused;

/** `events` are lines of JSON, ascending by seq; `more` means in the direction of the page. */
export type PageOutcome =
  | { readonly kind: "page"; readonly events: readonly string[]; readonly more: boolean }
  | Refused;

export interface RoomApi {
  /** Resolves when the message is in the log, or with why it is not known to be. Never rejects. */
  send(input: SendInput): Promise<SendOutcome>;
  /** Resolves, never rejects. */
  page(input: PageInput): Promise<PageOutcome>;
  readonly health: { readonly natsUp: boolean; readonly draining: boolean };
}
