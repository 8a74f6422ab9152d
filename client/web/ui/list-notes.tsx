// What stands where messages do not: a room's beginning, a page under way, the wait for a join.

import type { JSX } from "preact";
import type { RoomStore } from "../store/room-store.ts";
import { Mark } from "./icons.tsx";

export function Beginning({ room }: { readonly room: RoomStore }): JSX.Element {
  const isEmpty = room.timeline.sent.length === 0;
  return (
    <div class={isEmpty ? "beginning beginning-empty" : "beginning"}>
      <Mark />
      <h2>
        {isEmpty ? "Nothing said yet in " : "The beginning of "}
        <span class="room-name">#{room.name}</span>
      </h2>
      <p>
        {isEmpty
          ? "The first message here gets the number 1. It is shown to everyone once it is in the durable log, and not before."
          : "Nothing was said here before #1, and every message since has its number."}
      </p>
      {room.wasReset && (
        <p class="warning">This room’s log was started anew while you were here.</p>
      )}
    </div>
  );
}

export function OlderNote({ room }: { readonly room: RoomStore }): JSX.Element {
  if (room.older === "failed") {
    return (
      <p class="older">
        Older messages could not be read.{" "}
        <button type="button" class="link" onClick={() => void room.loadOlder()}>
          Try again
        </button>
      </p>
    );
  }
  return <p class="older">{room.older === "loading" ? "Reading older messages…" : ""}</p>;
}

/** Grey shapes where messages will be, after a moment: a fast join shows none. */
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
