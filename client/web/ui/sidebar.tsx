// Sidebar: the rooms and direct rooms of the user, newest activity first, with what is unread; a
// filter; and the signed-in user.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { ChatStore } from "../store/chat-store.ts";
import { matchesFilter } from "../store/room-entry.ts";
import type { RoomEntry } from "../store/room-entry.ts";
import { badge, connectionWords, leadWords, lineWords, whenWords } from "../store/words.ts";
import { t } from "../texts/texts.ts";
import { Avatar, Name, RoomTitle, useNames } from "./avatar.tsx";
import { Icon, Mark } from "./icons.tsx";
import type { IconName } from "./icons.tsx";
import { NotifyToggle } from "./notify-toggle.tsx";
import { RoomIcon } from "./room-icon.tsx";
import { LanguageButton } from "./language-picker.tsx";
import { ThemeToggle } from "./theme.tsx";

interface Props {
  readonly store: ChatStore;
  readonly isOverlay: boolean;
  readonly onPick: (room: string) => void;
  readonly onSwitch: () => void;
  readonly onCreate: () => void;
  readonly onDirect: () => void;
  readonly onDevices: () => void;
  readonly onClose: () => void;
  readonly onSignOut: () => void;
}

export function Sidebar(props: Props): JSX.Element {
  const { store, isOverlay, onPick, onSwitch, onClose } = props;
  const [typed, setTyped] = useState("");
  const { entries } = store;
  const shown = entries.filter((entry) => matchesFilter(entry, typed));
  const rooms = shown.filter(({ kind }) => kind !== "direct");
  const direct = shown.filter(({ kind }) => kind === "direct");
  const [first] = [...rooms, ...direct];
  return (
    <div class="sidebar">
      <header class="sidebar-top">
        <Mark />
        <span class="brand">Parley</span>
        <LanguageButton />
        <NotifyToggle />
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
      <Filter
        typed={typed}
        onType={setTyped}
        onEnter={() => {
          if (first === undefined) return;
          setTyped("");
          onPick(first.name);
        }}
      />
      <nav class="rooms" aria-label={t("rooms.title")}>
        <Section heading="rooms.title" entries={rooms} {...props}>
          <Tool
            icon="search"
            text="rooms.findOrOpen"
            shortcut={isMac() ? "⌘K" : t("key.findRoom")}
            act={onSwitch}
          />
          <Tool icon="plus" text="rooms.create" act={props.onCreate} />
        </Section>
        <Section heading="rooms.direct" entries={direct} {...props}>
          <Tool icon="plus" text="rooms.newDirect" act={props.onDirect} />
        </Section>
        {typed !== "" && (
          <p class="rooms-note" role="status">
            {shown.length === 0 ? t("rooms.noMatch") : ""}
          </p>
        )}
      </nav>
      <Me {...props} />
    </div>
  );
}

function Filter(props: {
  readonly typed: string;
  readonly onType: (text: string) => void;
  readonly onEnter: () => void;
}): JSX.Element {
  const { typed, onType, onEnter } = props;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.isComposing) return;
    if (event.key === "Enter") onEnter();
    else if (event.key === "Escape" && typed !== "") onType("");
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="finder" role="search" aria-label={t("rooms.filter")}>
      <Icon name="filter" />
      <input
        type="text"
        value={typed}
        placeholder={t("rooms.filter")}
        aria-label={t("rooms.filter")}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        maxLength={64}
        onInput={(event) => onType(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
    </div>
  );
}

function Section(
  props: Pick<Props, "store" | "onPick"> & {
    readonly heading: "rooms.title" | "rooms.direct";
    readonly entries: readonly RoomEntry[];
    readonly children: JSX.Element | JSX.Element[];
  },
): JSX.Element {
  const { store, heading, entries, children, onPick } = props;
  return (
    <>
      <div class="rooms-head">
        <h2 id={heading}>{t(heading)}</h2>
        {children}
      </div>
      <ul aria-labelledby={heading}>
        {entries.map((entry) => (
          <RoomItem
            key={entry.name}
            entry={entry}
            me={store.me}
            isActive={entry === store.activeEntry}
            onPick={onPick}
            onClose={() => store.closeRoom(entry.name)}
          />
        ))}
      </ul>
    </>
  );
}

function Tool(props: {
  readonly icon: IconName;
  readonly text: "rooms.findOrOpen" | "rooms.create" | "rooms.newDirect";
  readonly shortcut?: string;
  readonly act: () => void;
}): JSX.Element {
  const { icon, shortcut, act } = props;
  const label = t(props.text);
  return (
    <button
      type="button"
      class="quiet rooms-tool"
      aria-label={label}
      title={shortcut === undefined ? label : `${label} (${shortcut})`}
      onClick={act}
    >
      <Icon name={icon} />
    </button>
  );
}

function RoomItem(props: {
  readonly entry: RoomEntry;
  readonly me: string;
  readonly isActive: boolean;
  readonly onPick: (room: string) => void;
  readonly onClose: () => void;
}): JSX.Element {
  const { entry, me, isActive, onPick, onClose } = props;
  const { name, title, unread, last, store } = entry;
  const nameOf = useNames();
  const isDraft = store !== undefined && store.draft.unsent.trim() !== "" && !isActive;
  return (
    <li class={isActive ? "room room-active" : unread > 0 ? "room room-unread" : "room"}>
      <button
        type="button"
        class="room-open"
        aria-current={isActive ? "page" : undefined}
        onClick={() => onPick(name)}
        title={title}
      >
        <RoomIcon entry={entry} />
        <span class="room-words">
          <span class="room-line">
            <RoomTitle entry={entry} />
            {last !== undefined && <span class="room-when">{whenWords(last.at, Date.now())}</span>}
          </span>
          <span class="room-line">
            {/* Its direction is that of the message, so that its begin is not cut off. */}
            <span class="room-last" dir="auto">
              {last !== undefined && <bdi>{leadWords(last.from, entry.kind, me, nameOf)}</bdi>}
              {last !== undefined && lineWords(last)}
            </span>
            {isDraft && <span class="tag">{t("rooms.draft")}</span>}
            <Badges entry={entry} />
          </span>
        </span>
      </button>
      {entry.listed === undefined && store !== undefined && (
        <button
          type="button"
          class="quiet square room-leave"
          onClick={onClose}
          aria-label={t("rooms.closeRoom", { room: title })}
          title={t("rooms.closeRoom", { room: title })}
        >
          <Icon name="close" />
        </button>
      )}
    </li>
  );
}

/** Mentions stand out; in a direct room each message is one. */
function Badges({ entry }: { readonly entry: RoomEntry }): JSX.Element {
  const { kind, unread, mentions } = entry;
  return (
    <>
      {mentions > 0 && kind !== "direct" && (
        <span class="badge badge-mention">
          <span aria-hidden="true">@{badge(mentions)}</span>
          <span class="hidden">{t("rooms.mentions", { count: mentions })}</span>
        </span>
      )}
      {unread > 0 && (
        <span class={kind === "direct" ? "badge badge-mention" : "badge"}>
          {badge(unread)}
          <span class="hidden"> {t("rooms.unreadWord")}</span>
        </span>
      )}
    </>
  );
}

function Me({ store, onDevices, onSignOut }: Props): JSX.Element {
  const words = connectionWords(store.connection, Date.now());
  return (
    <footer class="me">
      <Avatar name={store.me} />
      <div class="me-words">
        <Name name={store.me} />
        <span
          class={`state state-${words.tone}`}
          title={t("rooms.count", { count: store.entries.length })}
        >
          {words.short}
        </span>
      </div>
      <ThemeToggle />
      <MeTool icon="devices" text="me.devices" act={onDevices} />
      <MeTool icon="leave" text="me.signOut" act={onSignOut} />
    </footer>
  );
}

function MeTool(props: {
  readonly icon: IconName;
  readonly text: "me.devices" | "me.signOut";
  readonly act: () => void;
}): JSX.Element {
  const { icon, act } = props;
  const label = t(props.text);
  return (
    <button type="button" class="quiet square" onClick={act} aria-label={label} title={label}>
      <Icon name={icon} />
    </button>
  );
}

function isMac(): boolean {
  return /Mac|iPhone|iPad/u.test(navigator.userAgent);
}
