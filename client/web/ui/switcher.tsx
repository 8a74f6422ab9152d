// Switcher: finds a room by a few typed letters, or opens a new one by its name. It is a combobox
// with a listbox in the browser's modal dialog, which traps the focus and handles Escape.

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { isRoomId } from "#shared/protocol/ids.ts";
import type { ChatStore } from "../store/chat-store.ts";
import { matchRooms } from "../store/match-rooms.ts";
import type { RoomChoice } from "../store/match-rooms.ts";
import { readRoom } from "../store/identity.ts";
import { badge } from "../store/words.ts";
import { Icon } from "./icons.tsx";
import { t } from "../texts/texts.ts";

interface Props {
  readonly store: ChatStore;
  readonly onPick: (room: string) => void;
  readonly onClose: () => void;
}

export function Switcher({ store, onPick, onClose }: Props): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const [typed, setTyped] = useState("");
  const [index, setIndex] = useState(0);
  const choices = matchRooms(
    typed,
    store.rooms.map((room) => room.name),
    store.suggestions,
  );
  const current = Math.min(index, choices.length - 1);
  const name = readRoom(typed);
  const isBroken = name !== "" && !isRoomId(name);
  // In a layout effect: a key that follows at once must not reach the composer.
  useLayoutEffect(() => dialog.current?.showModal(), []);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.isComposing) return;
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (by !== 0 && choices.length > 0) {
      event.preventDefault();
      setIndex((current + by + choices.length) % choices.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const choice = choices[current];
      if (choice !== undefined) onPick(choice.room);
    }
  };
  return (
    <dialog
      ref={dialog}
      class="switcher"
      aria-label={t("rooms.findOrOpen")}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <Field
        typed={typed}
        current={choices.length > 0 ? current : undefined}
        onType={(text) => {
          setTyped(text);
          setIndex(0);
        }}
        onKeyDown={onKeyDown}
      />
      {isBroken && (
        <p class="switcher-note" role="alert">
          {t("signIn.badRoom")}
        </p>
      )}
      <ul id="switcher-list" role="listbox" aria-label={t("rooms.title")}>
        {choices.map((choice, at) => (
          <Choice
            key={choice.room}
            choice={choice}
            id={`choice-${at}`}
            isCurrent={at === current}
            unread={store.rooms.find((room) => room.name === choice.room)?.unread ?? 0}
            onPick={() => onPick(choice.room)}
          />
        ))}
      </ul>
    </dialog>
  );
}

function Field(props: {
  readonly typed: string;
  readonly current: number | undefined;
  readonly onType: (text: string) => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}): JSX.Element {
  const { typed, current, onType, onKeyDown } = props;
  return (
    <div class="switcher-field">
      <Icon name="search" />
      <input
        type="text"
        value={typed}
        placeholder={t("rooms.findOrOpen")}
        aria-label={t("signIn.room")}
        role="combobox"
        aria-expanded="true"
        aria-controls="switcher-list"
        aria-activedescendant={current === undefined ? undefined : `choice-${current}`}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        maxLength={80}
        onInput={(event) => onType(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <kbd aria-hidden="true">{t("key.escape")}</kbd>
    </div>
  );
}

const KIND_TEXTS = { suggested: "rooms.suggested", new: "rooms.openNew" } as const;

function Choice(props: {
  readonly choice: RoomChoice;
  readonly id: string;
  readonly isCurrent: boolean;
  readonly unread: number;
  readonly onPick: () => void;
}): JSX.Element {
  const { choice, id, isCurrent, unread, onPick } = props;
  const element = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isCurrent) element.current?.scrollIntoView({ block: "nearest" });
  }, [isCurrent]);
  return (
    <li
      ref={element}
      id={id}
      role="option"
      aria-selected={isCurrent}
      class={isCurrent ? "choice choice-current" : "choice"}
      onClick={onPick}
    >
      <span class="hash" aria-hidden="true">
        #
      </span>
      <span class="room-name">{choice.room}</span>
      <span class="choice-kind">{choice.kind !== "open" && t(KIND_TEXTS[choice.kind])}</span>
      {unread > 0 && <span class="badge">{badge(unread)}</span>}
    </li>
  );
}
