// RoomPanels: the panels about a room, which are loaded when the first one opens.

import type { JSX } from "preact";
import type { ChatStore } from "../../store/chat-store.ts";
import type { RoomEntry } from "../../store/room-entry.ts";
import type { RoomStore } from "../../store/room-store.ts";
import { englishDialogs } from "../../texts/english-dialogs.ts";
import { addTexts } from "../../texts/texts.ts";
import type { Layout } from "../layout.ts";
import { AboutPanel } from "./about-panel.tsx";
import { PinsPanel } from "./pins-panel.tsx";
import { SearchPanel } from "./search-panel.tsx";
import "../on-demand.css";

addTexts(englishDialogs);

interface Props {
  readonly kind: "about" | "pins" | "search";
  readonly store: ChatStore;
  readonly room: RoomStore;
  readonly entry: RoomEntry;
  readonly layout: Layout;
  readonly onJump: (seq: number, room?: string) => void;
  readonly onClose: () => void;
}

export function RoomPanels(props: Props): JSX.Element {
  const { kind, store, room, onJump, onClose } = props;
  if (kind === "search") return <SearchPanel {...{ store, room, onJump, onClose }} />;
  if (kind === "pins") return <PinsPanel {...{ room, onJump, onClose }} />;
  return <AboutPanel {...props} />;
}
