// FirstLink: the first link of a text, as the page shows it.

import { LINK_URL_LENGTH_MAX } from "#shared/protocol/limits.ts";
import { cutText } from "../rich-text.ts";
import type { Block } from "../rich-text.ts";
import type { Span } from "../rich-line.ts";

/**
 * Without its fragment, which no server gets. Undefined without a link, and for one that is too
 * long.
 */
export function firstLink(text: string): URL | undefined {
  for (const block of cutText(text)) {
    for (const span of spansOf(block)) {
      const href = hrefOf(span);
      if (href === undefined) continue;
      const url = new URL(href); // The text shows no link that a URL cannot read.
      url.hash = "";
      return url.href.length <= LINK_URL_LENGTH_MAX ? url : undefined;
    }
  }
  return undefined;
}

function spansOf(block: Block): readonly Span[] {
  if (block.kind === "list") return block.items.flat();
  return block.kind === "code" ? [] : block.spans;
}

function hrefOf(span: Span): string | undefined {
  if (span.kind === "link") return span.href;
  if (!("spans" in span)) return undefined;
  for (const inner of span.spans) {
    const href = hrefOf(inner);
    if (href !== undefined) return href;
  }
  return undefined;
}
