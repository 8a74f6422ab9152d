// Composer: the field for a new message, or for the edit of an own one. Enter sends, Shift+Enter
// starts a new line. In an empty field ArrowUp edits the last own message, and Shift+ArrowUp moves
// the focus to the messages.
//
//   composer.1. When the page itself changes the text (sent, edited, cancelled), it changes the
//        field at once, not in the next frame: a key in between would be added to the old text.

import type { JSX, RefObject } from "preact";
import { useId, useLayoutEffect } from "preact/hooks";
import { lastOwn } from "../store/message-source.ts";
import type { MessageSource } from "../store/message-source.ts";
import { typingWords } from "../store/words.ts";
import { Icon } from "./icons.tsx";
import { parts, t } from "../texts/texts.ts";

/** A higher field scrolls. */
const HEIGHT_PX_MAX = 220;

interface Props {
  readonly source: MessageSource;
  readonly label: string;
  readonly field: RefObject<HTMLTextAreaElement | null>;
  /** Moves the focus to the messages. */
  readonly onUp: () => void;
}

export function Composer({ source, label, field, onUp }: Props): JSX.Element {
  const { draft } = source;
  const { problem, editing } = draft;
  const foot = useId();
  const change = (act: () => void): void => {
    act();
    if (field.current !== null) field.current.value = draft.text; // composer.1
  };
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
    const seq = lastOwn(source);
    const message = seq === undefined ? undefined : source.timeline.at(seq);
    if (message === undefined) return false;
    change(() => draft.edit(message));
    return true;
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.isComposing) return; // Enter completes the composed character; it does not send.
    if (event.altKey || event.ctrlKey || event.metaKey) return; // Shortcuts of the window.
    if (event.key === "Enter" && !event.shiftKey) send(event);
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
      <form class="composer-box" onSubmit={send}>
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
          onInput={(event) => draft.set(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        <Send canSend={draft.canSubmit} isEdit={editing !== undefined} />
      </form>
      <div class="composer-foot" id={foot}>
        {problem === undefined ? (
          <Typing names={source.typing} />
        ) : (
          <p class="problem">{problem}</p>
        )}
        <Hint isEdit={editing !== undefined} />
      </div>
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

function Typing({ names }: { readonly names: readonly string[] }): JSX.Element {
  return (
    <p class="typing" role="status" aria-live="off">
      {names.length > 0 && (
        <>
          <span class="dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          <span>{typingWords(names)}</span>
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
