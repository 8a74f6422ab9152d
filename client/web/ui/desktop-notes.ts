// DesktopNotes: shows the notes of a store as notifications of the desktop. It is loaded with the
// first note that is to be shown.
//
// Owns: the notification and its click. Does not own: the choice and the words (store/notifier.ts),
// the permission (notifications.ts).

import type { ChatStore } from "../store/chat-store.ts";
import { Notifier } from "../store/notifier.ts";
import type { Notice } from "../store/notifier.ts";

export type OnOpen = (room: string, seq: number) => void;

export function desktopNotes(store: ChatStore, isHidden: () => boolean, onOpen: OnOpen): Notifier {
  return new Notifier({
    api: store.api,
    isHidden,
    titleOf: (room) => store.entry(room)?.title ?? room,
    show: (notice) => show(notice, onOpen),
  });
}

function show({ title, body, tag, room, seq }: Notice, onOpen: OnOpen): void {
  try {
    const notification = new Notification(title, { body, tag });
    notification.addEventListener("click", () => {
      window.focus();
      notification.close();
      onOpen(room, seq);
    });
  } catch {
    // A phone shows notifications only through a service worker: there the list has the mention.
  }
}
