// The SDK as the store sees it: the part of client/sdk that a chat window needs, and no more.
//
// `Parley` and its `RoomHandle` fit this shape; tests pass a peer of their own. The store relies on:
//
//   client-port.1. "event" hands over every event of a room once and in order (K3). Pages of `history` are
//        answers to their caller only and never come as events.
//   client-port.2. `send` never throws; `done` resolves, never rejects, whatever becomes of the connection.
//   client-port.3. `history` may reject (no connection): the caller says so and may ask again.

import type { RoomEvent } from "#shared/protocol/events.ts";

export type ConnectionState = "idle" | "connecting" | "online" | "waiting" | "closed";
export type RoomStatus = "joining" | "catching-up" | "live" | "left";

export type SendOutcome =
  | { readonly kind: "acked"; readonly seq: number; readonly at: number }
  | { readonly kind: "refused"; readonly error: string; readonly message: string };

export interface HistoryPage {
  readonly events: readonly RoomEvent[];
  readonly more: boolean;
}

export interface HistoryQuery {
  readonly before?: number;
  readonly after?: number;
  readonly limit: number;
}

export type Unsubscribe = () => void;

export interface ChatRoom {
  readonly room: string;
  readonly status: RoomStatus;
  /** The newest number that the server told us of. */
  readonly head: number;
  readonly here: number;
  readonly users: ReadonlySet<string>;
  /** Everything from where we began up to this number has been handed over. */
  readonly completeThrough: number;
  send(
    body: { readonly text: string },
    options?: { readonly id?: string },
  ): { readonly id: string; readonly done: Promise<SendOutcome> };
  typing(on: boolean): void;
  history(query: HistoryQuery): Promise<HistoryPage>;
  on(event: "event", handler: (event: RoomEvent) => void): Unsubscribe;
  on(event: "typing", handler: (who: { user: string; on: boolean }) => void): Unsubscribe;
  on(event: "presence" | "status" | "reset", handler: () => void): Unsubscribe;
  leave(): void;
}

/** What went wrong outside of a call that could say so itself. */
export interface Fault {
  readonly message: string;
  /** Set when it concerns this room alone. */
  readonly room?: string;
}

export interface ChatClient {
  readonly state: ConnectionState;
  readonly user: string | undefined;
  /** When the next attempt begins, while `state` is "waiting". */
  readonly retryAt: number | undefined;
  connect(): void;
  close(): void;
  on(event: "state", handler: () => void): Unsubscribe;
  on(event: "error", handler: (fault: Fault) => void): Unsubscribe;
  join(room: string, options?: { readonly tail?: number }): ChatRoom;
}
