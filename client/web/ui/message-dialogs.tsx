// MessageDialogs: the dialog that is open for a message: the picker of emoji, or the question
// before a deletion. When it closes, the focus returns to the message.

import type { JSX } from "preact";
import type { RoomStore } from "../store/room-store.ts";
import { ConfirmDelete } from "./confirm-delete.tsx";
import { EmojiPicker } from "./emoji-picker.tsx";
import type { Layout } from "./layout.ts";
import { messageElement } from "./message-actions.ts";

interface Props {
  readonly room: RoomStore | undefined;
  readonly layout: Layout;
}

export function MessageDialogs({ room, layout }: Props): JSX.Element | null {
  const { dialog, setDialog } = layout;
  if (dialog === undefined || room === undefined) return null;
  const { message } = dialog;
  const close = (): void => {
    setDialog(undefined);
    if (document.activeElement !== document.body) return; // The browser has moved it.
    (
      messageElement(message.id, document.querySelector(".chat-panel .thread") ?? undefined) ??
      messageElement(message.id)
    )?.focus();
  };
  if (dialog.kind === "delete") {
    const confirm = (): void => room.changes.delete(message.seq);
    return <ConfirmDelete message={message} onConfirm={confirm} onClose={close} />;
  }
  const pick = (emoji: string): void => {
    const known = message.reactions?.find((reaction) => reaction.emoji === emoji);
    room.changes.react(message.seq, emoji, known?.isMine !== true);
  };
  return <EmojiPicker anchor={dialog.anchor} onPick={pick} onClose={close} />;
}
