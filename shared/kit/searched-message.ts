// Searched message: what the search reads of the line of a message.
//
//   searched-message.1. A tombstone, and a line that is no message, cannot be found. The body and
//        the mentions of the newest edits take the place of those of the line.

import { isObject, parseObject } from "./json.ts";
import type { Body, Mentions } from "../protocol/events.ts";
import { isUserId } from "../protocol/ids.ts";
import type { Millis, Seq, UserId } from "../protocol/ids.ts";
import type { SearchHas } from "../protocol/search.ts";

export interface SearchedMessage {
  readonly from: UserId;
  readonly at: Millis;
  readonly thread?: Seq;
  readonly text: string;
  readonly has: readonly SearchHas[];
}

const LINK = /https?:\/\/[^\s]/iu;

/** What edits have replaced. */
export interface Edited {
  readonly body?: Body | undefined;
  readonly mentions?: Mentions | undefined;
}

/** Undefined for a line that cannot be found. */
export function searchedMessage(line: string, edited: Edited = {}): SearchedMessage | undefined {
  const event = parseObject(line);
  if (event?.["t"] !== "msg" || event["deleted"] !== undefined) return undefined;
  const { from, at, thread } = event;
  const { body = event["body"], mentions = event["mentions"] } = edited;
  if (!isUserId(from) || !Number.isSafeInteger(at) || !isObject(body)) return undefined;
  const text = typeof body["text"] === "string" ? body["text"] : "";
  const isNaming = mentions !== undefined && (mentions as readonly unknown[]).length > 0;
  return {
    from,
    at: at as Millis,
    ...(Number.isSafeInteger(thread) && { thread: thread as Seq }),
    text,
    has: [...(LINK.test(text) ? ["link" as const] : []), ...(isNaming ? ["mention" as const] : [])],
  };
}
