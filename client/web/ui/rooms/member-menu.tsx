// MemberMenu: what the user may do with one member: roles, mute, remove, ban.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { StoredMember } from "../../store/chat-api.ts";
import { memberActions, standingAfter } from "../../store/member-actions.ts";
import type { MemberAction } from "../../store/member-actions.ts";
import type { RoomStore } from "../../store/room-store.ts";
import { t } from "../../texts/texts.ts";
import { Dialog } from "../dialog.tsx";
import type { RoomDialog } from "../layout.ts";

const MINUTE_MS = 60_000;
export const MUTES = [
  { key: "member.mute10", ms: 10 * MINUTE_MS },
  { key: "member.mute60", ms: 60 * MINUTE_MS },
  { key: "member.muteDay", ms: 24 * 60 * MINUTE_MS },
] as const;

interface Props {
  readonly room: RoomStore;
  readonly user: string;
  readonly anchor: DOMRect;
  readonly onDialog: (dialog: RoomDialog) => void;
  readonly onClose: () => void;
}

interface Item {
  readonly label: string;
  readonly action: MemberAction;
  readonly muteMs?: number;
}

export function MemberMenu({ room, user, anchor, onDialog, onClose }: Props): JSX.Element {
  const [problem, setProblem] = useState<string>();
  const member: StoredMember = room.members.of(user) ?? { user, role: "none" };
  const place = { settings: room.info.settings, role: room.info.role };
  const items = memberActions(place, member, Date.now()).flatMap((action) => itemsOf(action));
  const act = ({ action, muteMs = 0 }: Item, event: Event): void => {
    const { kind } = action;
    if (kind === "remove" || kind === "ban") {
      onDialog({ kind, user });
      return;
    }
    const dialog = (event.currentTarget as HTMLElement).closest("dialog");
    const standing = standingAfter(action, member, { now: Date.now(), muteMs });
    void room.admin.setMember(user, standing).then((refusal) => {
      setProblem(refusal);
      if (refusal === undefined) dialog?.close();
    });
  };
  const title = t("people.actions", { name: user });
  return (
    <Dialog class="picker menu-dialog" label={title} {...{ anchor, onClose, onKeyDown: move }}>
      {items.map((item) => (
        <button
          key={item.label}
          type="button"
          class={isDangerous(item.action) ? "menu-item menu-danger" : "menu-item"}
          onClick={(event) => act(item, event)}
        >
          {item.label}
        </button>
      ))}
      <p class="problem" role="alert">
        {problem}
      </p>
    </Dialog>
  );
}

function isDangerous({ kind }: MemberAction): boolean {
  return kind === "remove" || kind === "ban";
}

function itemsOf(action: MemberAction): readonly Item[] {
  if (action.kind === "role") return [{ label: t(`member.make.${action.role}`), action }];
  if (action.kind === "mute") {
    return MUTES.map(({ key, ms }) => ({ label: t(key), action, muteMs: ms }));
  }
  return [{ label: t(`member.${action.kind}`), action }];
}

function move(event: KeyboardEvent): void {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (step === 0 || !(event.currentTarget instanceof HTMLElement)) return;
  const buttons = [...event.currentTarget.querySelectorAll<HTMLElement>(".menu-item")];
  const at = buttons.findIndex((button) => button === document.activeElement);
  buttons.at((at + step + buttons.length) % buttons.length)?.focus();
  event.preventDefault();
}
