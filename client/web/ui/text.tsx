// Text: renders a user's text as elements. User text enters the page only here and only as text
// nodes, never as markup (H4).

import { unreachable } from "#shared/kit/assert.ts";
import type { JSX } from "preact";
import { cutMentions } from "../store/mention-text.ts";
import { cutText, isOnlyEmoji } from "../store/rich-text.ts";
import type { Block } from "../store/rich-text.ts";
import type { Span } from "../store/rich-line.ts";

interface Props {
  readonly text: string;
  /** The names that stand out behind an "@". */
  readonly mentions?: readonly string[] | undefined;
}

export function Text({ text, mentions = [] }: Props): JSX.Element {
  const size = isOnlyEmoji(text) ? " text-emoji" : "";
  const draw = (span: Span, index: number): JSX.Element | string => {
    return span.kind === "text" && mentions.length > 0 ? (
      <Mentioning key={index} text={span.text} names={mentions} />
    ) : (
      drawSpan(span, index, draw)
    );
  };
  return (
    <div class={`text${size}`} dir="auto">
      {cutText(text).map((block, index) => drawBlock(block, index, draw))}
    </div>
  );
}

type Draw = (span: Span, index: number) => JSX.Element | string;

function Mentioning(props: {
  readonly text: string;
  readonly names: readonly string[];
}): JSX.Element {
  return (
    <>
      {cutMentions(props.text, props.names).map(({ text, name }, index) =>
        name === undefined ? (
          text
        ) : (
          <span key={index} class="mention">
            {text}
          </span>
        ),
      )}
    </>
  );
}

function drawBlock(block: Block, index: number, draw: Draw): JSX.Element {
  switch (block.kind) {
    case "paragraph":
      return (
        <p key={index} dir="auto">
          {block.spans.map(draw)}
        </p>
      );
    case "quote":
      return (
        <blockquote key={index} dir="auto">
          {block.spans.map(draw)}
        </blockquote>
      );
    case "code":
      return (
        <pre key={index} dir="ltr" tabIndex={0}>
          <code>{block.text}</code>
        </pre>
      );
    case "list": {
      const items = block.items.map((spans, at) => <li key={at}>{spans.map(draw)}</li>);
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

function drawSpan(span: Span, index: number, draw: Draw): JSX.Element | string {
  switch (span.kind) {
    case "text":
      return span.text;
    case "code":
      return <code key={index}>{span.text}</code>;
    case "strong":
      return <strong key={index}>{span.spans.map(draw)}</strong>;
    case "emphasis":
      return <em key={index}>{span.spans.map(draw)}</em>;
    case "struck":
      return <s key={index}>{span.spans.map(draw)}</s>;
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
