// Words: which sentence the page shows for a state, a time or a number. The sentences themselves
// are in texts/. Pure.
//
//   words.1. No sentence uses a term of the implementation (log, hole, seq, head, token).

import { unreachable } from "#shared/kit/assert.ts";
import { ERRORS } from "#shared/protocol/errors.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { Role, RoomKind } from "#shared/protocol/roles.ts";
import type { LeftReason } from "#shared/protocol/server-frames.ts";
import type { ConnectionState, RoomStatus } from "./client-port.ts";
import { groupDigits, isolate, locale, t } from "../texts/texts.ts";
import { dayKey } from "./day-key.ts";
import { flatText, isBlank } from "./rich-text.ts";

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
      return { tone: "good", short: t("connection.online"), long: t("connection.connected") };
    case "idle":
    case "connecting":
      return {
        tone: "waiting",
        short: t("connection.connecting"),
        long: t("connection.connectingLong"),
      };
    case "waiting": {
      const seconds = Math.ceil(((connection.retryAt ?? now) - now) / 1_000);
      return {
        tone: "waiting",
        short: t("connection.reconnecting"),
        long: seconds > 0 ? t("connection.lostFor", { count: seconds }) : t("connection.lost"),
      };
    }
    case "closed": {
      const problem = connection.problem ?? t("connection.signedOut");
      return {
        tone: "bad",
        short: t("connection.offline"),
        long: t("connection.closed", { problem }),
      };
    }
  }
  return unreachable(connection.state);
}

/** The sentence for an error name of the SDK. Those of a newer server count as an internal one. */
export function failureWords(name: string): string {
  return t(isErrorName(name) ? `failure.${name}` : "failure.internal");
}

function isErrorName(name: string): name is ErrorName {
  return Object.hasOwn(ERRORS, name);
}

/** The user's change of a message, as a word for "Not edited." */
export type ChangeKind = "edited" | "deleted" | "changed" | "pinned" | "unpinned";

/** One sentence for a refused change of a message. `isLate`: the time for edits was over. */
export function changeFailureWords(kind: ChangeKind, name: string, isLate: boolean): string {
  let why = name === "conflict" ? t("failure.deletedMeanwhile") : failureWords(name);
  if (isLate) why = t("failure.late");
  return t(`change.${kind}`, { why });
}

/** The sentence for a refused creation of a room. */
export function createFailureWords(name: string): string {
  return name === "conflict" ? t("failure.roomExists") : failureWords(name);
}

/** The sentence for a refused change of a room, of its members or of its invites. */
export function adminFailureWords(name: string): string {
  return name === "conflict" ? t("failure.member") : failureWords(name);
}

/** Why the user lost the room. `event`: the last one of the room, when it is about this user. */
export function removalWords(
  reason: LeftReason,
  event: { readonly from: string; readonly reason?: string | undefined } | undefined,
  me: string,
): string {
  if (event === undefined || reason === "closed") return t(`removal.${reason}`);
  const { from: name, reason: why } = event;
  if (name === me) return t("removal.left");
  return why === undefined
    ? t(`removal.${reason}By`, { name })
    : t(`removal.${reason}For`, { name, reason: why });
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
      return t(event.seq === 1 ? "notice.created" : "notice.settings");
    case "invite":
      return t(event.revoked === true ? "notice.inviteEnded" : "notice.invite");
    case "member": {
      if (event.invite !== undefined) return t("notice.entered");
      const naming = namingOf(event);
      if (naming !== undefined) return t(naming.key, { user: naming.user });
      return t(event.role === "none" ? "notice.left" : "notice.joined");
    }
    default: // A kind of a later version.
      return t("notice.unknown");
  }
}

type NamedRole = Exclude<Role, "none">;

/** A notice that names a user beside its sender. */
export interface Naming {
  readonly key: `notice.${"banned" | "removed" | NamedRole | `${NamedRole}Muted`}`;
  readonly user: string;
}

export function namingOf(event: RoomEvent): Naming | undefined {
  if (event.t !== "member" || event.invite !== undefined) return undefined;
  const { user, from, role, banned, mutedUntil } = event;
  if (banned === true) return { key: "notice.banned", user };
  if (role === "none") return user === from ? undefined : { key: "notice.removed", user };
  if (user === from && role === "member") return undefined;
  return { key: mutedUntil === undefined ? `notice.${role}` : `notice.${role}Muted`, user };
}

/** The names that a short sentence has room for. */
const NAMES_SHOWN = 8;

export function reactionWords(users: readonly string[], count: number): string {
  const names = users.slice(0, NAMES_SHOWN).map(isolate);
  const others = count - names.length;
  return listWords(others > 0 ? [...names, t("reaction.others", { count: others })] : names);
}

function listWords(names: readonly string[]): string {
  return new Intl.ListFormat(locale()).format(names);
}

/** What stands for the text of a message that has none: the names of its files. */
export function fileWords(names: readonly string[] = []): string {
  if (names.length === 0) return t("message.noText");
  return t("message.files", { count: names.length, names: listWords(names.map(isolate)) });
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
  if (status === "left") return t("room.left");
  if (head === 0) return t(status === "live" ? "room.empty" : "room.joining");
  const number = `#${groupDigits(completeThrough)}`;
  if (completeThrough >= head) return t("room.complete", { number });
  return t("room.loading", { number, head: `#${groupDigits(head)}` });
}

export function typingWords(names: readonly string[]): string {
  const [name, second] = names;
  if (name === undefined) return "";
  if (second === undefined) return t("typing.one", { name });
  if (names.length === 2) return t("typing.two", { name, second });
  return t("typing.more", { name, count: names.length - 1 });
}

/** For the list of rooms: the time of today, else the day. */
export function whenWords(at: number, now: number): string {
  if (dayKey(at) === dayKey(now)) return clockWords(at);
  if (dayKey(at) === dayKey(now - DAY_MS)) return t("day.yesterday");
  return formatsOf(locale()).short.format(at);
}

interface Line {
  readonly text: string;
  /** The names of its files. */
  readonly files?: readonly string[] | undefined;
}

/** A message in one line, without the markers of Markdown. */
export function lineWords({ text, files }: Line): string {
  return isBlank(text) ? fileWords(files) : flatText(text);
}

/** What stands before the last message of a room: who sent it. */
export function leadWords(
  from: string,
  kind: RoomKind,
  me: string,
  nameOf: (user: string) => string = (user) => user,
): string {
  if (from === me) return t("rooms.lastOwn", { text: "" });
  return kind === "direct" ? "" : t("rooms.last", { name: nameOf(from), text: "" });
}

/** A badge has room for two digits. */
export function badge(count: number): string {
  return count > 99 ? `${groupDigits(99)}+` : groupDigits(count);
}

const DAY_MS = 24 * 3_600_000;

/** The formats of the page's language; made once, because each costs a millisecond. */
let formats:
  | {
      readonly of: string;
      readonly weekday: Format;
      readonly withYear: Format;
      readonly clock: Format;
      readonly short: Format;
      readonly date: Format;
    }
  | undefined;
type Format = Intl.DateTimeFormat;

function formatsOf(of: string): NonNullable<typeof formats> {
  if (formats?.of === of) return formats;
  const format = (options: Intl.DateTimeFormatOptions): Format =>
    new Intl.DateTimeFormat(of, options);
  formats = {
    of,
    weekday: format({ weekday: "long", day: "numeric", month: "long" }),
    withYear: format({ day: "numeric", month: "long", year: "numeric" }),
    clock: format({ hour: "2-digit", minute: "2-digit" }),
    short: format({ day: "numeric", month: "short" }),
    date: format({ dateStyle: "medium", timeStyle: "short" }),
  };
  return formats;
}

export function dayWords(at: number, now: number): string {
  const key = dayKey(at);
  if (key === dayKey(now)) return t("day.today");
  if (key === dayKey(now - DAY_MS)) return t("day.yesterday");
  const isThisYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  const { weekday, withYear } = formatsOf(locale());
  return (isThisYear ? weekday : withYear).format(at);
}

export function clockWords(at: number): string {
  return formatsOf(locale()).clock.format(at);
}

/** For a narrow column: without "am" or "pm", which the first message of a group shows. */
export function shortClockWords(at: number): string {
  const parts = formatsOf(locale()).clock.formatToParts(at);
  return parts
    .filter(({ type }) => type !== "dayPeriod")
    .map(({ value }) => value)
    .join("")
    .trim();
}

/** To the millisecond, for the details of a message. */
export function instantWords(at: number): string {
  return new Date(at).toISOString().replace("T", " ").replace("Z", " UTC");
}

/** With the day, for messages in a panel and the end of an invite. */
export function dateWords(at: number): string {
  return formatsOf(locale()).date.format(at);
}

const UNITS = [
  { key: "day.duration.d", seconds: 86_400 },
  { key: "day.duration.h", seconds: 3_600 },
  { key: "day.duration.m", seconds: 60 },
  { key: "day.duration.s", seconds: 1 },
] as const;

/** In the largest unit that divides it. */
export function durationWords(seconds: number): string {
  const unit = UNITS.find((one) => seconds % one.seconds === 0) ?? UNITS[3];
  return t(unit.key, { count: seconds / unit.seconds });
}
