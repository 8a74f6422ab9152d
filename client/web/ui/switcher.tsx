// Switcher: finds a room or a user by a few typed letters, or opens a new room by its name. It is a
// combobox with a listbox in the browser's modal dialog, which traps the focus and handles Escape.
//
//   switcher.1. The choice that Enter opens does not change when open rooms of the server arrive.

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { isRoomId } from "#shared/protocol/ids.ts";
import type { ChatStore } from "../store/chat-store.ts";
import { matchRooms } from "../store/match-rooms.ts";
import type { KnownRoom, RoomChoice } from "../store/match-rooms.ts";
import { readRoom } from "../store/identity.ts";
import { badge } from "../store/words.ts";
import { t } from "../texts/texts.ts";
import { Icon } from "./icons.tsx";
import { RoomIcon } from "./room-icon.tsx";

/** The server searches when the user pauses. */
const PAUSE_MS = 150;
const TEXT_MAX = 64;

interface Props {
  readonly store: ChatStore;
  readonly onPick: (choice: RoomChoice) => void;
  readonly onClose: () => void;
}

export function Switcher({ store, onPick, onClose }: Props): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const [typed, setTyped] = useState("");
  const [selected, setSelected] = useState<string>();
  const found = useFound(store, typed);
  const choices = matchRooms(typed, store.entries, found);
  const at = choices.findIndex((choice) => keyOf(choice) === selected);
  const current = Math.max(0, at);
  const name = readRoom(typed);
  const isBroken = name !== "" && !isRoomId(name) && choices.length === 0;
  const first = choices[current];
  useEffect(() => {
    if (at < 0 && first !== undefined) setSelected(keyOf(first)); // switcher.1
  });
  // In a layout effect: a key that follows at once must not reach the composer.
  useLayoutEffect(() => dialog.current?.showModal(), []);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.isComposing) return;
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const next = choices[(current + by + choices.length) % choices.length];
    if (by !== 0 && next !== undefined) {
      event.preventDefault();
      setSelected(keyOf(next));
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (first !== undefined) onPick(first);
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
          setSelected(undefined);
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
            key={keyOf(choice)}
            choice={choice}
            id={`choice-${at}`}
            isCurrent={at === current}
            unread={store.entry(choice.room)?.unread ?? 0}
            onPick={() => onPick(choice)}
          />
        ))}
      </ul>
    </dialog>
  );
}

function keyOf({ kind, room }: RoomChoice): string {
  return `${kind === "user" ? "user" : "room"} ${room}`;
}

/** The open rooms of the server that match. Without an answer there are none. */
function useFound(store: ChatStore, typed: string): readonly KnownRoom[] {
  const [found, setFound] = useState<readonly KnownRoom[]>([]);
  const text = typed.trim().replace(/^#+/u, "").slice(0, TEXT_MAX);
  useEffect(() => {
    let isCurrent = true;
    const search = async (): Promise<void> => {
      const { rooms } = await store.api.findRooms(text).catch(() => ({ rooms: [] }));
      if (!isCurrent) return;
      setFound(
        rooms.map(({ room, title }) => ({ name: room, title: title ?? room, kind: "open" })),
      );
    };
    const timer = setTimeout(() => void search(), PAUSE_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [text]);
  return found;
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
        maxLength={130}
        onInput={(event) => onType(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <kbd aria-hidden="true">{t("key.escape")}</kbd>
    </div>
  );
}

function Choice(props: {
  readonly choice: RoomChoice;
  readonly id: string;
  readonly isCurrent: boolean;
  readonly unread: number;
  readonly onPick: () => void;
}): JSX.Element {
  const { choice, id, isCurrent, unread, onPick } = props;
  const { kind, title, room, roomKind } = choice;
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
      <RoomIcon entry={{ kind: roomKind, title }} />
      <bdi class="room-name">{title}</bdi>
      {roomKind !== "direct" && title !== room && <span class="choice-kind">#{room}</span>}
      {kind !== "listed" && <span class="choice-kind">{t(`choice.${kind}`)}</span>}
      {unread > 0 && <span class="badge">{badge(unread)}</span>}
    </li>
  );
}
