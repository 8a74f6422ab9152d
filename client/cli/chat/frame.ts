// Frame: the whole screen of `parley chat` as rows. It fits every size.
//
//   frame.1. A frame has exactly as many rows as the terminal, and none is wider.

import type { Chat } from "./chat.ts";
import { composerLines } from "./text-field.ts";
import { CHANGES, refusalOf } from "./offers.ts";
import type { ChangeKey } from "./offers.ts";
import type { Row, Span } from "./rows.ts";
import { viewOf } from "./scroll.ts";
import { fit } from "./wrap.ts";

export interface FrameRow {
  readonly spans: Row;
  readonly isInverse: boolean;
}

export interface Frame {
  readonly rows: readonly FrameRow[];
  /** Undefined: no text can be written now. */
  readonly cursor: { readonly x: number; readonly y: number } | undefined;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

const COMPOSER_ROWS_MAX = 5;
const PROMPT = "> ";

const HELP = [
  "Enter       sends the text; Ctrl+J begins a new line",
  "Up          edits the last own text",
  "Esc         ends an edit, a reply or a thread",
  "PgUp, PgDn  scroll, also into the history",
  "End         goes to the newest message",
  "Ctrl+C      leaves",
  "Tab         selects a message; then:",
  "  Up, Down  another message      Tab  back",
  "  r  reply         t  thread     +  react",
  "  e  edit          d  delete     p  pin",
];

export function frameOf(chat: Chat, { width, height }: Size, now: number): Frame {
  const { bar } = chat;
  const composer = composerLines(chat.composer, Math.max(4, width - PROMPT.length - 1));
  const shown = Math.min(composer.lines.length, COMPOSER_ROWS_MAX, Math.max(1, height - 4));
  const skipped = Math.max(0, Math.min(composer.y - shown + 1, composer.lines.length - shown));
  const context = contextOf(chat);
  const banner = bannerOf(chat, now);
  const above = [header(chat, width), ...(banner === undefined ? [] : [plain(banner, width)])];
  const below = [
    plain(infoOf(chat), width),
    ...(context === undefined ? [] : [plain({ text: context, colour: "cyan" }, width)]),
    ...(bar === undefined
      ? composer.lines.slice(skipped, skipped + shown).map((line, index) => ({
          spans: [{ text: (index === 0 && skipped === 0 ? PROMPT : "  ") + fit(line, width - 2) }],
          isInverse: false,
        }))
      : [plain({ text: bar, colour: "yellow" }, width)]),
    plain({ text: hintOf(chat), dim: true }, width),
  ];
  const room = Math.max(0, height - above.length - below.length);
  const rows = [...above, ...area(chat, { width, height: room }), ...below].slice(-height);
  const y = rows.length - 1 - shown + (composer.y - skipped);
  const isOpen = chat.removed === undefined && bar === undefined;
  const isWriting = chat.selected === undefined && isOpen && y >= 0;
  return { rows, cursor: isWriting ? { x: composer.x + PROMPT.length, y } : undefined };
}

/** The messages, from the bottom. */
function area(chat: Chat, size: Size): readonly FrameRow[] {
  const empty: FrameRow = { spans: [], isInverse: false };
  if (size.height === 0) return [];
  const blocks = chat.blocks(size);
  const { rows } = viewOf(blocks, chat.place, size.height);
  const shown = chat.isHelpShown
    ? HELP.slice(0, size.height).map((text) => plain({ text }, size.width))
    : rows.map(({ key, row }) => ({ spans: row, isInverse: key === chat.selected }));
  return [...Array.from({ length: size.height - shown.length }, () => empty), ...shown];
}

function header(chat: Chat, width: number): FrameRow {
  const { room, thread, timeline } = chat;
  const here = room.here > 0 ? ` · ${room.here} here` : "";
  const through = room.status === "live" ? ` · complete through #${room.completeThrough}` : "";
  const place = thread === undefined ? "" : ` · thread of #${thread}`;
  const older = timeline.older === "loading" ? " · loading older messages" : "";
  const failed = timeline.older === "failed" ? " · older messages did not load" : "";
  const text = fit(` ${room.room}${place}${here}${through}${older}${failed}`, width);
  return { spans: [{ text: text.padEnd(width), bold: true }], isInverse: true };
}

function bannerOf(chat: Chat, now: number): Span | undefined {
  const { parley, room, removed, wasOnline, timeline, problem } = chat;
  if (removed !== undefined) {
    return {
      text: ` You can no longer read this room (${removed}). Ctrl+C leaves.`,
      colour: "red",
    };
  }
  if (room.status === "left") return { text: " You may not read this room.", colour: "red" };
  const { state, retryAt = now } = parley;
  const count = timeline.snapshot.unsent.filter(({ kind }) => kind === "pending").length;
  const queue = count === 0 ? "" : ` ${count} ${count === 1 ? "message waits" : "messages wait"}.`;
  if (state === "waiting") {
    const seconds = Math.max(0, Math.ceil((retryAt - now) / 1_000));
    return { text: ` No connection. Next attempt in ${seconds} s.${queue}`, colour: "yellow" };
  }
  if (state === "connecting") {
    return { text: ` ${wasOnline ? "Reconnecting" : "Connecting"} …${queue}`, colour: "yellow" };
  }
  if (state !== "closed") return undefined;
  const why = problem === undefined ? "" : ` ${problem}`;
  return { text: ` The connection is closed.${why} Ctrl+C leaves.`, colour: "red" };
}

/** One row under the messages: a notice, new messages below, or who types. */
function infoOf(chat: Chat): Span {
  if (chat.notice !== "") return { text: chat.notice, colour: "yellow" };
  const { entries } = chat.timeline.snapshot;
  const added = chat.place === undefined ? 0 : entries.filter(({ seq }) => seq > chat.seen).length;
  const { isAttached } = chat.timeline.snapshot;
  if (added > 0 || !isAttached) {
    const count = added > 0 ? `${added} new below` : "newer messages below";
    return { text: `↓ ${count} (End)`, colour: "cyan" };
  }
  const { names } = chat.typing;
  if (names.length === 0) return { text: "" };
  const who = names.length > 3 ? `${names.length} users` : names.join(", ");
  return { text: `${who} ${names.length === 1 ? "is" : "are"} typing …`, dim: true };
}

function contextOf({ mode, thread }: Chat): string | undefined {
  if (mode.kind === "edit") return `Edit #${mode.seq}: Enter stores it, Esc keeps it as it was`;
  if (mode.kind === "react") return `React to #${mode.seq}: one emoji or :name:, then Enter`;
  if (mode.replyTo !== undefined) return `Reply to #${mode.replyTo}: Esc makes it a plain message`;
  return thread === undefined ? undefined : `In the thread of #${thread}: Esc leaves it`;
}

/** At a selected message: the changes that the room takes (offers.1). */
function hintOf({ selected, selectedMessage: message, standing }: Chat): string {
  if (selected === undefined)
    return "F1 keys · Tab selects a message · PgUp history · Ctrl+C leaves";
  const offered = (Object.keys(CHANGES) as ChangeKey[]).filter((key) => {
    return message !== undefined && refusalOf(key, message, standing) === undefined;
  });
  return [...offered.map((key) => `${key} ${CHANGES[key]}`), "Up, Down", "Tab back"].join(" · ");
}

function plain(span: Span, width: number): FrameRow {
  return { spans: [{ ...span, text: fit(span.text, width) }], isInverse: false };
}
