// Room handle: one room as the application sees it. All of it is a view on the core's room; calls
// go to the client that made it.

import type { RoomEvent } from "#shared/protocol/events.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type {
  Page,
  PageRange,
  PresenceChange,
  Reset,
  RoomStatus,
  SendResult,
  TypingChange,
} from "./core/effects.ts";
import type { Listeners } from "./listeners.ts";

/** What a room tells; see `RoomHandle.on`. */
export interface RoomNews {
  /** Every event once, in order, without holes; our own messages as well (`id` tells which). */
  readonly event: RoomEvent;
  readonly presence: PresenceChange;
  readonly typing: TypingChange;
  readonly status: RoomStatus;
  /** Forget what is held of this room: its log was lost, and its numbers begin anew. */
  readonly reset: Reset;
}

/** A message on its way. */
export interface Outgoing {
  readonly id: string;
  /** Resolves once, never rejects. `unavailable` means: nobody knows; the same id is safe. */
  readonly done: Promise<SendResult>;
}

export interface SendOptions {
  readonly replyTo?: number;
  /** A UUIDv7, to repeat a send of an earlier life; by default a new one. */
  readonly id?: string;
  /** A W3C traceparent: with its flag set the message is traced through the cluster. */
  readonly trace?: string;
}

/** What a handle needs of the client; made by Parley. */
export interface RoomLink {
  readonly room: string;
  readonly listeners: Listeners<RoomNews>;
  readonly view: {
    readonly status: RoomStatus;
    readonly head: number;
    readonly completeThrough: number;
    readonly roster: { readonly here: number; readonly users: ReadonlySet<string> };
  };
  hasLeft: boolean;
  send(body: object, options: SendOptions): Outgoing;
  typing(on: boolean): void;
  history(range: PageRange): Promise<Page>;
  leave(): void;
}

/** Why a page could not be had. */
export class HistoryFailed extends Error {
  override readonly name = "HistoryFailed";
  readonly code: ErrorName;

  constructor(code: ErrorName, message: string) {
    super(message);
    this.code = code;
  }
}

export class RoomHandle {
  readonly #link: RoomLink;

  constructor(link: RoomLink) {
    this.#link = link;
  }

  get room(): string {
    return this.#link.room;
  }

  get status(): RoomStatus {
    return this.#link.hasLeft ? "left" : this.#link.view.status;
  }

  /** The newest number known to exist. */
  get head(): number {
    return this.#link.view.head;
  }

  /** Everything from where we began up to this number has been handed over. */
  get completeThrough(): number {
    return this.#link.view.completeThrough;
  }

  /** How many are here; may be more than `users` names. */
  get here(): number {
    return this.#link.view.roster.here;
  }

  get users(): ReadonlySet<string> {
    return this.#link.view.roster.users;
  }

  /** Never throws. Survives reconnects, until it is answered or five minutes have passed. */
  send(
    body: { readonly text: string; readonly [key: string]: unknown },
    options: SendOptions = {},
  ): Outgoing {
    return this.#link.send(body, options);
  }

  /** May be called on every key: it is told to others every two seconds at most. */
  typing(on: boolean): void {
    if (!this.#link.hasLeft) this.#link.typing(on);
  }

  /** Rejects with HistoryFailed. Pages are answers only, they never come as "event". */
  history(range: PageRange): Promise<Page> {
    return this.#link.history(range);
  }

  on<K extends keyof RoomNews>(name: K, handler: (value: RoomNews[K]) => void): () => void {
    return this.#link.listeners.on(name, handler);
  }

  /** Nothing is handed over after this call. Sends that were not written yet are refused. */
  leave(): void {
    if (!this.#link.hasLeft) this.#link.leave();
  }
}
