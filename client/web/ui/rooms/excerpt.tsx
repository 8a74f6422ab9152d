// Excerpt: a message in a list of a panel: a few lines, and the way to it.

import type { ComponentChildren, JSX } from "preact";
import { dateWords } from "../../store/words.ts";
import { t } from "../../texts/texts.ts";
import { Avatar, Name } from "../avatar.tsx";

/** A part of the text; `isHit`: the search found it. */
export interface ExcerptPart {
  readonly text: string;
  readonly isHit?: boolean;
}

interface Props {
  readonly from: string;
  readonly at: number;
  readonly seq: number;
  /** The room, when the list has messages of several. */
  readonly room?: string;
  readonly parts: readonly ExcerptPart[];
  readonly onJump: (seq: number) => void;
  readonly children?: ComponentChildren;
}

export function Excerpt(props: Props): JSX.Element {
  const { from, at, seq, room, parts, onJump, children } = props;
  return (
    <li class="excerpt">
      <p class="excerpt-who">
        <Avatar name={from} />
        <Name name={from} />
        <time class="time" dateTime={new Date(at).toISOString()}>
          {dateWords(at)}
        </time>
      </p>
      {room !== undefined && <p class="excerpt-room">{room}</p>}
      <p class="excerpt-text" dir="auto">
        {parts.map(({ text, isHit }, index) =>
          isHit === true ? <mark key={index}>{text}</mark> : text,
        )}
      </p>
      <p class="excerpt-tools">
        <button type="button" class="link" onClick={() => onJump(seq)}>
          {t("excerpt.jump")}
        </button>
        {children}
      </p>
    </li>
  );
}
