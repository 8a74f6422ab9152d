// Words: states, times and numbers in plain English. Pure, so that every sentence has a test.

import { unreachable } from "#shared/kit/assert.ts";
import type { ConnectionState, RoomStatus } from "./client-port.ts";
import { dayKey } from "./days.ts";

export interface Connection {
  readonly state: ConnectionState;
  readonly retryAt: number | undefined;
  /** Why the last attempt failed, or why we were closed. */
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
        long: `The connection was lost. Reconnecting ${when}; what you write is sent then.`,
      };
    }
    case "closed": {
      const problem = connection.problem ?? "The connection was closed.";
      return { tone: "bad", short: "Offline", long: `Offline. ${problem}` };
    }
  }
  return unreachable(connection.state);
}

export interface Progress {
  readonly status: RoomStatus;
  readonly completeThrough: number;
  readonly head: number;
}

/** What this window can prove to have: the sentence in the header and in the details. */
export function completenessWords({ status, completeThrough, head }: Progress): string {
  if (status === "left") return "Left";
  if (head === 0) return status === "live" ? "Nothing said yet" : "Joining…";
  const through = `#${groupDigits(completeThrough)}`;
  if (completeThrough >= head) return `Complete through ${through}`;
  return `Reading ${through} of #${groupDigits(head)}`;
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

/** A badge has place for two digits. */
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
// Hours and minutes as this reader's own system writes them.
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

/** To the millisecond, for the details of a message. */
export function instantWords(at: number): string {
  return new Date(at).toISOString().replace("T", " ").replace("Z", " UTC");
}
