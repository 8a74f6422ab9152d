// MessageRow: one message in the list. It renders again only for another message object
// (timeline-rows.1) or when its place among its neighbours changes. So a new message in a busy room
// renders one row. A change of the user's rights to write, edit and react renders all.

import { Component } from "preact";
import type { JSX, TargetedFocusEvent } from "preact";
import { useState } from "preact/hooks";
import type { Row } from "../store/days.ts";
import type { MessageRights } from "../store/room-rights.ts";
import type { Message, SentMessage, UnsentMessage } from "../store/timeline-rows.ts";
import { clockWords, instantWords, shortClockWords } from "../store/words.ts";
import { Avatar, Name } from "./avatar.tsx";
import { FileBoxes } from "./file-boxes.tsx";
import { Icon } from "./icons.tsx";
import { lazyView } from "./lazy.tsx";
import type { MessageActions } from "./message-actions.ts";
import { MessageTools } from "./message-tools.tsx";
import { Reactions } from "./reactions.tsx";
import { Text } from "./text.tsx";
import { Spoken } from "./spoken.tsx";
import { groupDigits, parts, t } from "../texts/texts.ts";

const MessageFiles = lazyView(
  async () => (await import("./files/message-files.tsx")).MessageFiles,
  FileBoxes,
);

/** Its code judges whether there is one, so that the first load has little of it. */
const LinkPreview = lazyView(() =>
  import("./previews/link-preview.tsx").then(
    (previews) => previews.LinkPreview,
    () => () => null, // A missing preview is no fault that a reader must know.
  ),
);

/** A longer text is folded; a button shows all of it. */
const FOLD_CHARACTERS = 1_500;
const FOLD_LINES = 20;

export interface MessageRowProps {
  readonly row: Row;
  readonly isMine: boolean;
  readonly isSelected: boolean;
  /** A change of the user has no answer yet. */
  readonly isWaiting: boolean;
  /** Why the user's last change was refused. */
  readonly problem: string | undefined;
  readonly actions: MessageActions;
}

interface State {
  readonly isHovered: boolean;
  readonly isFocused: boolean;
}

export class MessageRow extends Component<MessageRowProps, State> {
  override state: State = { isHovered: false, isFocused: false };

  override shouldComponentUpdate(next: MessageRowProps, state: State): boolean {
    const { row, isMine, isSelected, isWaiting, problem, actions } = this.props;
    const { write, react, editWindow } = actions.rights ?? {};
    const rights: Partial<MessageRights> = next.actions.rights ?? {};
    return (
      next.row.message !== row.message ||
      next.row.isHead !== row.isHead ||
      next.isMine !== isMine ||
      next.isSelected !== isSelected ||
      next.isWaiting !== isWaiting ||
      next.problem !== problem ||
      rights.write !== write ||
      rights.react !== react ||
      rights.editWindow !== editWindow ||
      state !== this.state
    );
  }

  override render(props: MessageRowProps, { isHovered, isFocused }: State): JSX.Element {
    const { row, isMine, isSelected, actions } = props;
    const { message, isHead } = row;
    if (message.kind === "notice") return <Notice notice={message} />;
    const isDeleted = message.kind === "sent" && message.isDeleted === true;
    const isActive = isHovered || isFocused;
    const classes = [
      "message",
      `message-${message.kind}`,
      isHead && "message-head",
      isMine && "message-mine",
      isDeleted && "message-deleted",
      message.kind === "sent" && message.isMention === true && "message-mention",
      isSelected && "message-selected",
    ];
    const time = clockWords(message.at);
    return (
      <article
        class={classes.filter(Boolean).join(" ")}
        data-id={message.id}
        data-seq={message.seq}
        aria-label={t("message.from", { name: message.from, time })}
        tabIndex={-1}
        onPointerEnter={(event) =>
          event.pointerType === "mouse" && this.#become({ isHovered: true })
        }
        onPointerLeave={() => this.#become({ isHovered: false })}
        onFocusIn={() => this.#become({ isFocused: true })}
        onFocusOut={(event) => this.#become({ isFocused: containsTarget(event) })}
      >
        {isHead ? <Avatar name={message.from} /> : <Time at={message.at} isShort />}
        <div class="message-body">
          {isHead && (
            <header class="message-who">
              <Name name={message.from} />
              {isMine && <span class="tag">{t("message.you")}</span>}
              <Time at={message.at} />
            </header>
          )}
          {isDeleted ? (
            <p class="deleted">{message.text}</p>
          ) : (
            <Content {...{ message, isActive, actions }} />
          )}
          {message.kind === "refused" && <Refusal message={message} actions={actions} />}
          {message.kind === "sent" && <Extras {...props} message={message} isActive={isActive} />}
        </div>
        <Status message={message} isMine={isMine} inspect={actions.inspect} />
        {isActive && message.kind === "sent" && !isDeleted && (
          <MessageTools message={message} isMine={isMine} actions={actions} />
        )}
      </article>
    );
  }

  #become(change: Partial<State>): void {
    const { isHovered, isFocused } = { ...this.state, ...change };
    if (isHovered === this.state.isHovered && isFocused === this.state.isFocused) return;
    this.setState({ isHovered, isFocused });
  }
}

/** True while the focus moves within the row. */
function containsTarget(event: TargetedFocusEvent<HTMLElement>): boolean {
  return event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget);
}

/** A change of the members or the settings. */
function Notice({ notice }: { readonly notice: SentMessage }): JSX.Element {
  const { seq, at, from, text, naming } = notice;
  return (
    <p class="notice" data-seq={seq} title={instantWords(at)}>
      <Name name={from} />{" "}
      {naming ? parts(naming.key, { user: <Name name={naming.user} /> }) : text}
    </p>
  );
}

function Time({ at, isShort }: { readonly at: number; readonly isShort?: boolean }): JSX.Element {
  const words = clockWords(at);
  return (
    <time class="time" dateTime={new Date(at).toISOString()} title={words}>
      {isShort === true ? shortClockWords(at) : words}
    </time>
  );
}

function Content(props: {
  readonly message: Message;
  readonly isActive: boolean;
  readonly actions: MessageActions;
}): JSX.Element {
  const { message, isActive, actions } = props;
  const { text, attachments: files } = message;
  return (
    <>
      {text !== "" && <Foldable message={message} />}
      {files !== undefined && (
        <MessageFiles {...{ message, files, actions }} isReachable={isActive} />
      )}
      {text.includes("://") && <LinkPreview {...{ message, actions }} />}
    </>
  );
}

function Foldable({ message }: { readonly message: Message }): JSX.Element {
  const { text } = message;
  const [isOpen, setOpen] = useState(false);
  const isLong =
    text.length > FOLD_CHARACTERS || text.split("\n", FOLD_LINES + 2).length > FOLD_LINES;
  const mentions = message.kind === "sent" ? message.mentions : undefined;
  if (!isLong) return <Text text={text} mentions={mentions} />;
  return (
    <div class={isOpen ? "unfolded" : "folded"}>
      <Text text={text} mentions={mentions} />
      <button type="button" class="link" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {t(isOpen ? "message.showLess" : "message.showAll")}
      </button>
    </div>
  );
}

/** What was done with the message, below its text. */
function Extras(
  props: MessageRowProps & { readonly message: SentMessage; readonly isActive: boolean },
): JSX.Element {
  const { message, isActive, isWaiting, problem, actions } = props;
  const { editedAt, isPinned, reactions, replies } = message;
  return (
    <>
      {(editedAt !== undefined || isPinned === true || isWaiting) && (
        <p class="marks">
          {isPinned === true && (
            <span class="mark-pinned">
              <Icon name="pin" />
              {t("message.pinned")}
            </span>
          )}
          {editedAt !== undefined && (
            <span title={instantWords(editedAt)}>{t("message.edited")}</span>
          )}
          {isWaiting && <span class="mark-waiting">{t("message.saving")}</span>}
        </p>
      )}
      {reactions !== undefined && (
        <Reactions
          reactions={reactions}
          isReachable={isActive}
          toggle={
            actions.rights?.react === true
              ? (emoji, on) => actions.react(message, emoji, on)
              : undefined
          }
        />
      )}
      {replies !== undefined && actions.reply !== undefined && (
        <button
          type="button"
          class="link replies"
          tabIndex={isActive ? 0 : -1}
          onClick={() => actions.reply?.(message)}
        >
          <Icon name="thread" />
          {t("message.replies", { count: replies })}
        </button>
      )}
      {problem !== undefined && <Problem words={problem} dismiss={actions.dismiss} />}
    </>
  );
}

function Problem({ words, dismiss }: { words: string; dismiss: () => void }): JSX.Element {
  return (
    <p class="refusal" role="alert">
      <Icon name="alert" />
      <span>{words}</span>
      <button type="button" class="link" onClick={dismiss}>
        {t("message.close")}
      </button>
    </p>
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
      <span>{t("message.notSent", { why: message.reason ?? "" })}</span>
      <button type="button" class="link" onClick={() => actions.retry(message.id)}>
        {t("message.tryAgain")}
      </button>
      <button type="button" class="link" onClick={() => actions.discard(message.id)}>
        {t("message.discard")}
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
      <span class="status status-pending" title={t("message.sendingLong")}>
        <Icon name="clock" />
        <span class="hidden">{t("message.sending")}</span>
      </span>
    );
  }
  const number = `#${groupDigits(message.seq)}`;
  return (
    <button
      type="button"
      class={isMine ? "status status-mine" : "status"}
      tabIndex={-1}
      title={t("message.numberTitle", { number })}
      onClick={() => inspect(message.id)}
    >
      {isMine && <Icon name="check" />}
      <Spoken
        text={t(isMine ? "message.sentNumber" : "message.number", { number })}
        shown={number}
      />
    </button>
  );
}
