// Frame: what a server says, read with care. A server is newer or older than this client at times,
// so unknown things are ignored, and a known thing with a wrong type counts as unknown.

import { isObject, parseObject } from "#shared/kit/json.ts";
import type { JsonObject } from "#shared/kit/json.ts";
import { ERRORS } from "#shared/protocol/errors.ts";
import type { ErrorFrame } from "#shared/protocol/errors.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type {
  AckFrame,
  CaughtUpFrame,
  JoinedFrame,
  PageFrame,
  PresenceFrame,
  ReconnectFrame,
  RefreshedFrame,
  TypingFrame,
  WelcomeFrame,
} from "#shared/protocol/server-frames.ts";

export type Frame =
  | WelcomeFrame
  | JoinedFrame
  | CaughtUpFrame
  | AckFrame
  | ErrorFrame
  | PresenceFrame
  | TypingFrame
  | PageFrame
  | RefreshedFrame
  | ReconnectFrame;

export type DecodedFrame =
  | { readonly kind: "frame"; readonly frame: Frame }
  /** Any numbered event of a room, also of a kind that this version has no name for. */
  | { readonly kind: "event"; readonly event: RoomEvent }
  /** `pong`, `left`, and all that is not known. */
  | { readonly kind: "ignored" }
  | { readonly kind: "broken" };

type Shape = { readonly [key: string]: "string" | "number" | "boolean" };

/** What a frame must hold to be acted upon; optional fields are read where they are used. */
const SHAPES: { readonly [T in Frame["t"]]: Shape } = {
  welcome: { session: "string", user: "string", at: "number", pingMs: "number" },
  joined: { ref: "number", room: "string", born: "string", head: "number", from: "number" },
  "caught-up": { room: "string", seq: "number" },
  ack: { id: "string", seq: "number", at: "number" },
  error: { name: "string", message: "string", retry: "boolean" },
  presence: { room: "string" },
  typing: { room: "string", user: "string", on: "boolean" },
  page: { ref: "number", more: "boolean" },
  refreshed: { ref: "number", until: "number" },
  reconnect: { afterMs: "number" },
};
const EVENT: Shape = { room: "string", seq: "number", id: "string", from: "string", at: "number" };

export function decodeFrame(line: string): DecodedFrame {
  const value = parseObject(line);
  const type = value?.["t"];
  if (value === undefined || typeof type !== "string") return { kind: "broken" };
  if (Object.hasOwn(SHAPES, type)) {
    if (!fits(value, SHAPES[type as Frame["t"]])) return { kind: "broken" };
    if (type === "page" && !isEvents(value["events"])) return { kind: "broken" };
    return { kind: "frame", frame: tidy(value) as unknown as Frame };
  }
  if (fits(value, EVENT) && Number.isSafeInteger(value["seq"])) {
    return { kind: "event", event: value as unknown as RoomEvent };
  }
  return { kind: "ignored" };
}

/** Name lists and counts are optional; of a wrong type they count as absent. */
function tidy(value: JsonObject): JsonObject {
  const { t, join, leave, here, all, name } = value;
  if (t === "error" && !Object.hasOwn(ERRORS, String(name))) {
    // A newer server's word: whether to try again is what matters.
    return { ...value, name: value["retry"] === true ? "unavailable" : "conflict" };
  }
  if (t === "joined") return { ...value, here: typeof here === "number" ? here : 0 };
  if (t !== "presence") return value;
  const { room } = value;
  return {
    t,
    room,
    ...(isNames(join) && { join }),
    ...(isNames(leave) && { leave }),
    ...(typeof here === "number" && { here }),
    ...(all === true && { all }),
  };
}

function fits(value: JsonObject, shape: Shape): boolean {
  return Object.entries(shape).every(([key, type]) => typeof value[key] === type);
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function isEvents(value: unknown): value is readonly RoomEvent[] {
  return Array.isArray(value) && value.every((item) => isObject(item) && fits(item, EVENT));
}
