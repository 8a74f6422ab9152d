// MessageRow: one message in the list. It renders again only for another message object
// (timeline-rows.1) or when its place among its neighbours changes. So a new message in a busy room
// renders one row.

import { Component } from "preact";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Row } from "../store/days.ts";
import type { Message, UnsentMessage } from "../store/timeline-rows.ts";
import { clockWords, groupDigits } from "../store/words.ts";
import { Avatar, Name } from "./avatar.tsx";
import { Icon } from "./icons.tsx";
import { Text } from "./text.tsx";

/** A longer text is folded; a button shows all of it. */
const FOLD_CHARACTERS = 1_500;
const FOLD_LINES = 20;

export interface MessageActions {
  readonly inspect: (id: string) => void;
  readonly retry: (id: string) => void;
  readonly discard: (id: string) => void;
}

export interface MessageRowProps {
  readonly row: Row;
  readonly isMine: boolean;
  readonly isSelected: boolean;
  readonly actions: MessageActions;
}

export class MessageRow extends Component<MessageRowProps> {
  override shouldComponentUpdate(next: MessageRowProps): boolean {
    const { row, isMine, isSelected } = this.props;
    return (
      next.row.message !== row.message ||
      next.row.isHead !== row.isHead ||
      next.isMine !== isMine ||
      next.isSelected !== isSelected
    );
  }

  override render({ row, isMine, isSelected, actions }: MessageRowProps): JSX.Element {
    const { message, isHead } = row;
    const classes = [
      "message",
      `message-${message.kind}`,
      isHead && "message-head",
      isMine && "message-mine",
      isSelected && "message-selected",
    ];
    const time = clockWords(message.at);
    return (
      <article
        class={classes.filter(Boolean).join(" ")}
        data-id={message.id}
        data-seq={message.seq}
        aria-label={`${message.from}, ${time}`}
        tabIndex={-1}
      >
        {isHead ? <Avatar name={message.from} /> : <Time at={message.at} words={time} />}
        <div class="message-body">
          {isHead && (
            <header class="message-who">
              <Name name={message.from} />
              {isMine && <span class="tag">you</span>}
              <Time at={message.at} words={time} />
            </header>
          )}
          <Foldable text={message.text} />
          {message.kind === "refused" && <Refusal message={message} actions={actions} />}
        </div>
        <Status message={message} isMine={isMine} inspect={actions.inspect} />
      </article>
    );
  }
}

function Time({ at, words }: { readonly at: number; readonly words: string }): JSX.Element {
  return (
    <time class="time" dateTime={new Date(at).toISOString()}>
      {words}
    </time>
  );
}

function Foldable({ text }: { readonly text: string }): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const isLong =
    text.length > FOLD_CHARACTERS || text.split("\n", FOLD_LINES + 2).length > FOLD_LINES;
  if (!isLong) return <Text text={text} />;
  return (
    <div class={isOpen ? "unfolded" : "folded"}>
      <Text text={text} />
      <button type="button" class="link" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {isOpen ? "Show less" : "Show all"}
      </button>
    </div>
  );
}

function Refusal(props: {
  readonly message: UnsentMessage;
  readonly actions: MessageActions;
}): JSX.Element {
  const { message, actions } = props;
  return (
    <p class="refusal" role="alert">
      <Icon name="alert" />
      <span>Not sent. {message.reason}</span>
      <button type="button" class="link" onClick={() => actions.retry(message.id)}>
        Try again
      </button>
      <button type="button" class="link" onClick={() => actions.discard(message.id)}>
        Discard
      </button>
    </p>
  );
}

/** The number of a message, or its state before it has one. The user's own are always visible. */
function Status(props: {
  readonly message: Message;
  readonly isMine: boolean;
  readonly inspect: (id: string) => void;
}): JSX.Element {
  const { message, isMine, inspect } = props;
  if (message.kind === "refused") return <span class="status" />;
  if (message.seq === undefined) {
    return (
      <span class="status status-pending" title="Sending, not confirmed yet">
        <Icon name="clock" />
        <span class="hidden">Sending</span>
      </span>
    );
  }
  const number = `#${groupDigits(message.seq)}`;
  return (
    <button
      type="button"
      class={isMine ? "status status-mine" : "status"}
      tabIndex={-1}
      title={`Message ${number}, stored safely. Show details`}
      onClick={() => inspect(message.id)}
    >
      {isMine && <Icon name="check" />}
      <span class="hidden">{isMine ? "Sent, number " : "Number "}</span>
      {number}
    </button>
  );
}
