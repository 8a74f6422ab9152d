// Text: renders a user's text as elements. User text enters the page only here and only as text
// nodes, never as markup (H4).

import { unreachable } from "#shared/kit/assert.ts";
import type { JSX } from "preact";
import { cutText, isOnlyEmoji } from "../store/rich-text.ts";
import type { Piece } from "../store/rich-text.ts";

export function Text({ text }: { readonly text: string }): JSX.Element {
  const size = isOnlyEmoji(text) ? " text-emoji" : "";
  return (
    <div class={`text${size}`} dir="auto">
      {cutText(text).map(draw)}
    </div>
  );
}

function draw(piece: Piece, index: number): JSX.Element | string {
  switch (piece.kind) {
    case "text":
      return piece.text;
    case "code":
      return <code key={index}>{piece.text}</code>;
    case "block":
      return (
        <pre key={index} dir="ltr" tabIndex={-1}>
          <code>{piece.text}</code>
        </pre>
      );
    case "link":
      return (
        <a key={index} href={piece.href} target="_blank" rel="noopener noreferrer nofollow">
          {piece.text}
        </a>
      );
  }
  return unreachable(piece);
}
