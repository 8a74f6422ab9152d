// RoomApi port: sends and reads of a room for a caller without a session, such as an HTTP request.
//
// Each call resolves and never rejects: a failure is a row of the error table.

import type { WriteFrame } from "#shared/protocol/commands.ts";
import type { ListedInvite, ListedMember, RoomAbout } from "#shared/protocol/results.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { Millis, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { Grant } from "#shared/protocol/roles.ts";

export interface Refused {
  readonly kind: "refused";
  readonly error: ErrorName;
  readonly afterMs?: number;
}

/** A client's frame and the user who sent it. */
export interface ClientWrite {
  readonly user: UserId;
  /** What the user's token gives in the room. */
  readonly grant?: Grant | undefined;
  readonly frame: WriteFrame;
}

/**
 * At most one of `before` and `after` is set. With neither, the page is the newest `limit` events.
 */
export interface PageInput {
  /** The user who requests the page. */
  readonly user: UserId;
  readonly grant?: Grant | undefined;
  readonly room: RoomId;
  readonly before?: Seq | undefined;
  readonly after?: Seq | undefined;
  readonly limit: number;
  /** `messages`: the messages as they are now, in place of all events. */
  readonly view?: "events" | "messages" | undefined;
  /** The replies in the thread with this root, for the view `messages`. */
  readonly thread?: Seq | undefined;
  /** The pinned messages, for the view `messages`. */
  readonly pinned?: true | undefined;
  /**
   * A number that is known to be stored. The head is then not requested, and the page may reach it.
   */
  readonly known?: Seq;
}

export type WriteOutcome =
  | {
      readonly kind: "sent";
      readonly seq: Seq;
      readonly at: Millis;
      /** The id was known: the stored message may differ (H8). */
      readonly repeat?: true;
    }
  | Refused;

/** The numbers that a page of messages covers, and the event as of which it shows them. */
export interface Covered {
  readonly first: Seq;
  readonly last: Seq;
  readonly asOf: Seq;
}

/** `events` are lines of JSON, ascending by seq. `more` refers to the direction of the page. */
export type PageOutcome =
  | {
      readonly kind: "page";
      readonly events: readonly string[];
      readonly more: boolean;
      /** For the view `messages`. */
      readonly covered?: Covered;
    }
  | Refused;

/** A user who asks for what the owner knows of a room. */
export interface RoomReader {
  readonly user: UserId;
  readonly grant?: Grant | undefined;
  readonly room: RoomId;
}

export type AboutOutcome = { readonly kind: "about"; readonly about: RoomAbout } | Refused;
export type MembersOutcome =
  | { readonly kind: "members"; readonly members: readonly ListedMember[]; readonly more: boolean }
  | Refused;

export type InvitesOutcome =
  | { readonly kind: "invites"; readonly invites: readonly ListedInvite[] }
  | Refused;

export interface RoomApi {
  /** The next events of a room that an administrator imports. Resolves, never rejects. */
  importEvents(
    reader: RoomReader,
    part: { readonly born: string; readonly events: readonly RoomEvent[] },
  ): Promise<WriteOutcome>;
  /**
   * Resolves when the message is in the log, or with the refusal. Never rejects. The write has no
   * order with other writes (O4).
   */
  write(write: ClientWrite): Promise<WriteOutcome>;
  /** Resolves, never rejects. */
  page(input: PageInput): Promise<PageOutcome>;
  /** Resolves, never rejects. */
  about(reader: RoomReader): Promise<AboutOutcome>;
  /** The members behind `after`, at most `limit`. Resolves, never rejects. */
  members(
    reader: RoomReader,
    page: { readonly after?: UserId | undefined; readonly limit: number },
  ): Promise<MembersOutcome>;
  /** The invites that were not revoked and not used up. Resolves, never rejects. */
  invites(reader: RoomReader): Promise<InvitesOutcome>;
  readonly health: {
    readonly natsUp: boolean;
    /** No new socket is accepted. */
    readonly draining: boolean;
    /** The reason is that the region of this gateway may not serve. */
    readonly away?: boolean;
  };
}
