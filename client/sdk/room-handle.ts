// RoomHandle: one joined room, for the application. It reads the core's room and passes calls to
// the client that created it.

import type { UploadedFile } from "#shared/protocol/attachments.ts";
import type { WriteContent } from "#shared/protocol/commands.ts";
import { ALPHABET } from "#shared/kit/base64url.ts";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { encodeInvite } from "#shared/protocol/invites.ts";
import type { Body, RoomEvent } from "#shared/protocol/events.ts";
import type { MemberRole, Role } from "#shared/protocol/roles.ts";
import type {
  Page,
  PageRange,
  PresenceChange,
  ReadChange,
  Removed,
  Reset,
  RoomStatus,
  SendResult,
  TypingChange,
} from "./core/effects.ts";
import { ParleyError } from "./errors.ts";
import type { Listeners } from "./listeners.ts";
import { waitUntil } from "./waiting.ts";
import type { WaitOptions } from "./waiting.ts";
import { RoomTimeline } from "./timeline/room-timeline.ts";
import type { ShownMessage } from "./timeline/shown-message.ts";

/** The events of `RoomHandle.on`. */
export interface RoomNews {
  /** Every event once and in order, without gaps. Own messages arrive here, too. */
  readonly event: RoomEvent;
  /** Users who joined or left. */
  readonly presence: PresenceChange;
  /** A user who began or stopped to type. */
  readonly typing: TypingChange;
  /** How far a user has read the room. In rooms of more than 200 users it is not announced. */
  readonly read: ReadChange;
  /** The status after each change. */
  readonly status: RoomStatus;
  /**
   * The user lost the right to read the room. No event follows, and the handle is left. A later
   * `join` works when the user is a member again.
   */
  readonly removed: Removed;
  /** A message of an earlier run that is sent again. Those of before are in `resumed`. */
  readonly resumed: Resumed;
  /** The room was recreated: discard everything stored of it. Its numbers name other events now. */
  readonly reset: Reset;
}

/** How `RoomHandle.timeline` shows a room. */
export interface TimelineView {
  /** The most entries; default: 600. Beyond it the far end is dropped; paging loads it again. */
  readonly max?: number;
  /** The messages of one page, 1 to 200; default: 50. */
  readonly pageSize?: number;
  /** The replies to this message, instead of the main line. */
  readonly thread?: number;
  /** `events`: one entry for each event, also of members and settings; default: `messages`. */
  readonly view?: "events" | "messages";
  /** True while the user is at the end, so that the oldest entry may go; default: always. */
  readonly keepEnd?: () => boolean;
}

/** Every message with a number from `first` to `last`, as of the event `asOf`. */
export interface MessagesPage {
  readonly messages: readonly ShownMessage[];
  /** There is more in the direction of the page: `before: first`, or `after: last`. */
  readonly more: boolean;
  readonly first: number;
  readonly last: number;
  readonly asOf: number;
}

/** A message that was passed to `send`. */
export interface Outgoing {
  /** The message id, a UUIDv7. */
  readonly id: string;
  /**
   * Resolves once and never rejects: `{ kind: "acked", seq, at }`, or `{ kind: "refused", error,
   * message }`. With the error `unavailable` the outcome is not known; a retry with the same id is
   * safe.
   */
  readonly done: Promise<SendResult>;
}

/** A message without an outcome, of this run or of an earlier one, with its content. */
export interface Resumed extends Outgoing {
  readonly room: string;
  readonly body: Body;
  readonly replyTo?: number | undefined;
  readonly thread?: number | undefined;
  readonly mentions?: readonly string[] | "@room" | undefined;
  readonly attachments?: readonly UploadedFile[] | undefined;
  /** When it was sent first, in ms since 1970. */
  readonly at: number;
}

export interface SendOptions {
  /** The sequence number of the message that this one answers. */
  readonly replyTo?: number | undefined;
  /** The sequence number of the message of the main line whose thread this one continues. */
  readonly thread?: number | undefined;
  /** The mentioned users, at most 50; or everyone in the room, for moderators. */
  readonly mentions?: readonly string[] | "@room" | undefined;
  /** The files of the message, at most 10, each from `Files.upload` of `@parley/client/files`. */
  readonly attachments?: readonly UploadedFile[] | undefined;
  /** A UUIDv7, to retry a send of an earlier run of the program; default: a new one. */
  readonly id?: string | undefined;
  /** A W3C traceparent. With its sampled flag the message is traced through the cluster. */
  readonly trace?: string;
}

export interface EditOptions {
  /**
   * Whom the message mentions from here on, at most 50 users; or everyone in the room, for
   * moderators. `[]` ends its mentions. Default: they stay.
   */
  readonly mentions?: readonly string[] | "@room" | undefined;
}

/** What a room stores of a user. */
export interface Standing {
  readonly role: Role;
  /** In ms since 1970. The user may not send before. */
  readonly mutedUntil?: number;
  readonly banned?: boolean;
  readonly reason?: string | undefined;
}

/** The terms of an invite. */
export interface InviteTerms {
  /** Default: `member`. */
  readonly role?: "reader" | "member";
  /** In seconds; default: 7 days. */
  readonly ttl?: number;
  /** How many guests enter with it; default: 1. */
  readonly uses?: number;
  /** 22 to 64 characters of base64url; default: a random one. */
  readonly secret?: string;
}

/** An invite that was requested. Its `id` revokes it. */
export interface Invited extends Outgoing {
  /** For a link. Who has it enters with `Parley.enter`. */
  readonly token: string;
}

/** The settings of a room that its moderators and owners can change. "" removes a text. */
export interface RoomChange {
  readonly title?: string;
  readonly topic?: string;
  readonly avatar?: string;
  /** The lowest role that may send. */
  readonly sendRole?: MemberRole;
  readonly archived?: boolean;
  /** Users below moderator wait so many seconds between two messages; 0: they do not. */
  readonly slowMode?: number;
  /** Authors edit a message for so many seconds; 0: always. */
  readonly editWindow?: number;
}

/**
 * The functions of the client that a handle uses; created by Parley.
 *
 * @internal
 */
export interface RoomLink {
  readonly room: string;
  readonly listeners: Listeners<RoomNews>;
  readonly view: {
    readonly status: RoomStatus;
    readonly head: number;
    readonly completeThrough: number;
    readonly born: string | undefined;
    readonly reads: ReadonlyMap<string, number>;
    readonly roster: { readonly here: number; readonly users: ReadonlySet<string> };
  };
  hasLeft: boolean;
  /** The user id of the client; undefined before the first welcome. */
  readonly user: () => string | undefined;
  /** In ms since 1970. */
  readonly now: () => number;
  /** `id`: a UUIDv7; a new one by default. */
  write(content: WriteContent, id?: string): Outgoing;
  typing(on: boolean): void;
  read(seq: number): void;
  history(range: PageRange, signal?: AbortSignal): Promise<Page>;
  readonly resumed: () => readonly Resumed[];
  leave(): void;
}

/** One joined room. Parley.join returns it; it survives reconnects until `leave`. */
type SentContent = Extract<WriteContent, { readonly t: "send" }>;
type EditContent = Extract<WriteContent, { readonly t: "edit" }>;

export class RoomHandle {
  readonly #link: RoomLink;

  /** @internal `Parley.join` creates it. */
  constructor(link: RoomLink) {
    this.#link = link;
  }

  /** The room id. */
  get room(): string {
    return this.#link.room;
  }

  /** "live" when all events up to the head were delivered. */
  get status(): RoomStatus {
    return this.#link.hasLeft ? "left" : this.#link.view.status;
  }

  /** The last known sequence number of the room. */
  get head(): number {
    return this.#link.view.head;
  }

  /** All events from the begin of delivery up to this sequence number were delivered. */
  get completeThrough(): number {
    return this.#link.view.completeThrough;
  }

  /**
   * The birth of the room, "" while it has no event. Keep it beside a stored cursor, and pass it to
   * `join`. Undefined before the first join is answered.
   */
  get born(): string | undefined {
    return this.#link.view.born;
  }

  /** The number of users in the room; can be more than `users` has. */
  get here(): number {
    return this.#link.view.roster.here;
  }

  /** The users in the room; empty above 200 users. */
  get users(): ReadonlySet<string> {
    return this.#link.view.roster.users;
  }

  /**
   * Sends a message. Never throws. The SDK resends it after reconnects, until it has an answer or
   * five minutes have passed. `await room.send({ text }).done` returns its sequence number.
   */
  send(
    body: { readonly text: string; readonly [key: string]: unknown },
    { id, replyTo, thread, mentions, attachments, trace }: SendOptions = {},
  ): Outgoing {
    // Only these: a further field of the options must not reach the frame.
    const content = { t: "send", body, replyTo, thread, mentions, attachments, trace };
    return this.#link.write(content as SentContent, id);
  }

  /** Replaces the body of an own message, and its mentions when the options name some. */
  edit(
    target: number,
    body: { readonly text: string; readonly [key: string]: unknown },
    options?: EditOptions,
  ): Outgoing {
    const content = { t: "edit", target, body, mentions: options?.mentions };
    return this.#link.write(content as EditContent);
  }

  /** Deletes a message: its text is erased everywhere. */
  delete(target: number, reason?: string): Outgoing {
    return this.#link.write({ t: "delete", target, reason });
  }

  /** Reacts to a message with one emoji, or takes the reaction back. */
  react(target: number, emoji: string, on = true): Outgoing {
    return this.#link.write({ t: "react", target, emoji, on });
  }

  /** Pins a message to the room, or unpins it. */
  pin(target: number, on = true): Outgoing {
    return this.#link.write({ t: "pin", target, on });
  }

  /** Invites a user, or changes the role of one. */
  invite(user: string, role: MemberRole = "member"): Outgoing {
    return this.setMember(user, { role });
  }

  /** Makes an invite to a closed room. The room stores only the hash of its secret. */
  createInvite({ secret = randomSecret(), ...terms }: InviteTerms = {}): Invited {
    const outgoing = this.#link.write({ t: "invite", secret, ...terms });
    const place = { room: this.room as RoomId, invite: outgoing.id as MessageId };
    return { ...outgoing, token: encodeInvite({ ...place, secret }) };
  }

  /** Ends an invite. Who has entered with it stays. */
  revokeInvite(id: string): Outgoing {
    return this.#link.write({ t: "revoke", invite: id as MessageId });
  }

  /** Ends the membership of a user. In a closed room the user reads nothing more of it. */
  remove(user: string, reason?: string): Outgoing {
    return this.setMember(user, { role: "none", reason });
  }

  /** Takes every right in the room from a user, also in an open room, until `invite`. */
  ban(user: string, reason?: string): Outgoing {
    return this.setMember(user, { role: "none", banned: true, reason });
  }

  /** Replaces everything that the room stores of a user. */
  setMember(user: string, standing: Standing): Outgoing {
    return this.#link.write({ t: "member", user: user as UserId, ...standing });
  }

  /** Changes the settings of the room. What `change` does not name stays. */
  update(change: RoomChange): Outgoing {
    return this.#link.write({ t: "update", ...change });
  }

  /**
   * Signals that the user types. Call it for every key: it sends at most one frame in two seconds.
   */
  typing(on: boolean): void {
    if (!this.#link.hasLeft) this.#link.typing(on);
  }

  /**
   * Says that the user has read the room up to `seq`, by default everything that was delivered.
   * Call it as often as it changes: it sends at most one frame a second. It ends the unread count
   * of a member.
   */
  markRead(seq: number = this.completeThrough): void {
    if (!this.#link.hasLeft && seq >= 1) this.#link.read(seq);
  }

  /** How far the users have read the room, as far as this client received it. */
  get reads(): ReadonlyMap<string, number> {
    return this.#link.view.reads;
  }

  /** Reads one page. Rejects with HistoryFailed. Events of a page are not emitted as "event". */
  history(range: PageRange, { signal }: WaitOptions = {}): Promise<Page> {
    return this.#link.history(range, signal);
  }

  /**
   * Reads one page of messages as they are now, each with its `state`, of the main line or of one
   * thread. It shows them as of the event `asOf`: apply the events above it. Rejects with
   * HistoryFailed.
   */
  async messages(
    range: Omit<PageRange, "view">,
    { signal }: WaitOptions = {},
  ): Promise<MessagesPage> {
    const page = await this.#link.history({ ...range, view: "messages" }, signal);
    const { first = 0, last = 0, asOf = 0, events, more } = page;
    return { messages: events as readonly ShownMessage[], more, first, last, asOf };
  }

  /**
   * The messages of the room as they are now, kept current until its `close`: pages, later events
   * folded in, and own messages from the call of `send`. Create it before `connect`, or at any
   * time later.
   */
  timeline(view: TimelineView = {}): RoomTimeline {
    const { user, now } = this.#link;
    return new RoomTimeline(this, { ...view, me: user, now });
  }

  /** Adds a handler. Returns a function that removes it. */
  on<K extends keyof RoomNews>(name: K, handler: (value: RoomNews[K]) => void): () => void {
    return this.#link.listeners.on(name, handler);
  }

  /** Resolves when all events up to the head were delivered. Rejects when the room is left. */
  live({ signal }: WaitOptions = {}): Promise<void> {
    const check = (): boolean => {
      if (this.status === "left") throw new ParleyError("not_joined", "The room was left.");
      return this.status === "live";
    };
    return waitUntil(check, (changed) => this.on("status", changed), signal);
  }

  /** The messages of an earlier run that are sent again now, and have no outcome yet. */
  get resumed(): readonly Resumed[] {
    return this.#link.resumed();
  }

  /** Leaves the room. No event follows. Sends that were not written yet are refused. */
  leave(): void {
    if (!this.#link.hasLeft) this.#link.leave();
  }
}

function randomSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  return Array.from(bytes, (byte) => ALPHABET[byte & 63]).join("");
}
