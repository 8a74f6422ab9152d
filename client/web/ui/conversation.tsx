// Conversation: the header, the messages and the composer of one room.

import type { JSX, RefObject } from "preact";
import type { ChatStore } from "../store/chat-store.ts";
import type { RoomEntry } from "../store/room-entry.ts";
import { mayDo } from "../store/room-rights.ts";
import type { RoomStore } from "../store/room-store.ts";
import { connectionWords, dateWords, durationWords } from "../store/words.ts";
import { Composer } from "./composer.tsx";
import { useSeconds } from "./hooks.ts";
import { Icon } from "./icons.tsx";
import { Beginning } from "./list-notes.tsx";
import type { Layout } from "./layout.ts";
import type { MessageActions } from "./message-actions.ts";
import { MessageList } from "./message-list.tsx";
import { WaitingSends } from "./waiting-sends.tsx";
import { RoomHeader } from "./room-header.tsx";
import { VisitNote } from "./visit-note.tsx";
import { t } from "../texts/texts.ts";

interface Props {
  readonly store: ChatStore;
  readonly room: RoomStore;
  readonly entry: RoomEntry;
  readonly layout: Layout;
  readonly field: RefObject<HTMLTextAreaElement | null>;
  readonly selected: string | undefined;
  readonly actions: MessageActions;
  readonly onSignOut: () => void;
}

export function Conversation(props: Props): JSX.Element {
  const { store, room, entry, layout, field, selected, actions } = props;
  const sign = entry.kind === "open" ? "#" : "";
  return (
    <>
      <RoomHeader {...{ store, room, entry, layout }} />
      <Trouble store={store} room={room} onSignOut={props.onSignOut} />
      <VisitNote {...{ store, room, entry }} />
      <MessageList
        key={room.name}
        source={room}
        label={t("room.messages", { room: entry.title })}
        beginning={<Beginning room={room} title={sign + entry.title} />}
        selected={selected}
        actions={actions}
        onEscape={() => field.current?.focus()}
      />
      <Composer
        source={room}
        label={t("room.writeTo", { room: sign + entry.title })}
        bar={barWords(room)}
        note={slowWords(room)}
        field={field}
        onUp={() => focusLast()}
      />
    </>
  );
}

/** Why the user cannot write here, also in a thread. */
export function barWords(room: RoomStore): string | undefined {
  const { bar } = room;
  if (bar === undefined) return undefined;
  if (bar !== "muted") return t(`bar.${bar}`);
  return t("bar.muted", { time: dateWords(room.info.mutedUntil) });
}

function slowWords({ info }: RoomStore): string | undefined {
  const { settings, role } = info;
  const { slowMode = 0 } = settings ?? {};
  if (slowMode === 0 || mayDo("call", { settings, role })) return undefined;
  return t("slow.note", { duration: durationWords(slowMode) });
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
      {store.notice !== undefined && (
        <Note
          tone="bad"
          words={store.notice}
          verb={t("message.close")}
          act={() => store.setNotice(undefined)}
        />
      )}
      {room.problem !== undefined && (
        <Note
          tone="bad"
          words={room.problem}
          verb={t("room.close")}
          act={() => store.closeRoom(room.name)}
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
