// Notifications: the notifications of the desktop: the user's choice and the permission. Does not
// own: the display (desktop-notes.ts).
//
//   notifications.1. The permission is requested only by a click of the user.

import type { Note } from "#shared/protocol/note.ts";
import type { ChatStore } from "../store/chat-store.ts";
import type { Notifier } from "../store/notifier.ts";
import { load, save } from "../store/saved-rooms.ts";
import type { OnOpen } from "./desktop-notes.ts";

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

const isWanted = (): boolean => document.visibilityState === "hidden" && notifyState() === "on";

/** Shows notifications of the store until the returned function is called. */
export function notifyOf(store: ChatStore, onOpen: OnOpen): () => void {
  let notes: Notifier | undefined;
  const onNote = async (note: Note): Promise<void> => {
    if (!isWanted()) return;
    const { desktopNotes } = await import("./desktop-notes.ts");
    notes ??= desktopNotes(store, isWanted, onOpen);
    await notes.receive(note);
  };
  // Without its code a note is only counted in the list of rooms.
  return store.onNote((note) => void onNote(note).catch(() => undefined));
}
