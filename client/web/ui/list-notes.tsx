// ListNotes: what the list shows besides messages: the beginning of a room, a page that loads, a
// pending join.

import type { JSX } from "preact";
import type { MessageSource } from "../store/message-source.ts";
import type { RoomStore } from "../store/room-store.ts";
import { Mark } from "./icons.tsx";

export function Beginning({ room }: { readonly room: RoomStore }): JSX.Element {
  const isEmpty = room.timeline.sent.length === 0;
  return (
    <div class={isEmpty ? "beginning beginning-empty" : "beginning"}>
      <Mark />
      <h2>
        {isEmpty ? "No messages yet in " : "The beginning of "}
        <span class="room-name">#{room.name}</span>
      </h2>
      <p>
        {isEmpty
          ? "Write the first message. Everyone in the room sees it as soon as it is stored safely."
          : "The numbers of this room begin here, with #1."}
      </p>
      {room.wasReset && (
        <p class="warning">
          The server lost some of this room’s messages. New messages use their numbers again.
        </p>
      )}
    </div>
  );
}

export function OlderNote({ source }: { readonly source: MessageSource }): JSX.Element {
  if (source.older === "failed") {
    return (
      <p class="older">
        Older messages could not be loaded.{" "}
        <button type="button" class="link" onClick={() => void source.loadOlder()}>
          Try again
        </button>
      </p>
    );
  }
  return <p class="older">{source.older === "loading" ? "Loading older messages…" : ""}</p>;
}

/** Grey placeholders for messages. CSS delays them, so a fast join shows none. */
export function Joining(): JSX.Element {
  return (
    <div class="joining" role="status">
      <span class="hidden">Joining the room…</span>
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
