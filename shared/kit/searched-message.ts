// Searched message: what the search reads of the line of a message.
//
//   searched-message.1. A tombstone, and a line that is no message, cannot be found. The body of
//        the newest edit takes the place of the body of the line.

import { isObject, parseObject } from "./json.ts";
import type { Body } from "../protocol/events.ts";
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

/** Undefined for a line that cannot be found. `edited`: the body of the newest edit. */
export function searchedMessage(line: string, edited?: Body): SearchedMessage | undefined {
  const event = parseObject(line);
  if (event?.["t"] !== "msg" || event["deleted"] !== undefined) return undefined;
  const { from, at, thread, mentions, body: sent } = event;
  const body = edited ?? sent;
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
