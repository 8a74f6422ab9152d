// Words: the sentences that the page shows for states, times and numbers, in its users' words.
// Pure.
//
//   words.1. No sentence uses a term of the implementation (log, hole, seq, head, token).

import { unreachable } from "#shared/kit/assert.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { LeftReason } from "#shared/protocol/server-frames.ts";
import type { ConnectionState, RoomStatus } from "./client-port.ts";
import { dayKey } from "./day-key.ts";

export interface Connection {
  readonly state: ConnectionState;
  readonly retryAt: number | undefined;
  /** Why the last attempt failed, or why the connection is closed. */
  readonly problem: string | undefined;
}

export interface ConnectionWords {
  readonly tone: "good" | "waiting" | "bad";
  readonly short: string;
  readonly long: string;
}

export function connectionWords(connection: Connection, now: number): ConnectionWords {
  switch (connection.state) {
    case "online":
      return { tone: "good", short: "Online", long: "Connected." };
    case "idle":
    case "connecting":
      return { tone: "waiting", short: "Connecting…", long: "Connecting to the server…" };
    case "waiting": {
      const seconds = Math.ceil(((connection.retryAt ?? now) - now) / 1_000);
      const when = seconds > 0 ? `in ${seconds} s` : "now";
      return {
        tone: "waiting",
        short: "Reconnecting…",
        long: `Connection lost. Reconnecting ${when}. Messages that you write now are sent after that.`,
      };
    }
    case "closed": {
      const problem = connection.problem ?? "You are signed out.";
      return { tone: "bad", short: "Offline", long: `Offline. ${problem}` };
    }
  }
  return unreachable(connection.state);
}

const FAILURES: Readonly<Record<ErrorName, string>> = {
  bad_frame: "The server could not read this.",
  unknown_type: "This server does not have this function.",
  too_large: "This message is too long.",
  unauthorized: "The server did not accept your sign-in.",
  token_expired: "Your sign-in has expired.",
  forbidden: "You are not allowed to do this here.",
  not_found: "That message does not exist.",
  not_joined: "You are not in this room.",
  conflict: "The room changed in the meantime. Try again.",
  bad_id: "The clock of this device is wrong. Correct it and try again.",
  reused_id: "This message was sent before.",
  rate_limited: "You sent too much in a short time. Wait a moment and try again.",
  busy: "The server is busy. Wait a moment and try again.",
  unavailable: "The server did not confirm this in time. It is safe to try again.",
  internal: "The server had an error. Try again.",
};

/** The sentence for an error name of the SDK. */
export function failureWords(name: string): string {
  return Object.hasOwn(FAILURES, name) ? FAILURES[name as ErrorName] : FAILURES.internal;
}

/** The user's change of a message, as a word for "Not edited." */
export type ChangeKind = "edited" | "deleted" | "changed" | "pinned" | "unpinned";

/** One sentence for a refused change of a message. */
export function changeFailureWords(kind: ChangeKind, name: string): string {
  const why = name === "conflict" ? "The message was deleted in the meantime." : failureWords(name);
  return `Not ${kind}. ${why}`;
}

const REMOVALS: Readonly<Record<LeftReason, string>> = {
  removed: "You were removed from this room.",
  banned: "You were banned from this room.",
  closed: "This room is closed now, and you are not a member of it.",
};

/** Why the user lost the room. `event`: the last one of the room, when it is about this user. */
export function removalWords(
  reason: LeftReason,
  event: { readonly from: string; readonly reason?: string | undefined } | undefined,
): string {
  if (event === undefined || reason === "closed") return REMOVALS[reason];
  const why = event.reason === undefined ? "." : `: ${event.reason}`;
  return `${event.from} ${reason} you from this room${why}`;
}

/** A sentence for an event that changes no message; undefined for the others. */
export function noticeWords(event: RoomEvent): string | undefined {
  switch (event.t) {
    case "msg":
    case "edited":
    case "deleted":
    case "reacted":
    case "pinned":
      return undefined;
    case "room":
      return event.seq === 1 ? "created this room." : "changed the settings of this room.";
    case "invite":
      return event.revoked === true ? "ended an invite." : "made an invite.";
    case "member": {
      const { user, role, banned, mutedUntil, invite } = event;
      if (invite !== undefined) return "entered with an invite.";
      if (banned === true) return `banned ${user} from this room.`;
      if (role === "none") return user === event.from ? "left this room." : `removed ${user}.`;
      const muted = mutedUntil === undefined ? "" : ", muted";
      return `made ${user} ${role === "owner" ? "an" : "a"} ${role} of this room${muted}.`;
    }
    default: // A kind of a later version.
      return "Reload this page to see what was sent here.";
  }
}

/** The names that a short sentence has room for. */
const NAMES_SHOWN = 8;

export function reactionWords(users: readonly string[], count: number): string {
  const names = users.slice(0, NAMES_SHOWN);
  const others = count - names.length;
  const all = others > 0 ? [...names, plural(others, "other", "others")] : names;
  const last = all.at(-1) ?? "";
  return all.length < 2 ? last : `${all.slice(0, -1).join(", ")} and ${last}`;
}

export interface Progress {
  readonly status: RoomStatus;
  readonly completeThrough: number;
  readonly head: number;
}

/**
 * Whether this window has every message of the room: the sentence in the header and in the details.
 */
export function completenessWords({ status, completeThrough, head }: Progress): string {
  if (status === "left") return "Not in this room";
  if (head === 0) return status === "live" ? "No messages yet" : "Joining…";
  const through = `#${groupDigits(completeThrough)}`;
  if (completeThrough >= head) return `All messages up to ${through}`;
  return `Loading ${through} of #${groupDigits(head)}`;
}

export function typingWords(names: readonly string[]): string {
  const [first, second] = names;
  if (first === undefined) return "";
  if (second === undefined) return `${first} is typing`;
  if (names.length === 2) return `${first} and ${second} are typing`;
  return `${first} and ${names.length - 1} others are typing`;
}

export function plural(count: number, one: string, many: string): string {
  return `${groupDigits(count)} ${count === 1 ? one : many}`;
}

export function groupDigits(value: number): string {
  return value.toLocaleString("en");
}

/** A badge has room for two digits. */
export function badge(count: number): string {
  return count > 99 ? "99+" : String(count);
}

const DAY_MS = 24 * 3_600_000;
const weekday = new Intl.DateTimeFormat("en-GB", {
  weekday: "long",
  day: "numeric",
  month: "long",
});
const withYear = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "long",
  year: "numeric",
});
// Hours and minutes in the format of the user's system.
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

export function dayWords(at: number, now: number): string {
  const key = dayKey(at);
  if (key === dayKey(now)) return "Today";
  if (key === dayKey(now - DAY_MS)) return "Yesterday";
  const isThisYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return (isThisYear ? weekday : withYear).format(at);
}

export function clockWords(at: number): string {
  return clock.format(at);
}

/** For a narrow column: without "am" or "pm", which the first message of a group shows. */
export function shortClockWords(at: number): string {
  const parts = clock.formatToParts(at).filter(({ type }) => type !== "dayPeriod");
  return parts
    .map(({ value }) => value)
    .join("")
    .trim();
}

/** To the millisecond, for the details of a message. */
export function instantWords(at: number): string {
  return new Date(at).toISOString().replace("T", " ").replace("Z", " UTC");
}
