// Commands: what a gateway asks of the owner of a partition, and how each command behaves on its
// way.
//
// A lane publishes commands on `cmd.<p>` (command-batch.ts); the owner publishes results on
// `gw.<gateway>` (results.ts). A command has one of four kinds. A write adds one event to its room.
// A query changes nothing in the log. A sync announces all members of a gateway in some rooms. An
// import adds events of an administrator's file to a new room. Owns: the types, the table COMMANDS.
// Does not own: the codec, results, retries (lane.ts), decisions (services/room/core/writes.ts and
// queries.ts).
//
//   commands.1. `c` numbers a command uniquely for one run of a gateway. A resend carries the
//        same `c`.
//   commands.2. An owner accepts batch `n` of a lane incarnation only after batch n-1 of it.
//        Batch 1 of a newer incarnation begins that incarnation. The owner answers any other batch
//        with `resync` and changes nothing.
//   commands.3. An owner returns exactly one result for each command that it accepts, unless
//        its tenure ends first.
//   commands.4. Incarnations are serial numbers on a circle: a newer one is at most half the
//        circle ahead, so every incarnation has a next one. The owner answers a batch of an older
//        incarnation with `resync` and with the newest one as `above`. A gateway that is past that
//        incarnation ignores the answer. A gateway that is still in it begins a new incarnation
//        after `above`.
//   commands.5. Every op has its row in COMMANDS. An op without a row does not compile.
//   commands.6. No command has the secret of an invite. `writeOf` puts its hash in its place.
//   commands.7. No command has the proof of an uploaded file. The gateway has checked it, and
//        `until` is the first end of them.

import { attachmentOf } from "./attachments.ts";
import type { Attachment, UploadedFile } from "./attachments.ts";
import type { ClientFrame, ClientFrameOf } from "./client-frames.ts";
import type { RoomEvent, RoomSettings } from "./events.ts";
import { eventOfEntry, eventOfInvite, eventOfRevoke } from "./invite-events.ts";
import type { Entry } from "./invite-events.ts";
import type { Millis, ProcessId, RoomId, Seq, UserId } from "./ids.ts";
import type { Grant } from "./roles.ts";
import { eventOfMember, eventOfUpdate, eventsOfCreate } from "./state-events.ts";
import type { Place } from "./state-events.ts";

export const COMMAND_VERSION = 1;

/** The client frames that are writes. A command has the name of its frame. */
export type WriteOp = "send" | ChangeOp | "create" | "member" | "update" | InviteOp;
/** The writes that make, end and use an invite. */
export type InviteOp = "invite" | "revoke" | "enter";
/** The writes that change a message. */
export type ChangeOp = "edit" | "delete" | "react" | "pin";

/**
 * A client's frame with its sender. The client's own trace context and the secret of an invite do
 * not leave the gateway.
 */
export type WriteOf<Op extends WriteOp> = Content<ClientFrameOf<Op>> & {
  readonly c: number;
  readonly op: Op;
  readonly from: UserId;
  /** What the sender's token gives in this room. */
  readonly grant?: Grant | undefined;
  /** The gateway's W3C trace context, when the write is traced (E3). */
  readonly trace?: string | undefined;
  /**
   * The owner gives it no new number, which would be behind the number of a later write (O4). A
   * lane sets it on a resend when a later write of the same order has its number.
   */
  readonly late?: true;
  /**
   * It came over HTTP and has no order with other writes (O4). A gateway of an older version does
   * not set it, and an older owner ignores it.
   */
  readonly unordered?: true | undefined;
};
type Content<Frame> = Omit<Frame, "t" | "trace" | "secret" | "attachments"> &
  HashOf<Frame> &
  FilesOf<Frame>;
/** commands.6. */
type HashOf<Frame> = Frame extends { readonly secret: string }
  ? { readonly hash: string }
  : unknown;
/** commands.7. */
type FilesOf<Frame> = Frame extends { readonly attachments?: unknown }
  ? {
      readonly attachments?: readonly Attachment[] | undefined;
      /** The owner gives the message no new number after it. */
      readonly until?: Millis | undefined;
    }
  : unknown;
export type SendCommand = WriteOf<"send">;
export type ChangeCommand = { [Op in ChangeOp]: WriteOf<Op> }[ChangeOp];
export type CreateCommand = WriteOf<"create">;
export type MemberCommand = WriteOf<"member">;
export type UpdateCommand = WriteOf<"update">;
export type EnterCommand = WriteOf<"enter">;
export type Write = { [Op in WriteOp]: WriteOf<Op> }[WriteOp];

/** A session of `user` joins. The result has the head and the birth. */
export interface JoinCommand {
  readonly c: number;
  readonly op: "join";
  readonly room: RoomId;
  readonly user: UserId;
  readonly grant?: Grant | undefined;
}
/** The last local session of `user` left. */
export interface LeaveCommand {
  readonly c: number;
  readonly op: "leave";
  readonly room: RoomId;
  readonly user: UserId;
}
/** The head alone, for a page of `user`. */
export interface HeadCommand {
  readonly c: number;
  readonly op: "head";
  readonly room: RoomId;
  /** Undefined in a command of an older gateway: it gets the head of an open room only. */
  readonly user?: UserId | undefined;
  readonly grant?: Grant | undefined;
}
/** The settings of a room, and the role of `user` in it. */
export interface AboutCommand {
  readonly c: number;
  readonly op: "about";
  readonly room: RoomId;
  readonly user: UserId;
  readonly grant?: Grant | undefined;
}
/** The stored members behind `after`, by user id. */
export interface MembersCommand {
  readonly c: number;
  readonly op: "members";
  readonly room: RoomId;
  readonly user: UserId;
  readonly grant?: Grant | undefined;
  readonly after?: UserId | undefined;
  readonly limit: number;
}
/** The invites in force, for a user who may make them. */
export interface InvitesCommand {
  readonly c: number;
  readonly op: "invites";
  readonly room: RoomId;
  readonly user: UserId;
  readonly grant?: Grant | undefined;
}
/**
 * Events `first` to `last` of a room. The owner returns the part from `first` that it has in
 * memory. The gateway may share the lines: each reader's right was judged with its `join` or
 * `head`.
 */
export interface RangeCommand {
  readonly c: number;
  readonly op: "range";
  readonly room: RoomId;
  readonly first: Seq;
  readonly last: Seq;
}
/** A query that the owner answers only to a user who may read the room. */
export type ReadQuery = JoinCommand | HeadCommand | AboutCommand | MembersCommand | InvitesCommand;
export type Query = ReadQuery | LeaveCommand | RangeCommand;

/** The next events of a room that is imported (services/room/core/imports.ts). */
export interface ImportCommand {
  readonly c: number;
  readonly op: "import";
  readonly room: RoomId;
  readonly user: UserId;
  readonly grant?: Grant | undefined;
  /** The id of event 1. */
  readonly born: string;
  readonly events: readonly RoomEvent[];
}

/** All local members of the named rooms. Replaces what this gateway announced of them before. */
export interface SyncCommand {
  readonly c: number;
  readonly op: "sync";
  /** [room, the last seq this gateway has, the users with a local session, their grants if any] */
  readonly rooms: readonly (readonly [RoomId, Seq, readonly UserId[], SyncGrants?])[];
}
export type Sync = SyncCommand;
export type SyncGrants = readonly (readonly [UserId, Grant])[];

export type Command = Write | Query | Sync | ImportCommand;
type Op = Command["op"];
type CommandOf<O extends Op> = Extract<Command, { op: O }>;

/** A command before the lane gives it its number. */
export type Unnumbered<C> = C extends Command ? Omit<C, "c"> : never;

/** How a command behaves between the client and the log. */
interface Behaviour<C extends Command> {
  readonly kind: "write" | "query" | "sync" | "import";
  /** The user on whose behalf it runs. Undefined: it runs on behalf of the gateway. */
  readonly user: (command: Unnumbered<C>) => UserId | undefined;
  /**
   * The ordering key. The owner decides commands with the same key in the order in which the client
   * first sent them. "": the command has no order.
   */
  readonly order: (command: Unnumbered<C>) => string;
  /**
   * "deduped": the owner recognises a copy by its id, so a temporary error about one of several
   * copies leaves the outcome uncertain. "repeatable": each copy stands alone.
   */
  readonly retry: "deduped" | "repeatable";
  /** "spans": the gateway and the owner record spans for a sampled command. */
  readonly trace: "spans" | "none";
  /** False: a full queue admits the command, and a lane that gives it up announces a sync. */
  readonly isRefusable: boolean;
}

interface WriteBehaviour<W extends Command> extends Behaviour<W> {
  readonly kind: "write";
  /** The write while the owner holds it behind a load, a look-up or a refused write (O4, P21). */
  readonly hold: {
    /** The part that counts against the memory of waiting commands. */
    readonly content: (write: W) => object;
    /** The write without its content. It waits in this form for a certain refusal. */
    readonly empty: (write: W) => W;
  };
  /** The number of the earlier event that it refers to. The owner refuses an unknown number. */
  readonly refersTo: (write: W) => Seq | undefined;
  /**
   * The message that it changes, or whose thread it continues. The owner knows the message before
   * it decides, from memory or from the archive.
   */
  readonly target: (write: W) => Seq | undefined;
  /**
   * Whether only a session that has joined the room may send it. Only then it has a place in the
   * order of the session's sends there.
   */
  readonly needsJoin: boolean;
  /**
   * The events that it becomes, the first of them at `place`. `settings`: those in force; `entry`:
   * what the invite of an `enter` gives.
   */
  readonly events: (
    write: W,
    place: Place,
    settings: RoomSettings,
    entry?: Entry,
  ) => readonly RoomEvent[];
}

const UNORDERED = { order: () => "", retry: "repeatable", trace: "none" } as const;
const QUERY = { kind: "query", ...UNORDERED, isRefusable: true } as const;

/**
 * The writes of one sender to one room keep their order, but for those over HTTP. A room id has no
 * space.
 */
function senderInRoom({
  room,
  from,
  unordered,
}: Pick<WriteOf<WriteOp>, "room" | "from" | "unordered">): string {
  return unordered === true ? "" : `${room} ${from}`;
}

/** The rows of the writes that change the room itself. */
const CHANGE = {
  kind: "write",
  user: ({ from }: { readonly from: UserId }) => from,
  order: senderInRoom,
  retry: "deduped",
  trace: "spans",
  isRefusable: true,
  refersTo: () => undefined,
  target: () => undefined,
  needsJoin: false,
} as const;

/** The rows of the writes that change a message. They work without a join, as over HTTP. */
const CHANGE_OF_MESSAGE = {
  ...CHANGE,
  target: ({ target }: { readonly target: Seq }) => target,
} as const;
const NOTHING_TO_HOLD = { content: () => ({}), empty: <W>(write: W): W => write } as const;

export const COMMANDS: {
  readonly [O in Op]: O extends WriteOp ? WriteBehaviour<CommandOf<O>> : Behaviour<CommandOf<O>>;
} = {
  send: {
    kind: "write",
    user: ({ from }) => from,
    order: senderInRoom,
    retry: "deduped",
    hold: {
      content: ({ body, mentions, attachments }) =>
        mentions === undefined && attachments === undefined
          ? body
          : { body, mentions, attachments },
      empty: ({ mentions: _mentions, attachments: _attachments, ...write }) => ({
        ...write,
        body: {},
      }),
    },
    trace: "spans",
    isRefusable: true,
    refersTo: ({ replyTo }) => replyTo,
    target: ({ thread }) => thread,
    needsJoin: true,
    events: ({ room, id, from, body, replyTo, thread, mentions, attachments }, { seq, at }) => [
      { t: "msg", room, seq, id, from, at, body, replyTo, thread, mentions, attachments },
    ],
  },
  edit: {
    ...CHANGE_OF_MESSAGE,
    hold: {
      content: ({ body, mentions }) => (mentions === undefined ? body : { body, mentions }),
      empty: ({ mentions: _mentions, ...write }) => ({ ...write, body: {} }),
    },
    events: ({ room, id, from, target, body, mentions }, { seq, at }) => [
      { t: "edited", room, seq, id, from, at, target, body, mentions },
    ],
  },
  delete: {
    ...CHANGE_OF_MESSAGE,
    hold: {
      content: ({ reason = "" }) => ({ reason }),
      empty: ({ reason: _reason, ...write }) => write,
    },
    events: ({ room, id, from, target, reason }, { seq, at }) => [
      { t: "deleted", room, seq, id, from, at, target, reason },
    ],
  },
  react: {
    ...CHANGE_OF_MESSAGE,
    hold: NOTHING_TO_HOLD,
    events: ({ room, id, from, target, emoji, on }, { seq, at }) => [
      { t: "reacted", room, seq, id, from, at, target, emoji, on },
    ],
  },
  pin: {
    ...CHANGE_OF_MESSAGE,
    hold: NOTHING_TO_HOLD,
    events: ({ room, id, from, target, on }, { seq, at }) => [
      { t: "pinned", room, seq, id, from, at, target, on },
    ],
  },
  create: {
    ...CHANGE,
    hold: {
      content: ({ members = [], title, topic, avatar }) => ({ members, title, topic, avatar }),
      empty: ({ members: _members, title: _title, topic: _topic, avatar: _avatar, ...write }) =>
        write,
    },
    events: eventsOfCreate,
  },
  member: {
    ...CHANGE,
    hold: {
      content: ({ reason = "" }) => ({ reason }),
      empty: ({ reason: _reason, ...write }) => write,
    },
    events: (write, place) => [eventOfMember(write, place)],
  },
  update: {
    ...CHANGE,
    hold: {
      content: ({ title, topic, avatar }) => ({ title, topic, avatar }),
      empty: ({ title: _title, topic: _topic, avatar: _avatar, ...write }) => write,
    },
    events: (write, place, settings) => [eventOfUpdate(write, place, settings)],
  },
  invite: {
    ...CHANGE,
    hold: NOTHING_TO_HOLD,
    events: (write, place) => [eventOfInvite(write, place)],
  },
  revoke: {
    ...CHANGE,
    hold: NOTHING_TO_HOLD,
    events: (write, place) => [eventOfRevoke(write, place)],
  },
  enter: {
    ...CHANGE,
    hold: NOTHING_TO_HOLD,
    events: (write, place, _settings, entry = { role: "none", use: 0 }) => [
      eventOfEntry(write, place, entry),
    ],
  },
  join: { ...QUERY, user: ({ user }) => user },
  // Memberships bound the number of leaves. Without its leave a user would stay present.
  leave: { ...QUERY, user: ({ user }) => user, isRefusable: false },
  head: { ...QUERY, user: ({ user }) => user },
  about: { ...QUERY, user: ({ user }) => user },
  members: { ...QUERY, user: ({ user }) => user },
  invites: { ...QUERY, user: ({ user }) => user },
  range: { ...QUERY, user: () => undefined },
  sync: { kind: "sync", ...UNORDERED, user: () => undefined, isRefusable: true },
  // A copy that arrives later does not continue the room, and gets `conflict`.
  import: { kind: "import", ...UNORDERED, user: ({ user }) => user, isRefusable: true },
};

/** The row of the command's op. */
export function behaviourOf(write: Write): WriteBehaviour<Write>;
export function behaviourOf(command: Unnumbered<Command>): Behaviour<Command>;
export function behaviourOf({ op }: Unnumbered<Command>): unknown {
  return COMMANDS[op];
}

export function isWrite(command: Command): command is Write {
  return COMMANDS[command.op].kind === "write";
}

export function isSync(command: Command): command is Sync {
  return COMMANDS[command.op].kind === "sync";
}

export function isImport(command: Command): command is ImportCommand {
  return COMMANDS[command.op].kind === "import";
}

/** A client's frame that is a write. */
export type WriteFrame = ClientFrameOf<WriteOp>;
/** A write before it has its room and its id. */
export type WriteContent = { [O in WriteOp]: Omit<ClientFrameOf<O>, "room" | "id"> }[WriteOp];

export function isWriteFrame(frame: ClientFrame): frame is WriteFrame {
  return Object.hasOwn(COMMANDS, frame.t) && COMMANDS[frame.t as Op].kind === "write";
}

/**
 * The command of a client's frame. `trace` is the gateway's own context, `hashOf` hashes the secret
 * of an invite.
 */
export function writeOf(
  {
    t: op,
    trace: _own,
    secret,
    attachments,
    ...content
  }: WriteFrame & {
    readonly secret?: string;
    readonly attachments?: readonly UploadedFile[] | undefined;
  },
  { user: from, grant }: { readonly user: UserId; readonly grant?: Grant | undefined },
  {
    trace,
    hashOf,
    unordered,
  }: {
    readonly trace: string | undefined;
    readonly hashOf: (secret: string) => string;
    readonly unordered?: true | undefined;
  },
): Unnumbered<Write> {
  const hash = secret !== undefined && { hash: hashOf(secret) };
  const files = attachments !== undefined && {
    attachments: attachments.map(attachmentOf),
    until: Math.min(...attachments.map(({ until }) => until)),
  };
  const write: object = { op, from, ...content, ...hash, ...files };
  const more = {
    ...(grant !== undefined && { grant }),
    ...(trace !== undefined && { trace }),
    ...(unordered === true && { unordered }),
  };
  return { ...write, ...more } as Unnumbered<Write>;
}

/** True for the frame of a write that needs a joined room. */
export function needsJoin({ t }: WriteFrame): boolean {
  return COMMANDS[t].needsJoin;
}

export interface CommandBatch {
  readonly v: typeof COMMAND_VERSION;
  readonly gw: ProcessId;
  /** The lane incarnation, from 1 to LANE_INCARNATION_MAX. */
  readonly lane: number;
  readonly n: number;
  readonly commands: readonly Command[];
  /** The numbers of its commands with an op that this version lacks (N6). */
  readonly unknown?: readonly number[];
}
