// Notifications: the notifications of the desktop: the user's choice, the permission, the display.
//
//   notifications.1. The permission is requested only by a click of the user.

import type { ChatStore } from "../store/chat-store.ts";
import { Notifier } from "../store/notifier.ts";
import type { Notice } from "../store/notifier.ts";
import { load, save } from "../store/saved-rooms.ts";

const KEY = "parley.notify";

export type NotifyState = "on" | "off" | "denied" | "missing";

export function notifyState(): NotifyState {
  if (!("Notification" in window)) return "missing";
  if (Notification.permission === "denied") return "denied";
  const isOn = load(localStorage, KEY) === "on" && Notification.permission === "granted";
  return isOn ? "on" : "off";
}

/** Call it from a click (notifications.1). */
export async function toggleNotify(): Promise<NotifyState> {
  if (notifyState() === "on") save(localStorage, KEY, undefined);
  else if (notifyState() === "off") {
    save(localStorage, KEY, "on");
    if (Notification.permission !== "granted") await Notification.requestPermission();
  }
  return notifyState();
}

/** Shows notifications of the store until the returned function is called. */
export function notifyOf(
  store: ChatStore,
  onOpen: (room: string, seq: number) => void,
): () => void {
  const notifier = new Notifier({
    api: store.api,
    isHidden: () => document.visibilityState === "hidden" && notifyState() === "on",
    titleOf: (room) => store.entry(room)?.title ?? room,
    show: (notice) => show(notice, onOpen),
  });
  return store.onNote((note) => void notifier.receive(note));
}

function show(
  { title, body, tag, room, seq }: Notice,
  onOpen: (room: string, seq: number) => void,
): void {
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
