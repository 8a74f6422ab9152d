// Spoken: a sentence for screen readers of which the eye sees one part, such as "3" of "3 unread".

import type { JSX } from "preact";

interface Props {
  readonly text: string;
  /** The visible part of the text, which contains it. */
  readonly shown: string;
  readonly class?: string;
}

export function Spoken({ text, shown, class: name }: Props): JSX.Element {
  const at = text.indexOf(shown);
  const hidden = (part: string): JSX.Element | false =>
    part !== "" && <span class="hidden">{part}</span>;
  if (at < 0) return <>{hidden(text)}</>;
  return (
    <>
      {hidden(text.slice(0, at))}
      <span class={name}>{shown}</span>
      {hidden(text.slice(at + shown.length))}
    </>
  );
}
