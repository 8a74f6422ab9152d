// ClientPort: the part of client/sdk that the store uses.
//
// `Parley` and `RoomHandle` implement it; tests use a fake. The store relies on these rules:
//
//   client-port.1. "event" delivers every event of a room once and in order (K3). Pages of
//        `history` go only to their caller and never arrive as events.
//   client-port.2. A write (`send`, `edit`, `update`, …) never throws for a valid room. `done`
//        always resolves, also when the connection is lost.
//   client-port.3. `history` and `rooms` can reject (no connection). The caller shows it and can
//        retry.

import type { ResumedSend } from "#client/sdk/timeline/room-timeline.ts";
import type { SendOutcome } from "#client/sdk/timeline/timeline.ts";
import type { UploadedFile } from "#shared/protocol/attachments.ts";
import type { Body, RoomEvent } from "#shared/protocol/events.ts";
import type { Note } from "#shared/protocol/note.ts";
import type { MemberRole, Role } from "#shared/protocol/roles.ts";
import type { RoomsPage } from "#shared/protocol/room-list.ts";
import type { LeftReason } from "#shared/protocol/server-frames.ts";

export type ConnectionState = "idle" | "connecting" | "online" | "waiting" | "closed";
export type RoomStatus = "joining" | "catching-up" | "live" | "left";

export interface HistoryPage {
  readonly events: readonly RoomEvent[];
  readonly more: boolean;
  /** With the view `messages`: the numbers that the page covers, as of the event `asOf`. */
  readonly first?: number;
  readonly last?: number;
  readonly asOf?: number;
}

export interface HistoryQuery {
  readonly before?: number;
  readonly after?: number;
  readonly limit: number;
  readonly view?: "events" | "messages";
  readonly thread?: number;
}

/** A write that was passed to the SDK. */
export interface Outgoing {
  readonly id: string;
  readonly done: Promise<SendOutcome>;
}

export interface SendOptions {
  readonly id?: string | undefined;
  readonly replyTo?: number | undefined;
  readonly thread?: number | undefined;
  readonly mentions?: readonly string[] | "@room" | undefined;
  readonly attachments?: readonly UploadedFile[] | undefined;
}

export interface EditOptions {
  /** Whom the message mentions from here on; `[]` ends its mentions. Default: they stay. */
  readonly mentions?: readonly string[] | "@room" | undefined;
}

/** Everything that a room stores of a user. */
export interface Standing {
  readonly role: Role;
  readonly mutedUntil?: number;
  readonly banned?: boolean;
  readonly reason?: string;
}

/** The settings that a dialog changes. */
export interface RoomChange {
  readonly title?: string;
  readonly topic?: string;
  readonly sendRole?: MemberRole;
  readonly archived?: boolean;
  readonly slowMode?: number;
  readonly editWindow?: number;
}

export interface InviteTerms {
  readonly role?: "reader" | "member";
  /** In seconds. */
  readonly ttl?: number;
  readonly uses?: number;
}

/** `token` is for a link; `id` revokes it. */
export interface Invited extends Outgoing {
  readonly token: string;
}

export interface NewRoom {
  readonly kind: "open" | "closed";
  readonly title?: string;
  readonly topic?: string;
}

export type Unsubscribe = () => void;

export interface ChatRoom {
  readonly room: string;
  readonly status: RoomStatus;
  /** The last known sequence number of the room. */
  readonly head: number;
  readonly here: number;
  readonly users: ReadonlySet<string>;
  /** All events from the begin of the join up to this sequence number were delivered. */
  readonly completeThrough: number;
  send(body: { readonly text: string }, options?: SendOptions): Outgoing;
  edit(target: number, body: { readonly text: string }, options?: EditOptions): Outgoing;
  delete(target: number): Outgoing;
  react(target: number, emoji: string, on: boolean): Outgoing;
  pin(target: number, on: boolean): Outgoing;
  setMember(user: string, standing: Standing): Outgoing;
  update(change: RoomChange): Outgoing;
  createInvite(terms: InviteTerms): Invited;
  revokeInvite(id: string): Outgoing;
  typing(on: boolean): void;
  /** The user has read the room up to `seq`. It ends the unread count on every device. */
  markRead(seq: number): void;
  history(query: HistoryQuery): Promise<HistoryPage>;
  on(event: "event", handler: (event: RoomEvent) => void): Unsubscribe;
  on(event: "typing", handler: (change: { user: string; on: boolean }) => void): Unsubscribe;
  on(event: "read", handler: (change: { user: string; seq: number }) => void): Unsubscribe;
  on(event: "presence" | "status" | "reset", handler: () => void): Unsubscribe;
  on(event: "resumed", handler: (sending: ResumedSend) => void): Unsubscribe;
  /** The user lost the right to read the room. */
  on(event: "removed", handler: (removed: { reason: LeftReason }) => void): Unsubscribe;
  leave(): void;
}

/** A failure that belongs to no call. */
export interface Fault {
  /** A name of the table of errors. */
  readonly name: string;
  /** Set when it concerns only this room. */
  readonly room?: string;
}

/** A message without an outcome. */
export interface UnsentSend {
  readonly id: string;
  readonly room: string;
  readonly body: Body;
  readonly attachments?: readonly UploadedFile[] | undefined;
  /** When it was sent first, in ms since 1970. */
  readonly at: number;
}

export interface ChatClient {
  readonly state: ConnectionState;
  readonly user: string | undefined;
  /** The session of the latest welcome. */
  readonly sessionId: string | undefined;
  /** The code of the latest close by the other side. */
  readonly closeCode: number | undefined;
  /** When the next attempt begins, in ms since 1970, while `state` is "waiting". */
  readonly retryAt: number | undefined;
  /** The messages of joined rooms without an outcome, also those of an earlier visit. */
  readonly unsent: readonly UnsentSend[];
  connect(): void;
  close(): void;
  on(event: "state" | "unsent", handler: () => void): Unsubscribe;
  on(event: "error", handler: (fault: Fault) => void): Unsubscribe;
  /** A hint that something concerns the user in a room. It can be lost. */
  on(event: "note", handler: (note: Note) => void): Unsubscribe;
  /** The rooms whose member the user is, newest activity first. */
  rooms(range: { readonly after?: string; readonly limit?: number }): Promise<RoomsPage>;
  createRoom(room: string, options: NewRoom): Outgoing;
  createDirectRoom(self: string, user: string): Outgoing;
  /** Enters a closed room with the token of an invite. */
  enter(token: string): Outgoing;
  join(room: string, options?: { readonly tail?: number }): ChatRoom;
}
