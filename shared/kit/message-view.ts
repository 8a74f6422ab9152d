// Message view: the messages of a page as they are now.
//
// Owns: the JSON of one message with its state, and the cut of a page. Does not own: how a store
// finds the messages and their states.
//
//   message-view.1. A message is its line, with the newest body and mentions, and with `state` when
//        something happened to it. A deleted message is its tombstone, with the state of its
//        thread.
//   message-view.2. A page covers the numbers `first` to `last` of the room, or of the thread:
//        every message among them is in it. It can be empty and have `more`, because a store reads
//        at most SCAN_MAX numbers for one page. It is cut at RANGE_BYTES_MAX, behind at least one
//        message.

import { parseObject } from "./json.ts";
import type { MessageState } from "./message-fold.ts";
import type { MessagesPage, MessagesQuery } from "../protocol/history.ts";
import type { Seq, UserId } from "../protocol/ids.ts";
import { utf8Length } from "../protocol/ids.ts";
import { RANGE_BYTES_MAX, REACTION_NAMES_MAX } from "../protocol/limits.ts";

/** The numbers that a store reads for one page. */
export const SCAN_MAX = 2_000;

/** The users with one reaction, in the order of their reactions. */
export interface Reaction {
  readonly emoji: string;
  readonly count: number;
  /** The first REACTION_NAMES_MAX. */
  readonly users: readonly UserId[];
}

/** message-view.1. */
export function messageText(
  line: string,
  state: MessageState | undefined,
  reactions: readonly Reaction[],
): string {
  if (state === undefined) return line;
  const { edit, mentions, deletion, replies, lastReply, pin } = state;
  const isDeleted = deletion !== undefined;
  const shown = {
    ...(edit !== undefined && { edited: { seq: edit.seq, at: edit.at } }),
    ...(lastReply > 0 && { replies, lastReply }),
    ...(pin?.on === true && !isDeleted && { pinned: pin.seq }),
    ...(reactions.length > 0 && !isDeleted && { reactions: reactions.map(named) }),
  };
  const body = edit !== undefined && { body: edit.body };
  const message = {
    ...parseObject(line),
    ...body,
    ...(mentions !== undefined && !isDeleted && { mentions }),
  };
  return JSON.stringify(Object.keys(shown).length === 0 ? message : { ...message, state: shown });
}

function named({ emoji, count, users }: Reaction): Reaction {
  return { emoji, count, users: users.slice(0, REACTION_NAMES_MAX) };
}

interface Found {
  readonly seq: Seq;
  readonly text: string;
}

/** The numbers that a query reads, in the direction of the page. */
export function scanOf({ before, after }: MessagesQuery, head: Seq): { first: Seq; last: Seq } {
  if (after !== undefined) return { first: after + 1, last: Math.min(head, after + SCAN_MAX) };
  const last = Math.max(0, Math.min(head, (before ?? Infinity) - 1));
  return { first: Math.max(1, last - SCAN_MAX + 1), last };
}

/**
 * `found`: the messages among the numbers `first` to `last`, the nearest first; beyond `limit` they
 * are ignored.
 */
export function cutPage(
  { after, limit }: MessagesQuery,
  { first, last, head }: { readonly first: Seq; readonly last: Seq; readonly head: Seq },
  found: readonly Found[],
): MessagesPage {
  const taken: Found[] = [];
  let bytes = 0;
  for (const message of found) {
    bytes += utf8Length(message.text);
    if (taken.length >= limit || (taken.length > 0 && bytes > RANGE_BYTES_MAX)) break;
    taken.push(message);
  }
  const isCut = taken.length < found.length;
  const end = taken.at(-1)?.seq ?? 0;
  if (after !== undefined) {
    const reached = isCut ? end : last;
    return { head, first, last: reached, more: reached < head, lines: taken.map(textOf) };
  }
  const reached = isCut ? end : first;
  const lines = taken.toReversed().map(textOf);
  return { head, first: reached, last, more: reached > 1, lines };
}

function textOf({ text }: Found): string {
  return text;
}
