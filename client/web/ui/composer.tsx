// Composer: the field for a new message, or for the edit of an own one. Enter sends, Shift+Enter
// starts a new line. In an empty field ArrowUp edits the last own message, and Shift+ArrowUp moves
// the focus to the messages.
//
//   composer.1. When the page itself changes the text (sent, edited, cancelled), it changes the
//        field at once, not in the next frame: a key in between would be added to the old text.

import type { JSX, RefObject } from "preact";
import { useId, useLayoutEffect } from "preact/hooks";
import type { Draft } from "../store/draft.ts";
import { lastOwn } from "../store/message-source.ts";
import type { MessageSource } from "../store/message-source.ts";
import { typingWords } from "../store/words.ts";
import { AttachButton, pasteFiles, useDrop } from "./attach.tsx";
import { useNames } from "./avatar.tsx";
import { Icon } from "./icons.tsx";
import { lazyView } from "./lazy.tsx";
import { useMentions } from "./mention-list.tsx";
import { parts, t } from "../texts/texts.ts";

const FileChips = lazyView(async () => (await import("./files/file-chips.tsx")).FileChips);

/** A higher field scrolls. */
const HEIGHT_PX_MAX = 220;

interface Props {
  readonly source: MessageSource;
  readonly label: string;
  /** Why the user cannot write here: it stands in the place of the field. */
  readonly bar?: string | undefined;
  /** A rule of the room for writers. */
  readonly note?: string | undefined;
  readonly field: RefObject<HTMLTextAreaElement | null>;
  /** Moves the focus to the messages. */
  readonly onUp: () => void;
}

export function Composer(props: Props): JSX.Element {
  const { bar } = props;
  if (bar === undefined) return <Writer {...props} />;
  return (
    <div class="composer column">
      <p class="composer-bar" role="status">
        <Icon name="lock" />
        <span>{bar}</span>
      </p>
    </div>
  );
}

function Writer({ source, label, note, field, onUp }: Props): JSX.Element {
  const { draft } = source;
  const { problem, editing } = draft;
  const foot = useId();
  const change = (act: () => void): void => {
    act();
    if (field.current !== null) field.current.value = draft.text; // composer.1
  };
  const mentions = useMentions(source, field, (text) => change(() => draft.set(text)));
  useDrop({ draft, field });
  useLayoutEffect(() => grow(field.current), [draft.text, source]);
  useLayoutEffect(() => {
    if (editing !== undefined) focusEnd(field.current);
  }, [editing?.id]);

  const send = (event: Event): void => {
    event.preventDefault();
    change(() => draft.submit());
    field.current?.focus();
  };
  const editLast = (): boolean => {
    const message = source.timeline.at(lastOwn(source) ?? 0);
    if (message === undefined || source.changes.editMs(message) < 0) return false;
    change(() => draft.edit(message));
    return true;
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (isOfBrowser(event)) return;
    if (mentions.onKey(event)) {
      // Done.
    } else if (event.key === "Enter" && !event.shiftKey) send(event);
    else if (event.key === "Escape" && editing !== undefined) change(() => draft.cancel());
    else if (event.key === "ArrowUp" && draft.text === "" && editing === undefined) {
      if (event.shiftKey || !editLast()) onUp();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="composer column">
      {editing !== undefined && <Editing onCancel={() => change(() => draft.cancel())} />}
      <Files {...{ draft, field }} />
      {mentions.list}
      <form class="composer-box" onSubmit={send}>
        {draft.canAttach && <AttachButton {...{ draft, field }} />}
        <textarea
          ref={field}
          rows={1}
          value={draft.text}
          placeholder={label}
          aria-label={editing === undefined ? label : t("composer.edit")}
          aria-invalid={problem !== undefined}
          aria-describedby={foot}
          enterkeyhint="send"
          autocomplete="off"
          dir={draft.text === "" ? undefined : "auto"}
          {...mentions.attributes}
          onInput={(event) => {
            draft.set(event.currentTarget.value);
            mentions.follow();
          }}
          onPaste={(event) => pasteFiles(draft, event) && event.preventDefault()}
          onSelect={mentions.follow}
          onBlur={mentions.follow}
          onKeyDown={onKeyDown}
        />
        <Send canSend={draft.canSubmit} isEdit={editing !== undefined} />
      </form>
      <Foot id={foot} source={source} note={note} />
    </div>
  );
}

function isOfBrowser(event: KeyboardEvent): boolean {
  if (event.isComposing) return true; // Enter completes the composed character; it does not send.
  return event.altKey || event.ctrlKey || event.metaKey; // Shortcuts of the window.
}

function Files(props: {
  readonly draft: Draft;
  readonly field: RefObject<HTMLTextAreaElement | null>;
}): JSX.Element | null {
  const { draft, field } = props;
  if (draft.files === undefined) return null;
  return <FileChips files={draft.files} onRemoved={() => field.current?.focus()} />;
}

function Foot(props: {
  readonly id: string;
  readonly source: MessageSource;
  readonly note: string | undefined;
}): JSX.Element {
  const { id, source, note } = props;
  const { problem, editing } = source.draft;
  return (
    <div class="composer-foot" id={id}>
      {problem === undefined ? (
        <Typing names={source.typing} note={note} />
      ) : (
        <p class="problem">{problem}</p>
      )}
      <Hint isEdit={editing !== undefined} />
    </div>
  );
}

function Send({ canSend, isEdit }: { canSend: boolean; isEdit: boolean }): JSX.Element {
  const label = t(isEdit ? "composer.save" : "composer.send");
  return (
    <button type="submit" class="send" disabled={!canSend} aria-label={label} title={label}>
      <Icon name={isEdit ? "check" : "send"} />
    </button>
  );
}

function Hint({ isEdit }: { readonly isEdit: boolean }): JSX.Element {
  return (
    <p class="hint" aria-hidden="true">
      {parts(isEdit ? "composer.saves" : "composer.sends", {
        enter: <kbd>{t("key.enter")}</kbd>,
        shiftEnter: <kbd>{t("key.shiftEnter")}</kbd>,
      })}
    </p>
  );
}

function Editing({ onCancel }: { readonly onCancel: () => void }): JSX.Element {
  return (
    <p class="editing" role="status">
      <Icon name="pen" />
      <span>{t("composer.editing")}</span>
      <button type="button" class="link" onClick={onCancel}>
        {t("composer.cancel")}
      </button>
      <kbd aria-hidden="true">{t("key.escape")}</kbd>
    </p>
  );
}

function Typing(props: {
  readonly names: readonly string[];
  readonly note: string | undefined;
}): JSX.Element {
  const { names, note } = props;
  const nameOf = useNames();
  return (
    <p class="typing" role="status" aria-live="off">
      {names.length === 0 && note}
      {names.length > 0 && (
        <>
          <span class="dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          <span>{typingWords(names.map(nameOf))}</span>
        </>
      )}
    </p>
  );
}

function focusEnd(field: HTMLTextAreaElement | null): void {
  field?.focus();
  field?.setSelectionRange(field.value.length, field.value.length);
}

function grow(field: HTMLTextAreaElement | null): void {
  if (field === null) return;
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, HEIGHT_PX_MAX)}px`;
}
