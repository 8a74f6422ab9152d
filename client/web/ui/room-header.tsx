// RoomHeader: the title and the topic of the room, whether it is complete, and the buttons for its
// panels.

import type { JSX } from "preact";
import type { ChatStore } from "../store/chat-store.ts";
import type { RoomEntry } from "../store/room-entry.ts";
import type { RoomStore } from "../store/room-store.ts";
import { completenessWords } from "../store/words.ts";
import { groupDigits, t } from "../texts/texts.ts";
import { Avatar, RoomTitle } from "./avatar.tsx";
import { Icon } from "./icons.tsx";
import type { IconName } from "./icons.tsx";
import type { Layout } from "./layout.ts";
import { RoomIcon } from "./room-icon.tsx";
import { Spoken } from "./spoken.tsx";

const FACES_MAX = 4;

interface Props {
  readonly store: ChatStore;
  readonly room: RoomStore;
  readonly entry: RoomEntry;
  readonly layout: Layout;
}

export function RoomHeader({ store, room, entry, layout }: Props): JSX.Element {
  const { panel, show, closePanel, setMenuOpen, toggleUsers } = layout;
  const { topic = "" } = room.info.settings ?? {};
  const toggle = (kind: "about" | "pins" | "search"): void => {
    if (panel?.kind === kind) closePanel();
    else show({ kind });
  };
  return (
    <header class="room-top">
      <button
        type="button"
        class="quiet square menu"
        onClick={() => setMenuOpen(true)}
        aria-label={t("rooms.title")}
      >
        <Icon name="menu" />
        {store.unread > entry.unread && <span class="dot" />}
      </button>
      <div class="room-title">
        <h1 title={entry.title}>
          <RoomIcon entry={entry} />
          <RoomTitle entry={entry} />
        </h1>
        {topic !== "" && (
          <p class="room-topic" dir="auto" title={topic}>
            {topic}
          </p>
        )}
      </div>
      <Completeness room={room} isOnline={store.connection.state === "online"} />
      <PanelButton
        icon="search"
        label={t("search.open")}
        isOpen={panel?.kind === "search"}
        isWideOnly
        act={() => toggle("search")}
      />
      <PanelButton
        icon="pin"
        label={t("pins.title")}
        isOpen={panel?.kind === "pins"}
        isWideOnly
        act={() => toggle("pins")}
      />
      <PanelButton
        icon="info"
        label={t("about.title")}
        isOpen={panel?.kind === "about"}
        act={() => toggle("about")}
      />
      <button
        type="button"
        class="quiet faces"
        onClick={toggleUsers}
        aria-expanded={panel?.kind === "users"}
        title={t("room.whoIsHere")}
      >
        {[...room.users].slice(0, FACES_MAX).map((name) => (
          <Avatar key={name} name={name} />
        ))}
        <Icon name="users" />
        <Spoken
          text={t("room.hereNow", { count: room.here })}
          shown={groupDigits(room.here)}
          class="count"
        />
      </button>
    </header>
  );
}

function PanelButton(props: {
  readonly icon: IconName;
  readonly label: string;
  readonly isOpen: boolean;
  /** A phone has it in the panel about the room. */
  readonly isWideOnly?: boolean;
  readonly act: () => void;
}): JSX.Element {
  const { icon, label, isOpen, isWideOnly = false, act } = props;
  return (
    <button
      type="button"
      class={isWideOnly ? "quiet square wide-only" : "quiet square"}
      aria-label={label}
      aria-expanded={isOpen}
      title={label}
      onClick={act}
    >
      <Icon name={icon} />
    </button>
  );
}

/** The check mark needs a live room: without a connection there may be newer messages. */
function Completeness({ room, isOnline }: { room: RoomStore; isOnline: boolean }): JSX.Element {
  const words = completenessWords(room);
  const isLive = isOnline && room.status === "live";
  const isComplete = isLive && room.completeThrough >= room.head;
  return (
    <p class={isComplete ? "complete" : "complete complete-not"} title={words}>
      <Icon name={isComplete ? "check" : "clock"} />
      <span class="complete-words">{words}</span>
      <span class="complete-number" aria-hidden="true">
        #{groupDigits(room.completeThrough)}
      </span>
    </p>
  );
}
