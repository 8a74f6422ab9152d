// Conversation: the header, the messages and the composer of one room.

import type { JSX, RefObject } from "preact";
import type { ChatStore } from "../store/chat-store.ts";
import type { RoomStore } from "../store/room-store.ts";
import { completenessWords, connectionWords } from "../store/words.ts";
import { Avatar } from "./avatar.tsx";
import { Composer } from "./composer.tsx";
import { useSeconds } from "./hooks.ts";
import { Icon } from "./icons.tsx";
import { Beginning } from "./list-notes.tsx";
import type { MessageActions } from "./message-actions.ts";
import { MessageList } from "./message-list.tsx";
import { WaitingSends } from "./waiting-sends.tsx";
import { Spoken } from "./spoken.tsx";
import { groupDigits, t } from "../texts/texts.ts";

interface Props {
  readonly store: ChatStore;
  readonly room: RoomStore;
  readonly field: RefObject<HTMLTextAreaElement | null>;
  readonly selected: string | undefined;
  readonly actions: MessageActions;
  readonly isPanelOpen: boolean;
  readonly onMenu: () => void;
  readonly onUsers: () => void;
  readonly onSignOut: () => void;
}

const FACES_MAX = 4;

export function Conversation(props: Props): JSX.Element {
  const { store, room, field, selected, actions } = props;
  return (
    <>
      <header class="room-top">
        <button
          type="button"
          class="quiet square menu"
          onClick={props.onMenu}
          aria-label={t("rooms.title")}
        >
          <Icon name="menu" />
          {store.unread > room.unread && <span class="dot" />}
        </button>
        <h1 title={room.name}>
          <span class="hash" aria-hidden="true">
            #
          </span>
          <span class="room-name">{room.name}</span>
        </h1>
        <Completeness room={room} isOnline={store.connection.state === "online"} />
        <button
          type="button"
          class="quiet faces"
          onClick={props.onUsers}
          aria-expanded={props.isPanelOpen}
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
      <Trouble store={store} room={room} onSignOut={props.onSignOut} />
      <MessageList
        key={room.name}
        source={room}
        label={t("room.messages", { room: room.name })}
        beginning={<Beginning room={room} />}
        selected={selected}
        actions={actions}
        onEscape={() => field.current?.focus()}
      />
      <Composer
        source={room}
        label={t("room.write", { room: room.name })}
        field={field}
        onUp={() => focusLast()}
      />
    </>
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

/** One sentence for each present problem; empty when there is none. */
function Trouble(props: { store: ChatStore; room: RoomStore; onSignOut: () => void }): JSX.Element {
  const { store, room, onSignOut } = props;
  const { connection } = store;
  const isWaiting = connection.state === "waiting";
  const words = connectionWords(connection, useSeconds(isWaiting));
  return (
    <div class="trouble" role="status">
      {isWaiting && (
        <Note
          tone="waiting"
          words={words.long}
          verb={t("connection.tryNow")}
          act={() => store.reconnect()}
        />
      )}
      <WaitingSends sends={store.waiting} />
      {connection.state === "closed" && (
        <Note tone="bad" words={words.long} verb={t("connection.signInAgain")} act={onSignOut} />
      )}
      {room.problem !== undefined && (
        <Note
          tone="bad"
          words={room.problem}
          verb={t("room.close")}
          act={() => store.leave(room.name)}
        />
      )}
    </div>
  );
}

function Note(props: {
  readonly tone: "waiting" | "bad";
  readonly words: string;
  readonly verb: string;
  readonly act: () => void;
}): JSX.Element {
  return (
    <div class={`trouble-note trouble-${props.tone}`}>
      <Icon name={props.tone === "waiting" ? "retry" : "alert"} />
      <span>{props.words}</span>
      <button type="button" class="link" onClick={props.act}>
        {props.verb}
      </button>
    </div>
  );
}

function focusLast(): void {
  const messages = document.querySelectorAll<HTMLElement>(".chat-main .message");
  messages[messages.length - 1]?.focus();
}
