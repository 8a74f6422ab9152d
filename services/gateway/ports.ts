// Ports inside the gateway: what the HTTP side and the socket side ask of each other.
//
// Door is how a stateless caller (HTTP) reaches rooms without a session. Authenticator turns a token
// into an identity. Both resolve, never reject: every failure is a row of the one table of errors.

import type { ErrorName } from "#shared/protocol/errors.ts";
import type { Body } from "#shared/protocol/events.ts";
import type { MessageId, Millis, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";

/** Who a token speaks for. Made by an Authenticator alone; nothing in it comes from a frame. */
export interface Identity {
  readonly user: UserId;
  readonly name?: string;
  /** Grants: room → role. Informative while every room is open. */
  readonly rooms?: Readonly<Record<string, string>>;
  readonly admin: boolean;
  readonly expiresAt: Millis;
}

export type Verification =
  | { readonly kind: "ok"; readonly identity: Identity }
  | { readonly kind: "refused"; readonly error: "unauthorized" | "token_expired" };

export interface Authenticator {
  /** Resolves, never rejects. Keys that cannot be fetched are `unauthorized`. */
  verify(token: string, now: Millis): Promise<Verification>;
}

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
  readonly room: RoomId;
  readonly before?: Seq;
  readonly after?: Seq;
  readonly limit: number;
}

export type SendOutcome =
  | { readonly kind: "sent"; readonly seq: Seq; readonly at: Millis }
  | Refused;

/** `events` are lines of JSON, ascending by seq; `more` means in the direction of the page. */
export type PageOutcome =
  | { readonly kind: "page"; readonly events: readonly string[]; readonly more: boolean }
  | Refused;

export interface Door {
  /** Resolves when the message is in the log, or with why it is not known to be. Never rejects. */
  send(input: SendInput): Promise<SendOutcome>;
  /** Resolves, never rejects. */
  page(input: PageInput): Promise<PageOutcome>;
  readonly health: { readonly natsUp: boolean; readonly draining: boolean };
}
