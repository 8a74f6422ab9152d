// Layout: which parts of the window are open: the rooms, the panel, the switcher, a dialog.
//
//   layout.1. What covers the list of users, and a dialog, belong to one room: they close when
//        another room is shown.
//   layout.2. When a dialog about a room closes, the focus returns to where it was opened.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Attachment } from "#shared/protocol/attachments.ts";
import type { Message, SentMessage } from "../store/timeline-rows.ts";
import { useMedia } from "./hooks.ts";

/** What covers the list of users in the panel. */
type Over =
  | { readonly kind: "details"; readonly id: string }
  | { readonly kind: "thread"; readonly id: string; readonly root: number }
  | { readonly kind: "about" | "pins" | "search" };

export type Panel = Over | { readonly kind: "users"; readonly isOpened: boolean };

export type MessageDialog =
  | { readonly kind: "react"; readonly message: SentMessage; readonly anchor: DOMRect }
  | { readonly kind: "delete"; readonly message: SentMessage }
  | { readonly kind: "view"; readonly message: Message; readonly file: Attachment };

type OfKind<Kind> = Kind extends string ? { readonly kind: Kind } : never;

/** A dialog about a room, a member or the devices of the user. */
export type RoomDialog =
  | OfKind<"create" | "direct" | "devices" | "settings" | "invite" | "add" | "leave">
  | { readonly kind: "member"; readonly user: string; readonly anchor: DOMRect }
  | (OfKind<"remove" | "ban"> & { readonly user: string });

export interface Layout {
  readonly isPhone: boolean;
  readonly panel: Panel | undefined;
  readonly dialog: MessageDialog | undefined;
  readonly roomDialog: RoomDialog | undefined;
  readonly isSwitching: boolean;
  /** The menu or the panel covers the conversation, which is then inert. */
  readonly isMenuOver: boolean;
  readonly isPanelOver: boolean;
  readonly show: (over: Over) => void;
  readonly toggleUsers: () => void;
  readonly setMenuOpen: (isOpen: boolean) => void;
  readonly setSwitching: (isOn: boolean) => void;
  readonly setDialog: (dialog: MessageDialog | undefined) => void;
  readonly setRoomDialog: (dialog: RoomDialog | undefined) => void;
  /**
   * One step back: from a message to the list of users; from there, or on a small screen, to
   * nothing.
   */
  readonly closePanel: () => void;
  /** Closes everything that covers the conversation. */
  readonly settle: () => void;
}

export function useLayout(room: string | undefined): Layout {
  const isPhone = useMedia("(max-width: 759px)");
  const isNarrow = useMedia("(max-width: 1119px)");
  const [users, setUsers] = useState({ isOpen: !isNarrow, isOpened: false });
  const [over, setOver] = useState<(Over & { readonly room: string | undefined }) | undefined>();
  const [dialog, setDialog] = useState<MessageDialog>();
  const [roomDialog, setRoomDialog] = useState<RoomDialog>();
  const opener = useRef<Element | null>(null);
  const [isMenuOpen, setMenuOpen] = useState(false);
  const [isSwitching, setSwitching] = useState(false);
  useLayoutEffect(() => {
    setOver(undefined); // layout.1
    setDialog(undefined);
    setRoomDialog(undefined);
  }, [room]);
  const closeUsers = (): void => setUsers({ isOpen: false, isOpened: false });
  const closePanel = (): void => {
    setOver(undefined);
    if (over === undefined || isNarrow) closeUsers();
  };
  const settle = (): void => {
    setSwitching(false);
    setMenuOpen(false);
    if (isNarrow) closePanel();
  };
  const below: Panel | undefined = users.isOpen
    ? { kind: "users", isOpened: users.isOpened }
    : undefined;
  const panel = over?.room === room && over !== undefined ? over : below;
  return {
    isPhone,
    panel,
    dialog,
    roomDialog,
    isSwitching,
    isMenuOver: isPhone && isMenuOpen,
    isPanelOver: isNarrow && panel !== undefined,
    show: (next) => setOver({ ...next, room }),
    toggleUsers: () => {
      setOver(undefined);
      setUsers({ isOpen: panel?.kind !== "users", isOpened: true });
    },
    setMenuOpen,
    setSwitching,
    setDialog,
    setRoomDialog: (next) => {
      if (roomDialog === undefined) opener.current = document.activeElement;
      setRoomDialog(next);
      const isLost = next === undefined && document.activeElement === document.body;
      if (isLost && opener.current instanceof HTMLElement) opener.current.focus(); // layout.2
    },
    closePanel,
    settle,
  };
}
