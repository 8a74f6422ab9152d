// ShownMessage: a message as it is now, and the effect of one later event on it.
//
// Owns: the fold of a client. Does not own: which events a client has (timeline.ts). The archive
// folds the same events for its pages (shared/kit/message-fold.ts), with all users of a reaction.
//
//   shown-message.1. A message is never changed, only replaced, so that a view can compare by
//        identity.
//   shown-message.2. An event that has its effect already changes nothing, so a page and an event
//        may overlap. Only a reaction with more users than names is counted from what is known.
//   shown-message.3. A deleted message has an empty body, and no edit, mention, pin or reaction.

import type {
  DeletedEvent,
  Deletion,
  EditedEvent,
  MessageEvent,
  ReactedEvent,
  RoomEvent,
} from "#shared/protocol/events.ts";
import type { Seq } from "#shared/protocol/ids.ts";
import { REACTION_NAMES_MAX } from "#shared/protocol/limits.ts";
import type { ShownState } from "#shared/protocol/server-frames.ts";

/** A message as it is now. A deleted one has an empty body and `deleted`. */
export type ShownMessage = MessageEvent & { readonly state?: ShownState };

type Reactions = NonNullable<ShownState["reactions"]>;

/** The message that the event changes, beside its own; undefined when it changes none. */
export function targetOf(event: RoomEvent): Seq | undefined {
  if (event.t === "msg") return event.thread;
  return "target" in event ? event.target : undefined;
}

/** The message after the event, whose target it is. */
export function applyChange(message: ShownMessage, event: RoomEvent): ShownMessage {
  const { deleted } = event as { readonly deleted?: Deletion };
  // A tombstone has no effect. Of a deleted message only the replies still change.
  const isOver = deleted !== undefined || (message.deleted !== undefined && event.t !== "msg");
  if (isOver) return message;
  switch (event.t) {
    case "msg":
      return reply(message, event.seq);
    case "edited":
      return edit(message, event);
    case "deleted":
      return erase(message, event);
    case "reacted":
      return react(message, event);
    case "pinned":
      return pin(message, event);
    case "invite":
    case "member":
    case "room":
    default:
      return message; // `default`: a kind of a later version.
  }
}

/** The root of a thread after the deletion of one of its replies. */
export function withoutReply(root: ShownMessage): ShownMessage {
  const replies = (root.state?.replies ?? 0) - 1;
  return replies < 0 ? root : withState(root, { ...root.state, replies });
}

function reply(root: ShownMessage, seq: Seq): ShownMessage {
  const { replies = 0, lastReply = 0 } = root.state ?? {};
  if (seq <= lastReply) return root;
  return withState(root, { ...root.state, replies: replies + 1, lastReply: seq });
}

function edit(message: ShownMessage, { seq, at, body, mentions }: EditedEvent): ShownMessage {
  if (seq <= (message.state?.edited?.seq ?? 0)) return message;
  const named = mentions !== undefined && { mentions };
  return withState({ ...message, body, ...named }, { ...message.state, edited: { seq, at } });
}

function erase(message: ShownMessage, { from: by, at, seq }: DeletedEvent): ShownMessage {
  const { replies = 0, lastReply } = message.state ?? {};
  const { mentions: _mentions, attachments: _files, ...rest } = message;
  const erased = { ...rest, body: {}, deleted: { by, at, seq } };
  return withState(erased, lastReply === undefined ? {} : { replies, lastReply });
}

function pin(message: ShownMessage, { seq, on }: { seq: Seq; on: boolean }): ShownMessage {
  const { pinned, ...rest } = message.state ?? {};
  if (pinned === seq) return message;
  if (on) return withState(message, { ...rest, pinned: seq });
  return (pinned ?? Infinity) > seq ? message : withState(message, rest);
}

function react(message: ShownMessage, { emoji, from, on }: ReactedEvent): ShownMessage {
  const reactions = message.state?.reactions ?? [];
  const known = reactions.find((reaction) => reaction.emoji === emoji);
  const after = on ? add(reactions, known, emoji, from) : remove(reactions, known, from);
  if (after === reactions) return message;
  const { reactions: _reactions, ...rest } = message.state ?? {};
  return withState(message, after.length === 0 ? rest : { ...rest, reactions: after });
}

function add(
  reactions: Reactions,
  known: Reactions[number] | undefined,
  emoji: string,
  from: ReactedEvent["from"],
): Reactions {
  if (known === undefined) return [...reactions, { emoji, count: 1, users: [from] }];
  if (known.users.includes(from)) return reactions;
  const hasRoom = known.users.length < REACTION_NAMES_MAX;
  const users = hasRoom ? [...known.users, from] : known.users;
  const more = { emoji, count: known.count + 1, users };
  return reactions.map((reaction) => (reaction === known ? more : reaction));
}

function remove(
  reactions: Reactions,
  known: Reactions[number] | undefined,
  from: ReactedEvent["from"],
): Reactions {
  if (known === undefined) return reactions;
  const isNamed = known.users.includes(from);
  if (!isNamed && known.count <= known.users.length) return reactions; // Everyone is named.
  const users = known.users.filter((user) => user !== from);
  const less = { emoji: known.emoji, count: known.count - 1, users };
  return less.count === 0
    ? reactions.filter((reaction) => reaction !== known)
    : reactions.map((reaction) => (reaction === known ? less : reaction));
}

function withState(message: ShownMessage, state: ShownState): ShownMessage {
  const { state: _state, ...rest } = message;
  return Object.keys(state).length === 0 ? rest : { ...rest, state };
}
