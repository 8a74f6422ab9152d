// Ports inside the gateway: what the HTTP side and the socket side ask of each other.
//
// RoomApi is how a stateless caller (HTTP) reaches rooms without a session. Authenticator turns a token
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
  /** When the token was made; undefined when it does not say so. */
  readonly issuedAt?: Millis;
  readonly expiresAt: Millis;
}

export type Verification =
  | { readonly kind: "ok"; readonly identity: Identity }
  | { readonly kind: "refused"; readonly error: "unauthorized" | "token_expired" }
  /** It cannot be judged now. */
  | { readonly kind: "refused"; readonly error: "unavailable"; readonly afterMs: number };

export interface Authenticator {
  /** Resolves, never rejects. */
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

/**
 * One client's socket, as the gateway's shell needs it. The WebSocket adapter implements it over a
 * real socket, the simulation over a queue. Nothing here throws; writes after `close` do nothing.
 */
export interface ClientSocket {
  /** The peer's address, for limits per address. */
  readonly address: string;
  /** Bytes that were written and that the kernel has not taken yet. */
  readonly buffered: number;
  /** One text frame. */
  writeText(text: string): void;
  /** A frame made by `FrameMaker.frame`, shared by many sockets; it is never changed after. */
  writeFrame(frame: Uint8Array): void;
  /** Nothing more is read until `resume`; what was read already may still come. */
  pause(): void;
  resume(): void;
  /** Between `hold` and `release`, writes are gathered and leave as one. */
  hold(): void;
  release(): void;
  /** A ping of the transport; any answer counts as activity. */
  ping(): void;
  close(code: number, reason: string): void;
  /** Ends it at once: the peer will see a lost connection. */
  terminate(): void;
}

/** What the shell wants to hear of one socket. */
export interface SocketHandlers {
  onText(text: string): void;
  onBinary(): void;
  /** A ping of the transport; false when it is not to be answered. */
  onPing(): boolean;
  onPong(): void;
  /** Anything was received, pongs included. */
  onActivity(): void;
  /** `buffered` went back to zero after it had been above the transport's own mark. */
  onDrain(): void;
  onClose(): void;
}

/** Makes one transport frame of pieces of text, joined by "\n". */
export interface FrameMaker {
  frame(parts: readonly Uint8Array[]): Uint8Array;
}
