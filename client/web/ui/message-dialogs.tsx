// MessageDialogs: the dialog that is open for a message: the picker of emoji, the question before a
// deletion, or an image. When it closes, the focus returns to the message.

import type { JSX } from "preact";
import type { RoomStore } from "../store/room-store.ts";
import { EmojiPicker } from "./emoji-picker.tsx";
import { lazyView } from "./lazy.tsx";
import type { Layout } from "./layout.ts";
import { messageElement } from "./message-actions.ts";

const ConfirmDelete = lazyView(async () => (await import("./confirm-delete.tsx")).ConfirmDelete);
const ImageViewer = lazyView(async () => (await import("./files/image-viewer.tsx")).ImageViewer);

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
  if (dialog.kind === "view") {
    const linkOf = room.linkOf.bind(room);
    return <ImageViewer file={dialog.file} linkOf={linkOf} onClose={close} />;
  }
  if (dialog.kind === "delete") {
    const confirm = (): void => room.changes.delete(dialog.message.seq);
    return <ConfirmDelete message={dialog.message} onConfirm={confirm} onClose={close} />;
  }
  const pick = (emoji: string): void => {
    const known = dialog.message.reactions?.find((reaction) => reaction.emoji === emoji);
    room.changes.react(dialog.message.seq, emoji, known?.isMine !== true);
  };
  return <EmojiPicker anchor={dialog.anchor} onPick={pick} onClose={close} />;
}
