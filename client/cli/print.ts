// Print: formats events and log entries as lines for a terminal.
//
// A user's text can hold escape sequences that move the cursor or change the window's title. Each
// control character is replaced by a visible symbol.

import type { DecodedEntry } from "#shared/protocol/entry.ts";
import type { MessageEvent, RoomEvent } from "#shared/protocol/events.ts";
import type { ShownState } from "#shared/protocol/server-frames.ts";
import { bodyOf, decodeEvent, settingsOf, UnreadableLine } from "#shared/protocol/events.ts";

/** Replaces control characters (C0, C1 and bidirectional overrides) by visible symbols. */
export function neutral(text: string): string {
  return Array.from(text, visible).join("");
}

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  const isOverride = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  return (code >= 0x7f && code < 0xa0) || isOverride ? "\u{fffd}" : character;
}

/** One line for one event: place, time, sender, text. */
export function readable(event: RoomEvent): string {
  const body = bodyOf(event);
  const isText = body !== undefined && event.t === "msg" && event.deleted === undefined;
  const text = isText ? body["text"] : changeText(event);
  const files = event.t === "msg" ? (event.attachments ?? []).map(({ name }) => name) : [];
  const words = typeof text === "string" ? text : JSON.stringify(body);
  const shown = [words, filesText(files)].filter((part) => part !== "").join(" ");
  const at = new Date(event.at).toISOString().slice(11, 19);
  const place = event.t === "msg" ? placeText(event) : "";
  const state = "state" in event ? ` ${stateText(event.state as ShownState)}` : "";
  return neutral(`${event.room}#${event.seq} ${at} ${event.from}: ${place}${shown}${state}`);
}

/** "" without files. */
export function filesText(names: readonly string[] = []): string {
  return names.map((name) => `[${name}]`).join(" ");
}

/** Which message this one continues or answers. */
function placeText({ thread, replyTo }: MessageEvent): string {
  const parts = [
    ...(thread === undefined ? [] : [`in the thread of #${thread}`]),
    ...(replyTo === undefined ? [] : [`to #${replyTo}`]),
  ];
  return parts.length === 0 ? "" : `(${parts.join(", ")}) `;
}

/** What happened to a message of a page of messages. */
function stateText({ edited, replies, pinned, reactions = [] }: ShownState): string {
  const parts = [
    ...(edited === undefined ? [] : ["edited"]),
    ...(pinned === undefined ? [] : ["pinned"]),
    ...(replies === undefined ? [] : [`${replies} replies`]),
    ...reactions.map(({ emoji, count }) => `${emoji} ${count}`),
  ];
  return `(${parts.join(", ")})`;
}

/** One line for a line of a log that another program may have written. */
function readableLine(line: string): string {
  try {
    return readable(decodeEvent(line));
  } catch (error: unknown) {
    if (error instanceof UnreadableLine) return `unreadable: ${error.message}`;
    throw error;
  }
}

/** What an event without a body changed. */
function changeText(event: RoomEvent): string {
  if (event.t === "member") {
    const { user, role, banned, mutedUntil, reason } = event;
    const muted = mutedUntil === undefined ? "" : ` muted until ${mutedUntil}`;
    const why = reason === undefined ? "" : ` (${reason})`;
    return `(member ${user}: ${banned === true ? "banned" : role}${muted}${why})`;
  }
  if (event.t === "invite") {
    const { invite, revoked, uses, until } = event;
    return `(invite ${invite}: ${revoked === true ? "revoked" : `${uses} uses until ${until}`})`;
  }
  if (event.t === "room") return `(room: ${JSON.stringify(settingsOf(event))})`;
  if ("deleted" in event && event.deleted !== undefined) return "(deleted)";
  if (event.t === "edited") {
    const text = event.body["text"];
    return `(edited #${event.target}: ${typeof text === "string" ? text : JSON.stringify(event.body)})`;
  }
  if (event.t === "deleted") return `(deleted #${event.target})`;
  if (event.t === "reacted")
    return `(${event.on ? "" : "no longer "}${event.emoji} to #${event.target})`;
  if (event.t === "pinned") return `(${event.on ? "pinned" : "unpinned"} #${event.target})`;
  return `(${(event as RoomEvent).t})`;
}

/** One line for the entry, then one for each event in it. */
export function* entryLines(
  logSeq: number,
  entry: DecodedEntry,
  isVoid: boolean,
): Generator<string> {
  if (entry.kind === "unreadable") {
    yield `${logSeq} unreadable: ${neutral(entry.reason)}`;
    return;
  }
  const at = new Date(entry.at).toISOString();
  const epoch = entry.kind === "claim" ? logSeq : entry.epoch;
  const note = isVoid ? " VOID (of a fenced owner; all readers skip it)" : "";
  yield neutral(`${logSeq} ${entry.kind} epoch ${epoch} ${entry.node} ${at}${note}`);
  if (entry.kind !== "commit") return;
  for (const { lines } of entry.groups) {
    for (const line of lines) yield `    ${readableLine(line)}`;
  }
}
