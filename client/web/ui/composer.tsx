// Composer: the field for a new message. Enter sends, Shift+Enter starts a new line, and ArrowUp in
// an empty field moves the focus to the messages.

import type { JSX, RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";
import type { RoomStore } from "../store/room-store.ts";
import { typingWords } from "../store/words.ts";
import { Icon } from "./icons.tsx";

/** A higher field scrolls. */
const HEIGHT_PX_MAX = 220;

interface Props {
  readonly room: RoomStore;
  readonly field: RefObject<HTMLTextAreaElement | null>;
  readonly onUp: () => void;
}

export function Composer({ room, field, onUp }: Props): JSX.Element {
  const problem = room.problemWith(room.draft);
  const canSend = room.draft.trim() !== "" && problem === undefined;
  useLayoutEffect(() => grow(field.current), [room.draft, room.name]);

  const send = (event: Event): void => {
    event.preventDefault();
    room.sendDraft();
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.isComposing) return; // Enter completes the composed character; it does not send.
    if (event.key === "Enter" && !event.shiftKey) send(event);
    else if (event.key === "ArrowUp" && room.draft === "") {
      event.preventDefault();
      onUp();
    }
  };
  return (
    <div class="composer column">
      <form class="composer-box" onSubmit={send}>
        <textarea
          ref={field}
          rows={1}
          value={room.draft}
          placeholder={`Message #${room.name}`}
          aria-label={`Message #${room.name}`}
          aria-invalid={problem !== undefined}
          aria-describedby="composer-foot"
          enterkeyhint="send"
          autocomplete="off"
          dir="auto"
          onInput={(event) => room.setDraft(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        <button type="submit" class="send" disabled={!canSend} aria-label="Send" title="Send">
          <Icon name="send" />
        </button>
      </form>
      <div class="composer-foot" id="composer-foot">
        {problem === undefined ? <Typing names={room.typing} /> : <p class="problem">{problem}</p>}
        <p class="hint" aria-hidden="true">
          <kbd>Enter</kbd> sends <kbd>Shift Enter</kbd> new line
        </p>
      </div>
    </div>
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
          <bdi>{typingWords(names)}</bdi>
        </>
      )}
    </p>
  );
}

function grow(field: HTMLTextAreaElement | null): void {
  if (field === null) return;
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, HEIGHT_PX_MAX)}px`;
}
