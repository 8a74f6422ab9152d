// Text: renders a user's text as elements. User text enters the page only here and only as text
// nodes, never as markup (H4).

import { unreachable } from "#shared/kit/assert.ts";
import type { JSX } from "preact";
import { cutText, isOnlyEmoji } from "../store/rich-text.ts";
import type { Block } from "../store/rich-text.ts";
import type { Span } from "../store/rich-line.ts";

export function Text({ text }: { readonly text: string }): JSX.Element {
  const size = isOnlyEmoji(text) ? " text-emoji" : "";
  return (
    <div class={`text${size}`} dir="auto">
      {cutText(text).map(drawBlock)}
    </div>
  );
}

function drawBlock(block: Block, index: number): JSX.Element {
  switch (block.kind) {
    case "paragraph":
      return (
        <p key={index} dir="auto">
          {block.spans.map(drawSpan)}
        </p>
      );
    case "quote":
      return (
        <blockquote key={index} dir="auto">
          {block.spans.map(drawSpan)}
        </blockquote>
      );
    case "code":
      return (
        <pre key={index} dir="ltr" tabIndex={0}>
          <code>{block.text}</code>
        </pre>
      );
    case "list": {
      const items = block.items.map((spans, at) => <li key={at}>{spans.map(drawSpan)}</li>);
      if (block.start === undefined) return <ul key={index}>{items}</ul>;
      return (
        <ol key={index} start={block.start}>
          {items}
        </ol>
      );
    }
  }
  return unreachable(block);
}

function drawSpan(span: Span, index: number): JSX.Element | string {
  switch (span.kind) {
    case "text":
      return span.text;
    case "code":
      return <code key={index}>{span.text}</code>;
    case "strong":
      return <strong key={index}>{span.spans.map(drawSpan)}</strong>;
    case "emphasis":
      return <em key={index}>{span.spans.map(drawSpan)}</em>;
    case "struck":
      return <s key={index}>{span.spans.map(drawSpan)}</s>;
    case "link":
      return <Link key={index} {...span} />;
  }
  return unreachable(span);
}

/** A label does not show where it leads, so the host stands behind it (rich-line.2). */
function Link(props: {
  readonly text: string;
  readonly href: string;
  readonly host?: string;
}): JSX.Element {
  const { text, href, host } = props;
  return (
    <>
      <a href={href} target="_blank" rel="noopener noreferrer nofollow">
        {text}
      </a>
      {host !== undefined && <span class="link-host"> ({host})</span>}
    </>
  );
}
