// MessageActions: what a user can do with a message, from its toolbar, its keys and its reactions.

import type { Attachment } from "#shared/protocol/attachments.ts";
import type { FileLink } from "../store/files/file-port.ts";
import type { MessageRights } from "../store/room-rights.ts";
import type { RoomStore } from "../store/room-store.ts";
import type { Message, SentMessage } from "../store/timeline-rows.ts";

export interface MessageActions {
  readonly room: RoomStore | undefined;
  readonly rights: MessageRights | undefined;
  /** Shows the details in the panel. */
  readonly inspect: (id: string) => void;
  readonly retry: (id: string) => void;
  readonly discard: (id: string) => void;
  /** Opens the picker of emoji at this place. */
  readonly pick: (message: SentMessage, anchor: DOMRect) => void;
  readonly react: (message: SentMessage, emoji: string, on: boolean) => void;
  /** Opens the thread in the panel. Undefined within a thread. */
  readonly reply: ((message: SentMessage) => void) | undefined;
  /** Opens the message in the composer. */
  readonly edit: (message: SentMessage) => void;
  /** Asks, then deletes. */
  readonly remove: (message: SentMessage) => void;
  readonly pin: (message: SentMessage, on: boolean) => void;
  /** Shows an image of a message in full. */
  readonly view: (message: Message, file: Attachment) => void;
  /** Where the bytes of a file are. `isFresh`: the known link did not work. */
  readonly linkOf: (id: string, isFresh?: boolean) => Promise<FileLink>;
  /** Hides the refusal of the last change. */
  readonly dismiss: () => void;
}

/** The keys with an action, in the order of the toolbar. */
export const ACTION_KEYS = ["r", "t", "e", "p", "Delete"] as const;

/**
 * The action of a key on a focused message; undefined for other keys, and where the room would
 * refuse it.
 */
export function actionOfKey(
  key: string,
  message: SentMessage,
  isMine: boolean,
  actions: MessageActions,
): ((anchor: DOMRect) => void) | undefined {
  const { rights, reply } = actions;
  if (rights === undefined) return undefined;
  switch (key) {
    case "r":
      return rights.react ? (anchor) => actions.pick(message, anchor) : undefined;
    case "t": // A thread is read also where nothing more can be written.
      return reply && (rights.write || message.replies !== undefined)
        ? () => reply(message)
        : undefined;
    case "e":
      return isMine && rights.write && (actions.room?.changes.editMs(message) ?? 0) >= 0
        ? () => actions.edit(message)
        : undefined;
    case "p":
      return rights.pin ? () => actions.pin(message, message.isPinned !== true) : undefined;
    case "Delete":
      return (isMine ? rights.takeBack : rights.delete) ? () => actions.remove(message) : undefined;
    default:
      return undefined;
  }
}

/** The element of a message in the conversation, or in the panel. */
export function messageElement(id: string, within: ParentNode = document): HTMLElement | null {
  return within.querySelector<HTMLElement>(`.message[data-id="${CSS.escape(id)}"]`);
}
