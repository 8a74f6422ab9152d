// SameMessage: whether a repeated id came with the message that is stored under it (H8).
//
//   same-message.1. Bodies are equal when they are the same JSON value; the order of keys says nothing. `replyTo`
//        belongs to the message.
//   same-message.2. The stored message is read like any page, from the gateway, the owner or the archive. When it
//        cannot be read, nothing is claimed: the caller is refused for the time being.

import { isDeepStrictEqual } from "node:util";
import { parseObject } from "#shared/kit/json.ts";
import type { Seq } from "#shared/protocol/ids.ts";
import type { Refused, RoomApi, SendInput } from "../core/room-api-port.ts";

export async function compareStored(
  roomApi: RoomApi,
  { user, room, body, replyTo }: SendInput,
  seq: Seq,
): Promise<"same" | "another" | Refused> {
  const page = await roomApi.page({ user, room, after: seq - 1, limit: 1, known: seq });
  if (page.kind === "refused") return page;
  const stored = parseObject(page.events[0] ?? "");
  if (stored === undefined || stored["seq"] !== seq)
    return { kind: "refused", error: "unavailable" };
  // The stored text has no -0, for one; so both are compared as text would keep them.
  const sent = parseObject(JSON.stringify({ body, replyTo }));
  const isSame =
    isDeepStrictEqual(stored["body"], sent?.["body"]) && stored["replyTo"] === sent?.["replyTo"];
  return isSame ? "same" : "another";
}
