// RichText: cuts the text of a message into pieces from which the page builds elements.
//
// It creates no markup. The `text` of a piece becomes a text node, and only the checked address of
// a link becomes an attribute (H4).
//
//   rich-text.1. The joined sources of all pieces are the text, unchanged.
//   rich-text.2. A link is an http or https URL, and its text is exactly the address that it opens.
//   rich-text.3. The cost is linear in the length of the text, also for hostile texts.

export type Piece =
  | { readonly kind: "text"; readonly source: string; readonly text: string }
  | { readonly kind: "code"; readonly source: string; readonly text: string }
  | { readonly kind: "block"; readonly source: string; readonly text: string }
  | {
      readonly kind: "link";
      readonly source: string;
      readonly text: string;
      readonly href: string;
    };

// The alternatives begin with different characters and nest no quantifiers: rich-text.3.
const SPECIAL =
  /```(?:[a-z0-9+-]{0,16}\n)?([^`]+)```\n?|`([^`\n]+)`|https?:\/\/[^\s<>"'`{}|\\^]+/giu;

export function cutText(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  const plain = (to: number): void => {
    if (to > end) pieces.push(textPiece(text.slice(end, to)));
    end = to;
  };
  for (const match of text.matchAll(SPECIAL)) {
    const piece = pieceOf(match);
    if (piece === undefined) continue;
    plain(match.index);
    pieces.push(piece);
    end = match.index + piece.source.length;
  }
  plain(text.length);
  return pieces;
}

function pieceOf(match: RegExpExecArray): Piece | undefined {
  const [source, block, code] = match;
  if (block !== undefined) {
    return { kind: "block", source, text: block.replace(/^\n|\n$/gu, "") };
  }
  if (code !== undefined) return { kind: "code", source, text: code };
  const address = trimAddress(source);
  if (!isWebAddress(address)) return undefined;
  return { kind: "link", source: address, text: address, href: address };
}

function textPiece(source: string): Piece {
  return { kind: "text", source, text: source };
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

/** False for an address with a user name: it looks like one site and opens another. */
function isWebAddress(address: string): boolean {
  const url = URL.parse(address);
  if (url === null || url.username !== "" || url.password !== "") return false;
  return (url.protocol === "http:" || url.protocol === "https:") && url.hostname !== "";
}

// Not \p{RGI_Emoji}: a browser takes about a second to compile it.
const EMOJI = /^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}{2})/u;
const LARGE_EMOJI_MAX = 3;
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** True for one to three emoji without other text, which the page shows large. */
export function isOnlyEmoji(text: string): boolean {
  if (text.trim() === "" || text.length > 64) return false;
  const seen = [...graphemes.segment(text.replaceAll(/\s/gu, ""))];
  return seen.length <= LARGE_EMOJI_MAX && seen.every(({ segment }) => EMOJI.test(segment));
}
