// Rows: the messages of a timeline as lines of a terminal. Pure.
//
// Owns: what is shown of a message. Does not own: which of the rows are on the screen (scroll.ts).
//
//   rows.1. Nothing stands behind a user's text on a line, so a terminal that draws a character
//        wider than expected damages that text only.
//   rows.2. The rows of an entry depend on the entry and on the options, so they are kept for an
//        entry that is not replaced (timeline.4).

import type { ShownMessage } from "../../sdk/timeline/shown-message.ts";
import type { TimelineEntry, UnsentMessage } from "../../sdk/timeline/timeline.ts";
import { fit, widthOf, wrap } from "./wrap.ts";

export type Colour = "red" | "green" | "yellow" | "blue" | "magenta" | "cyan";

export interface Span {
  readonly text: string;
  readonly colour?: Colour;
  readonly bold?: boolean;
  readonly dim?: boolean;
}

export type Row = readonly Span[];

/** The rows of one message, with the lines above it. `key`: its message id. */
export interface Block {
  readonly key: string;
  readonly rows: readonly Row[];
}

export interface RowOptions {
  readonly width: number;
  readonly me: string | undefined;
  /** The messages of others above this number are unread. */
  readonly unreadAbove: number;
  /** The message of a number, for quotes. */
  readonly find: (seq: number) => ShownMessage | undefined;
}

const COLOURS: readonly Colour[] = ["yellow", "blue", "magenta", "cyan", "red"];
/** Under the text of a message. */
const INDENT = 6;
/** The widest name beside a text. */
const NAME_MAX = 20;

export class Rows {
  #kept = new WeakMap<TimelineEntry, Block>();
  #place = "";

  /** Oldest first. */
  blocks(
    entries: readonly TimelineEntry[],
    unsent: readonly UnsentMessage[],
    options: RowOptions,
  ): readonly Block[] {
    const { width, me, unreadAbove } = options;
    const place = `${width} ${me} ${unreadAbove}`;
    if (place !== this.#place) this.#kept = new WeakMap();
    this.#place = place;
    let before: TimelineEntry | undefined;
    const blocks = entries.map((entry) => {
      let block = this.#kept.get(entry);
      // What stands above the first entry changes when older ones are added before it.
      if (block === undefined || before === undefined) block = entryBlock(entry, before, options);
      if (before !== undefined) this.#kept.set(entry, block);
      before = entry;
      return block;
    });
    return [...blocks, ...unsent.map((message) => unsentBlock(message, options))];
  }
}

function entryBlock(
  entry: TimelineEntry,
  before: TimelineEntry | undefined,
  options: RowOptions,
): Block {
  const { me, unreadAbove, width } = options;
  const rows: Row[] = [];
  const day = dayOf(entry.at);
  if (before === undefined || dayOf(before.at) !== day) rows.push(titleRow(day, width));
  const isFirstUnread = entry.seq > unreadAbove && (before?.seq ?? unreadAbove) <= unreadAbove;
  if (unreadAbove > 0 && isFirstUnread && entry.from !== me) {
    rows.push(titleRow("new", width, "red"));
  }
  rows.push(...messageRows(entry, options));
  return { key: entry.id, rows };
}

function messageRows({ message, from, at }: TimelineEntry, options: RowOptions): readonly Row[] {
  const { width } = options;
  const head = headSpans(from, at, from === options.me);
  if (message === undefined) return [head];
  const { replyTo, deleted, state = {} } = message;
  const rows: Row[] = [];
  if (replyTo !== undefined) rows.push(noteRow(quoteText(replyTo, options), width));
  if (deleted !== undefined) {
    const why = deleted.by === from ? "(deleted)" : `(deleted by ${deleted.by})`;
    return [...rows, [...head, { text: fit(why, width - spanWidth(head)), dim: true }]];
  }
  rows.push(...textRows(head, textOf(message), width));
  const marks = [
    ...(state.edited === undefined ? [] : ["edited"]),
    ...(state.pinned === undefined ? [] : ["pinned"]),
    ...(state.replies === undefined || state.replies === 0 ? [] : [repliesText(state.replies)]),
    ...(state.reactions ?? []).map(({ emoji, count, users }) => {
      const isOwn = users.some((user) => user === options.me);
      return `${emoji} ${count}${isOwn ? "*" : ""}`;
    }),
  ];
  if (marks.length > 0) rows.push(noteRow(marks.join(" · "), width));
  return rows;
}

function unsentBlock(message: UnsentMessage, options: RowOptions): Block {
  const { id, kind, at, replyTo, error } = message;
  const head = headSpans(options.me ?? "you", at, true);
  const rows = [...textRows(head, textOf(message), options.width)];
  if (replyTo !== undefined) rows.unshift(noteRow(quoteText(replyTo, options), options.width));
  const refused = `not sent: ${error ?? "refused"} (Tab, then Enter sends it again, d discards it)`;
  const state = kind === "refused" ? refused : "sending …";
  const note: Span = { text: " ".repeat(INDENT) + fit(state, options.width - INDENT) };
  rows.push([kind === "refused" ? { ...note, colour: "red" } : { ...note, dim: true }]);
  return { key: id, rows };
}

function textRows(head: Row, text: string, width: number): readonly Row[] {
  const [first = "", ...more] = wrap(text, width - INDENT, width - spanWidth(head));
  return [[...head, { text: first }], ...more.map((line) => indented({ text: line }))];
}

function headSpans(from: string, at: number, isOwn: boolean): Row {
  const name = fit(from, NAME_MAX);
  const colour = isOwn ? "green" : colourOf(from);
  return [
    { text: `${timeOf(at)} `, dim: true },
    { text: name, bold: true, colour },
    { text: ": ", dim: true },
  ];
}

function quoteText(seq: number, { find }: RowOptions): string {
  const message = find(seq);
  if (message === undefined) return `↳ answers #${seq}`;
  const text = message.deleted === undefined ? textOf(message) : "(deleted)";
  return `↳ ${message.from}: ${text}`;
}

/** The text, then a line for each file. */
function textOf({ body, attachments = [] }: Pick<ShownMessage, "body" | "attachments">): string {
  const text = typeof body["text"] === "string" ? body["text"] : JSON.stringify(body);
  const files = attachments.map(({ name }) => `[${name}]`);
  return (text === "" ? files : [text, ...files]).join("\n");
}

function repliesText(count: number): string {
  return count === 1 ? "1 reply" : `${count} replies`;
}

function noteRow(text: string, width: number): Row {
  return indented({ text: fit(text, width - INDENT), dim: true });
}

function indented(span: Span): Row {
  return [{ text: " ".repeat(INDENT) }, span];
}

function titleRow(title: string, width: number, colour?: Colour): Row {
  const text = `── ${title} ${"─".repeat(Math.max(0, width - widthOf(title) - 4))}`;
  return [{ text: fit(text, width), dim: colour === undefined, ...(colour && { colour }) }];
}

function spanWidth(row: Row): number {
  return row.reduce((sum, { text }) => sum + widthOf(text), 0);
}

function colourOf(name: string): Colour {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 65_521;
  return COLOURS[sum % COLOURS.length] ?? "cyan";
}

export function timeOf(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

function dayOf(at: number): string {
  return new Date(at).toDateString();
}
