// ShownMessage: a message of a page of messages, as the wire has it, and what the checker keeps of
// it. The clients of chaos and of the simulation record pages of messages with it.

import type { Seq } from "#shared/protocol/ids.ts";
import type { Mentioned, ViewedMessage } from "./record.ts";

export interface ShownMessage {
  readonly seq: Seq;
  readonly deleted?: { readonly seq: Seq };
  readonly mentions?: unknown;
  readonly state?: {
    readonly edited?: { readonly seq: Seq };
    readonly pinned?: Seq;
    readonly replies?: number;
    readonly lastReply?: Seq;
    readonly reactions?: readonly { readonly emoji: string; readonly count: number }[];
  };
}

/** The part of a `page` frame with the view `messages` that a record has. */
export interface ShownPage {
  readonly thread?: Seq;
  readonly first: Seq;
  readonly last: Seq;
  readonly asOf: Seq;
  readonly messages: readonly ViewedMessage[];
}

export function shownPageOf(
  frame: { readonly [key: string]: unknown },
  thread: Seq | undefined,
): ShownPage {
  const [first, last, asOf] = [frame["first"], frame["last"], frame["asOf"]].map(Number);
  const messages = (frame["events"] as readonly ShownMessage[]).map(viewedOf);
  const list = thread !== undefined && { thread };
  return { ...list, first: first ?? 0, last: last ?? 0, asOf: asOf ?? 0, messages };
}

/** `mentions`: of a message or of an edit. */
export function mentionedIn(mentions: unknown): Mentioned {
  if (mentions === "@room") return mentions;
  return Array.isArray(mentions) ? [...new Set(mentions as string[])].sort() : [];
}

function viewedOf({ seq, deleted, mentions, state = {} }: ShownMessage): ViewedMessage {
  const { edited, pinned = 0, replies = 0, lastReply = 0, reactions = [] } = state;
  return {
    seq,
    edited: edited?.seq ?? 0,
    deleted: deleted?.seq ?? 0,
    pinned,
    replies,
    lastReply,
    reactions: reactions.map(({ emoji, count }) => `${emoji} ${count}`),
    mentions: mentionedIn(mentions),
  };
}
