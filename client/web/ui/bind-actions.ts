// BindActions: connects the actions of messages to the room, the panel and the dialogs.

import type { Draft } from "../store/draft.ts";
import { messageRights } from "../store/room-rights.ts";
import type { RoomStore } from "../store/room-store.ts";
import type { MessageActions } from "./message-actions.ts";
import type { Layout } from "./layout.ts";

/** `isInThread`: for the messages of the thread in the panel. */
export function bindActions(
  room: RoomStore | undefined,
  layout: Layout,
  isInThread: boolean,
): MessageActions {
  const source = isInThread ? room?.thread : room;
  const draft: Draft | undefined = source?.draft;
  return {
    room,
    rights: room && messageRights(room.info, room.bar),
    inspect: (id) => layout.show({ kind: "details", id }),
    retry: (id) => source?.retry(id),
    discard: (id) => source?.discard(id),
    pick: (message, anchor) => layout.setDialog({ kind: "react", message, anchor }),
    react: (message, emoji, on) => room?.changes.react(message.seq, emoji, on),
    reply: isInThread
      ? undefined
      : ({ id, seq }) => {
          room?.openThread(seq);
          layout.show({ kind: "thread", id, root: seq });
        },
    edit: (message) => draft?.edit(message),
    remove: (message) => layout.setDialog({ kind: "delete", message }),
    pin: (message, on) => room?.changes.pin(message.seq, on),
    view: (message, file) => layout.setDialog({ kind: "view", message, file }),
    linkOf: (id, isFresh) => room?.linkOf(id, isFresh) ?? Promise.reject(new Error("not_joined")),
    dismiss: () => room?.changes.dismiss(),
  };
}
