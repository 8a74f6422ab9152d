// Offers: which changes of a message `parley chat` offers, and why not the others. Pure.
//
// Owns: the sentences of this terminal. Does not own: the rights (client/web/store/room-rights.ts).
//
//   offers.1. It offers what the web client offers at the message (C3): what the room takes from
//        the user now, as far as this client knows the room.

import { unreachable } from "#shared/kit/assert.ts";
import type { MessageRights, RoomBar } from "../../web/store/room-rights.ts";
import type { ShownMessage } from "../../sdk/timeline/shown-message.ts";
import { timeOf } from "./rows.ts";

/** The keys of the changes, in the order of the hint. */
export const CHANGES = {
  r: "reply",
  t: "thread",
  "+": "react",
  e: "edit",
  d: "delete",
  p: "pin",
} as const;

export type ChangeKey = keyof typeof CHANGES;

/** What the room takes from the user, as it is known now. */
export interface Standing {
  readonly me: string | undefined;
  readonly rights: MessageRights;
  readonly bar: RoomBar | undefined;
  /** The end of the user's mute, in ms since 1970. */
  readonly mutedUntil: number;
  /** How long the author may still edit a message that was sent at this time, in ms. */
  readonly editMs: (at: number) => number;
}

export const LATE = "The time to edit this message is over.";
const READ_ONLY = "Your role in this room does not permit this.";

/** Why the user cannot write in the room now; undefined: the user can. */
export function barText({ bar, mutedUntil }: Standing): string | undefined {
  switch (bar) {
    case undefined:
      return undefined;
    case "archived":
      return "This room is archived. Nothing more can be sent to it.";
    case "role":
      return "Your role in this room does not permit you to write.";
    case "muted":
      return `You are muted until ${momentOf(mutedUntil)}.`;
    case "blocked":
      return "This user does not take messages from you.";
    case "left":
      return "You cannot write here, because you are not in this room.";
  }
  return unreachable(bar);
}

/** Why the change is not offered; undefined: it is. */
export function refusalOf(
  key: ChangeKey,
  message: ShownMessage,
  standing: Standing,
): string | undefined {
  const { me, rights } = standing;
  const isOwn = message.from === me;
  const unless = (is: boolean): string | undefined =>
    is ? undefined : (barText(standing) ?? READ_ONLY);
  if (key === "t") return unless(rights.write || (message.state?.replies ?? 0) > 0);
  if (message.deleted !== undefined) return "This message was deleted.";
  switch (key) {
    case "r":
      return unless(rights.write);
    case "+":
      return unless(rights.react);
    case "e":
      if (!isOwn || !isText(message)) return "Only an own message can be edited.";
      if (!rights.write) return unless(false);
      return standing.editMs(message.at) < 0 ? LATE : undefined;
    case "d":
      return unless(isOwn ? rights.takeBack : rights.delete);
    case "p":
      return unless(rights.pin);
  }
  return unreachable(key);
}

export function isText({ deleted, body }: ShownMessage): boolean {
  return deleted === undefined && typeof body["text"] === "string";
}

/** With the day, when it is not today. */
function momentOf(at: number): string {
  const day = new Date(at).toDateString();
  return day === new Date().toDateString() ? timeOf(at) : `${day}, ${timeOf(at)}`;
}
