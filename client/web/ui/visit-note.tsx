// VisitNote: says that the user reads an open room without being its member, and offers to join it.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { ChatStore } from "../store/chat-store.ts";
import type { RoomEntry } from "../store/room-entry.ts";
import { mayDo } from "../store/room-rights.ts";
import type { RoomStore } from "../store/room-store.ts";
import { t } from "../texts/texts.ts";

interface Props {
  readonly store: ChatStore;
  readonly room: RoomStore;
  readonly entry: RoomEntry;
}

export function VisitNote({ store, room, entry }: Props): JSX.Element | null {
  const [problem, setProblem] = useState<string>();
  const { info } = room;
  const isVisit = entry.listed === undefined && store.listState === "loaded";
  const isMember = info.membership !== undefined && info.membership.role !== "none";
  const canJoin = mayDo("come", { settings: info.settings, role: info.role });
  if (!isVisit || isMember || !canJoin || room.status !== "live" || room.head === 0) return null;
  return (
    <div class="visit-note">
      <span>{problem ?? t("visit.text")}</span>
      <button
        type="button"
        class="secondary"
        onClick={() => void store.join(room.name).then(setProblem)}
      >
        {t("visit.join")}
      </button>
    </div>
  );
}
