// SameMessage: compares a repeated id's message with the stored one (H8).
//
//   same-message.1. Bodies are equal when they are the same JSON value; the order of keys does not
//        matter. `replyTo`, `thread`, `mentions` and the files belong to the message. A deleted
//        message has no body to compare: the repeat counts as the same.
//   same-message.2. The stored message is read like any page: from the gateway, the owner or the
//        archive. When the read fails, the request gets a temporary error.

import { isDeepStrictEqual } from "node:util";
import { parseObject } from "#shared/kit/json.ts";
import { attachmentOf } from "#shared/protocol/attachments.ts";
import type { ClientFrameOf } from "#shared/protocol/client-frames.ts";
import type { Seq, UserId } from "#shared/protocol/ids.ts";
import type { Refused, RoomApi } from "../core/room-api-port.ts";

export interface ClientSend {
  readonly user: UserId;
  readonly frame: ClientFrameOf<"send">;
}

export async function compareStored(
  roomApi: RoomApi,
  { user, frame: { room, body, replyTo, thread, mentions, attachments: files } }: ClientSend,
  seq: Seq,
): Promise<"same" | "another" | Refused> {
  const page = await roomApi.page({ user, room, after: seq - 1, limit: 1, known: seq });
  if (page.kind === "refused") return page;
  const stored = parseObject(page.events[0] ?? "");
  if (stored === undefined || stored["seq"] !== seq)
    return { kind: "refused", error: "unavailable" };
  if (stored["deleted"] !== undefined) return "same"; // Its text is erased: nothing to compare.
  // Stored text has no -0, for example. So the sent message is converted to text as well.
  const attachments = files?.map(attachmentOf);
  const sent = parseObject(JSON.stringify({ body, replyTo, thread, mentions, attachments }));
  const isSame =
    isDeepStrictEqual(stored["body"], sent?.["body"]) &&
    stored["replyTo"] === sent?.["replyTo"] &&
    stored["thread"] === sent?.["thread"] &&
    isDeepStrictEqual(stored["mentions"], sent?.["mentions"]) &&
    isDeepStrictEqual(stored["attachments"], sent?.["attachments"]);
  return isSame ? "same" : "another";
}
