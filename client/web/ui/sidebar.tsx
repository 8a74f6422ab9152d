// Sidebar: the open rooms, suggested rooms, and the signed-in user.

import type { JSX } from "preact";
import type { ChatStore } from "../store/chat-store.ts";
import type { RoomStore } from "../store/room-store.ts";
import { badge, connectionWords } from "../store/words.ts";
import { Avatar, Name } from "./avatar.tsx";
import { Icon, Mark } from "./icons.tsx";
import { ThemeToggle } from "./theme.tsx";
import { Spoken } from "./spoken.tsx";
import { t } from "../texts/texts.ts";

interface Props {
  readonly store: ChatStore;
  readonly isOverlay: boolean;
  readonly onPick: (room: string) => void;
  readonly onSwitch: () => void;
  readonly onClose: () => void;
  readonly onSignOut: () => void;
}

export function Sidebar(props: Props): JSX.Element {
  const { store, isOverlay, onPick, onSwitch, onClose, onSignOut } = props;
  return (
    <div class="sidebar">
      <header class="sidebar-top">
        <Mark />
        <span class="brand">Parley</span>
        {isOverlay && (
          <button
            type="button"
            class="quiet square"
            onClick={onClose}
            aria-label={t("rooms.close")}
          >
            <Icon name="close" />
          </button>
        )}
      </header>
      <button type="button" class="finder" onClick={onSwitch}>
        <Icon name="search" />
        <span>{t("rooms.find")}</span>
        <kbd aria-hidden="true">{isMac() ? "⌘K" : t("key.findRoom")}</kbd>
      </button>
      <nav class="rooms" aria-label={t("rooms.title")}>
        {store.rooms.length > 0 && <h2 id="rooms-open">{t("rooms.title")}</h2>}
        <ul aria-labelledby="rooms-open">
          {store.rooms.map((room) => (
            <RoomItem
              key={room.name}
              room={room}
              isActive={room === store.active}
              onPick={onPick}
              onLeave={() => store.leave(room.name)}
            />
          ))}
        </ul>
        {store.suggestions.length > 0 && <h2 id="rooms-more">{t("rooms.suggested")}</h2>}
        <ul aria-labelledby="rooms-more">
          {store.suggestions.map((name) => (
            <li key={name} class="room">
              <button type="button" class="room-open room-suggested" onClick={() => onPick(name)}>
                <span class="hash" aria-hidden="true">
                  <Icon name="plus" />
                </span>
                <span class="room-name">{name}</span>
              </button>
            </li>
          ))}
        </ul>
      </nav>
      <Me store={store} onSignOut={onSignOut} />
    </div>
  );
}

function RoomItem(props: {
  readonly room: RoomStore;
  readonly isActive: boolean;
  readonly onPick: (room: string) => void;
  readonly onLeave: () => void;
}): JSX.Element {
  const { room, isActive, onPick, onLeave } = props;
  const { unread } = room;
  return (
    <li class={isActive ? "room room-active" : unread > 0 ? "room room-unread" : "room"}>
      <button
        type="button"
        class="room-open"
        aria-current={isActive ? "page" : undefined}
        onClick={() => onPick(room.name)}
        title={room.name}
      >
        <span class="hash" aria-hidden="true">
          #
        </span>
        <span class="room-name">{room.name}</span>
        {unread > 0 && (
          <span class="badge">
            <Spoken text={t("rooms.unread", { count: badge(unread) })} shown={badge(unread)} />
          </span>
        )}
        {room.draft.unsent.trim() !== "" && !isActive && (
          <span class="tag">{t("rooms.draft")}</span>
        )}
      </button>
      <button
        type="button"
        class="quiet square room-leave"
        onClick={onLeave}
        aria-label={t("rooms.leave", { room: room.name })}
        title={t("rooms.leave", { room: room.name })}
      >
        <Icon name="close" />
      </button>
    </li>
  );
}

function Me({ store, onSignOut }: { store: ChatStore; onSignOut: () => void }): JSX.Element {
  const words = connectionWords(store.connection, Date.now());
  return (
    <footer class="me">
      <Avatar name={store.me} />
      <div class="me-words">
        <Name name={store.me} />
        <span
          class={`state state-${words.tone}`}
          title={t("rooms.count", { count: store.rooms.length })}
        >
          {words.short}
        </span>
      </div>
      <ThemeToggle />
      <button
        type="button"
        class="quiet square"
        onClick={onSignOut}
        aria-label={t("me.signOut")}
        title={t("me.signOut")}
      >
        <Icon name="leave" />
      </button>
    </footer>
  );
}

function isMac(): boolean {
  return /Mac|iPhone|iPad/u.test(navigator.userAgent);
}
