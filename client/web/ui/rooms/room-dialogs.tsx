// RoomDialogs: the dialogs about rooms, their members and the devices of the user. They are loaded
// when the first one opens.

import type { JSX } from "preact";
import { unreachable } from "#shared/kit/assert.ts";
import type { ChatStore } from "../../store/chat-store.ts";
import { englishDialogs } from "../../texts/english-dialogs.ts";
import { addTexts } from "../../texts/texts.ts";
import { Devices } from "../devices.tsx";
import type { RoomDialog } from "../layout.ts";
import { CreateRoom } from "./create-room.tsx";
import { DirectRoom } from "./direct-room.tsx";
import { InvitePeople } from "./invite-people.tsx";
import { AddMember, LeaveRoom, RemoveMember } from "./member-dialogs.tsx";
import { MemberMenu } from "./member-menu.tsx";
import { RoomSettings } from "./room-settings.tsx";
import "../on-demand.css";

addTexts(englishDialogs);

interface Props {
  readonly store: ChatStore;
  readonly dialog: RoomDialog;
  readonly onDialog: (dialog: RoomDialog) => void;
  readonly onClose: () => void;
}

export function RoomDialogs({ store, dialog, onDialog, onClose }: Props): JSX.Element | null {
  const { active: room } = store;
  if (dialog.kind === "create") return <CreateRoom store={store} onClose={onClose} />;
  if (dialog.kind === "direct") return <DirectRoom store={store} onClose={onClose} />;
  if (dialog.kind === "devices") return <Devices store={store} onClose={onClose} />;
  if (room === undefined) return null;
  switch (dialog.kind) {
    case "settings":
      return <RoomSettings room={room} onClose={onClose} />;
    case "invite":
      return <InvitePeople room={room} onClose={onClose} />;
    case "add":
      return <AddMember room={room} onClose={onClose} />;
    case "leave":
      return <LeaveRoom room={room} store={store} onClose={onClose} />;
    case "member":
      return <MemberMenu {...dialog} {...{ room, onDialog, onClose }} />;
    case "remove":
    case "ban":
      return <RemoveMember {...dialog} {...{ room, onClose }} />;
  }
  return unreachable(dialog);
}
