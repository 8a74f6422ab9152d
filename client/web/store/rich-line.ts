// RichLine: cuts a line, or several, into spans: bold, italic, struck, code and links.
//
//   rich-line.1. The texts of all spans are the text without the markers. A marker without its
//        partner stays as text.
//   rich-line.2. A link opens an http or https address. Its text is that address; or a label, and
//        then the page shows the host behind it, so that no label can claim another site.
//   rich-line.3. The cost is linear in the length of the text, also for hostile texts: a marker is
//        opened once and closed once. Spans nest at most once for each kind of marker.

export type Style = "strong" | "emphasis" | "struck";

export type Span =
  | { readonly kind: "text" | "code"; readonly text: string }
  | {
      readonly kind: "link";
      readonly text: string;
      readonly href: string;
      /** Of a link with a label. */
      readonly host?: string;
    }
  | { readonly kind: Style; readonly spans: readonly Span[] };

// The alternatives begin with different characters and nest no quantifiers: rich-line.3. A label
// has a bound, because a "[" without its "]" would otherwise be read to the end, each time. Two
// underscores are no marker: users write `__init__.py`.
const SPECIAL =
  /`([^`\n]+)`|\[([^[\]\n]{1,200})\]\((https?:\/\/[^\s<>"'`{}|\\^()]{1,1000})\)|https?:\/\/[^\s<>"'`{}|\\^]+|\*{1,2}|_+|~~/giu;

const STYLES: Readonly<Record<string, Style>> = {
  "**": "strong",
  "*": "emphasis",
  _: "emphasis",
  "~~": "struck",
};

/** A marker that waits for its partner, and the spans behind it. */
interface Opened {
  readonly marker: string;
  readonly spans: Span[];
}

export function cutLine(text: string): readonly Span[] {
  const opened: Opened[] = [{ marker: "", spans: [] }];
  let end = 0;
  for (const match of text.matchAll(SPECIAL)) {
    const [source] = match;
    const before = text.slice(end, match.index);
    if (Object.hasOwn(STYLES, source)) {
      add(opened, before);
      mark(opened, source, sidesOf(text, match.index, source));
      end = match.index + source.length;
      continue;
    }
    const span = spanOf(match);
    if (span === undefined) continue;
    add(opened, before);
    opened.at(-1)?.spans.push(span.span);
    end = match.index + span.length;
  }
  add(opened, text.slice(end));
  while (opened.length > 1) giveUp(opened);
  return opened[0]?.spans ?? [];
}

/** Closes the innermost open marker of this kind, or opens one, or adds it as text. */
function mark(opened: Opened[], marker: string, sides: Sides): void {
  const isOpen = opened.some((one) => one.marker === marker); // At most one for each marker.
  if (isOpen && sides.canClose && !isEmpty(opened, marker)) {
    while (opened.at(-1)?.marker !== marker) giveUp(opened);
    const { spans } = opened.pop() as Opened;
    opened.at(-1)?.spans.push({ kind: STYLES[marker] as Style, spans });
  } else if (!isOpen && sides.canOpen) opened.push({ marker, spans: [] });
  else add(opened, marker);
}

function isEmpty(opened: readonly Opened[], marker: string): boolean {
  const last = opened.at(-1);
  return last?.marker === marker && last.spans.length === 0;
}

/** rich-line.1: the innermost open marker has no partner. */
function giveUp(opened: Opened[]): void {
  const { marker, spans } = opened.pop() as Opened;
  add(opened, marker);
  for (const span of spans) {
    if (span.kind === "text") add(opened, span.text);
    else opened.at(-1)?.spans.push(span);
  }
}

function add(opened: Opened[], text: string): void {
  if (text === "") return;
  const spans = opened.at(-1)?.spans;
  const last = spans?.at(-1);
  if (last?.kind === "text") spans?.splice(-1, 1, { kind: "text", text: last.text + text });
  else spans?.push({ kind: "text", text });
}

interface Sides {
  readonly canOpen: boolean;
  readonly canClose: boolean;
}

const WORD = /[\p{L}\p{N}]/u;

/**
 * A marker opens before a character and closes behind one. One of a single character is no marker
 * inside of a word: `2*3*4`, `snake_case_name`.
 */
function sidesOf(text: string, index: number, marker: string): Sides {
  const before = text.charAt(index - 1);
  const after = text.charAt(index + marker.length);
  const isBetweenWords = marker.length === 2;
  const canOpen = /\S/u.test(after) && (isBetweenWords || !WORD.test(before));
  const canClose = /\S/u.test(before) && (isBetweenWords || !WORD.test(after));
  return { canOpen, canClose };
}

function spanOf(match: RegExpExecArray): { span: Span; length: number } | undefined {
  const [source, code, label, target] = match;
  if (code !== undefined) return { span: { kind: "code", text: code }, length: source.length };
  if (label !== undefined && target !== undefined) {
    const host = hostOf(target);
    if (host === undefined) return undefined;
    return { span: { kind: "link", text: label, href: target, host }, length: source.length };
  }
  const address = trimAddress(source);
  if (hostOf(address) === undefined) return undefined;
  return { span: { kind: "link", text: address, href: address }, length: address.length };
}

/**
 * Punctuation after an address belongs to the sentence, and so does a bracket that the address did
 * not open.
 */
function trimAddress(address: string): string {
  let end = address.length;
  let open = count(address, "(") - count(address, ")");
  while (end > 0) {
    const last = address.charAt(end - 1);
    if (last === ")" && open < 0) open += 1;
    else if (!".,;:!?…*_~]".includes(last)) break;
    end -= 1;
  }
  return address.slice(0, end);
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}

/** Undefined for an address with a user name: it looks like one site and opens another. */
function hostOf(address: string): string | undefined {
  const url = URL.parse(address);
  if (url === null || url.username !== "" || url.password !== "") return undefined;
  if (url.protocol !== "http:" && url.protocol !== "https:") return undefined;
  return url.hostname === "" ? undefined : url.host;
}
