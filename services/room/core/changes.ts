// Changes: what a change of a message, or a reply in its thread, may name.
//
// Owns: the judgement of a write by its target. Does not own: the rights of a role (rights.ts,
// which judges first), the knowledge of targets (message-targets.ts).
//
//   changes.1. A number that belongs to no message gets `not_found`, and so does a thread of a
//       message that is itself in a thread.
//   changes.2. A deleted message gets `conflict`: nothing of it changes any more. This comes before
//       the thread of changes.1, because an owner that read only the deletion does not know whether
//       the message was in a thread (message-targets.2).
//   changes.3. Only its author edits a message, within the `editWindow` of the room. Its author and
//       a moderator delete it, and with a token with `admin` every user in every room.

import { unreachable } from "#shared/kit/assert.ts";
import type { ChangeCommand, ChangeOp, SendCommand, Write } from "#shared/protocol/commands.ts";
import type { RoomSettings } from "#shared/protocol/events.ts";
import type { TargetMessage } from "#shared/protocol/history.ts";
import type { Millis } from "#shared/protocol/ids.ts";
import type { Role, RoomKind } from "#shared/protocol/roles.ts";
import { mayDo } from "./rights.ts";

export type ChangeRefusal = "not_found" | "conflict" | "forbidden";

/** The writes that have a target. */
export type TargetedWrite = ChangeCommand | SendCommand;

/** What the judgement needs beside the target. */
export interface Standing {
  readonly kind: RoomKind;
  /** The effective role of the sender. */
  readonly role: Role;
  /** The sender's token has `admin`. */
  readonly isAdmin: boolean;
  readonly settings: RoomSettings;
  readonly now: Millis;
}

const CHANGES: { readonly [Op in ChangeOp]: true } = {
  edit: true,
  delete: true,
  react: true,
  pin: true,
};

export function isTargeted(write: Write): write is TargetedWrite {
  return write.op === "send" || Object.hasOwn(CHANGES, write.op);
}

/** The refusal of a write that its sender's role permits, or undefined. */
export function judgeTarget(
  { kind, role, isAdmin, settings, now }: Standing,
  write: TargetedWrite,
  target: TargetMessage | "none",
): ChangeRefusal | undefined {
  if (target === "none") return "not_found";
  if (target.isDeleted === true) return "conflict"; // changes.2
  if (write.op === "send" && target.thread !== undefined) return "not_found"; // changes.1
  const isOwn = target.from === write.from;
  switch (write.op) {
    case "edit":
      return isOwn && isInTime(target, settings, now) ? undefined : "forbidden";
    case "delete":
      return isOwn || isAdmin || mayDo("delete", kind, role) ? undefined : "forbidden";
    case "send":
    case "react":
    case "pin":
      return undefined;
    default:
      return unreachable(write);
  }
}

/** An archive of an older version does not say when the message was sent: then it is too late. */
function isInTime({ at }: TargetMessage, { editWindow }: RoomSettings, now: Millis): boolean {
  if (editWindow === undefined) return true;
  return at !== undefined && now - at <= editWindow * 1_000;
}
