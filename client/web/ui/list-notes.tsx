// ListNotes: what the list shows besides messages: the beginning of a room, a page that loads, a
// pending join.

import type { JSX } from "preact";
import type { MessageSource } from "../store/message-source.ts";
import type { RoomStore } from "../store/room-store.ts";
import { Mark } from "./icons.tsx";
import { parts, t } from "../texts/texts.ts";

export function Beginning(props: {
  readonly room: RoomStore;
  readonly title: string;
}): JSX.Element {
  const { room, title } = props;
  const isEmpty = room.timeline.sent.length === 0;
  return (
    <div class={isEmpty ? "beginning beginning-empty" : "beginning"}>
      <Mark />
      <h2>
        {parts(isEmpty ? "room.emptyTitle" : "room.beginTitle", {
          room: <bdi class="room-name">{title}</bdi>,
        })}
      </h2>
      <p>{t(isEmpty ? "room.emptyText" : "room.beginText")}</p>
      {room.wasReset && <p class="warning">{t("room.reset")}</p>}
    </div>
  );
}

export function OlderNote({ source }: { readonly source: MessageSource }): JSX.Element {
  if (source.older === "failed") {
    return (
      <p class="older">
        {t("list.olderFailed")}{" "}
        <button type="button" class="link" onClick={() => void source.loadOlder()}>
          {t("list.tryAgain")}
        </button>
      </p>
    );
  }
  return <p class="older">{source.older === "loading" ? t("list.olderLoading") : ""}</p>;
}

/** Grey placeholders for messages. CSS delays them, so a fast join shows none. */
export function Joining(): JSX.Element {
  return (
    <div class="joining" role="status">
      <span class="hidden">{t("room.joiningLong")}</span>
      {["a", "b", "c", "d", "e"].map((key) => (
        <div key={key} class="ghost" aria-hidden="true">
          <span class="ghost-avatar" />
          <span class="ghost-lines">
            <span />
            <span />
          </span>
        </div>
      ))}
    </div>
  );
}
