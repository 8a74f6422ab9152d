// Live: both halves of the messages on `live.<room>`: presence, typing and read positions. Any of
// them can be lost.
//
// The owner publishes presence, gateways publish the rest. A gateway writes the payload of a valid
// message unchanged to its members, so the payload must be exactly one frame on one line.
//
//   live.1. A decoded message is a frame of its declared type for this room, on one line.

import { isCount, parseObject } from "../kit/json.ts";
import type { JsonObject } from "../kit/json.ts";
import { isUserId } from "./ids.ts";
import type { RoomId } from "./ids.ts";
import { PRESENCE_NAMES_MAX } from "./limits.ts";
import type { PresenceFrame, ReadsFrame, TypingFrame } from "./server-frames.ts";

export type LiveFrame = PresenceFrame | TypingFrame | ReadsFrame;

/** Enough for 200 names of 128 bytes, each byte escaped as six characters. */
const TEXT_UNITS_MAX = 200 * 1_024;

export function encodeLive(frame: LiveFrame): string {
  return JSON.stringify({ v: 1, ...frame });
}

/** Undefined unless the text is a whole message of version 1 for `room`. */
export function decodeLive(text: string, room: RoomId): LiveFrame | undefined {
  if (text.length > TEXT_UNITS_MAX || text.includes("\n")) return undefined;
  const value = parseObject(text);
  if (value?.["v"] !== 1 || value["room"] !== room) return undefined;
  return isLive(value) ? (value as unknown as LiveFrame) : undefined;
}

function isLive(value: JsonObject): boolean {
  switch (value["t"]) {
    case "presence":
      return isPresence(value);
    case "reads":
      return isReads(value);
    default:
      return isTyping(value);
  }
}

function isReads({ reads }: JsonObject): boolean {
  if (!Array.isArray(reads) || reads.length > PRESENCE_NAMES_MAX) return false;
  return reads.every((item) => {
    if (!Array.isArray(item)) return false;
    const [user, seq] = item as readonly unknown[];
    return isUserId(user) && isCount(seq);
  });
}

function isTyping({ t, user, on }: JsonObject): boolean {
  return t === "typing" && isUserId(user) && typeof on === "boolean";
}

function isPresence({ join, leave, here, all }: JsonObject): boolean {
  if (here !== undefined && !isCount(here)) return false;
  if (all !== undefined && typeof all !== "boolean") return false;
  return isNames(join) && isNames(leave);
}

function isNames(value: unknown): boolean {
  if (value === undefined) return true;
  return Array.isArray(value) && value.length <= PRESENCE_NAMES_MAX && value.every(isUserId);
}
