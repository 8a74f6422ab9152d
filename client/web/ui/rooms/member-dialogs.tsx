// MemberDialogs: the dialogs that add a member, that ask before one is removed or banned, and that
// ask before the user leaves.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { MemberRole } from "#shared/protocol/roles.ts";
import type { ChatStore } from "../../store/chat-store.ts";
import { readName } from "../../store/identity.ts";
import { standingAfter } from "../../store/member-actions.ts";
import { mayDo } from "../../store/room-rights.ts";
import type { RoomStore } from "../../store/room-store.ts";
import { t } from "../../texts/texts.ts";
import { FormDialog, SelectField, TextField } from "./form-dialog.tsx";

const REASON_MAX = 200;

interface Props {
  readonly room: RoomStore;
  readonly onClose: () => void;
}

export function AddMember({ room, onClose }: Props): JSX.Element {
  const [typed, setTyped] = useState("");
  const [role, setRole] = useState<MemberRole>("member");
  const name = readName(typed.replace(/^@/u, ""));
  const place = { settings: room.info.settings, role: room.info.role };
  const roles: readonly MemberRole[] = mayDo("promote", place)
    ? ["member", "reader", "moderator", "owner"]
    : ["member", "reader"];
  return (
    <FormDialog
      title={t("people.add")}
      submit={t("people.addSubmit")}
      canSubmit={name.ok && name.name !== room.me}
      onSubmit={() => room.admin.setMember(name.ok ? name.name : "", { role })}
      onClose={onClose}
    >
      <TextField
        label={t("people.user")}
        value={typed}
        maxLength={129}
        autofocus
        autocapitalize="off"
        spellcheck={false}
        onText={setTyped}
      />
      <SelectField
        label={t("people.role")}
        value={role}
        options={roles.map((value) => ({ value, label: t(`role.${value}`) }))}
        onSelect={setRole}
      />
    </FormDialog>
  );
}

export function RemoveMember(
  props: Props & { readonly kind: "remove" | "ban"; readonly user: string },
): JSX.Element {
  const { room, kind, user, onClose } = props;
  const [reason, setReason] = useState("");
  return (
    <FormDialog
      title={t(`member.${kind}Title`, { name: user })}
      submit={t(`member.${kind}`)}
      isDangerous
      onSubmit={() => {
        const member = room.members.of(user) ?? { role: "none" };
        const standing = standingAfter({ kind }, member, { now: Date.now(), reason });
        return room.admin.setMember(user, standing);
      }}
      onClose={onClose}
    >
      <p class="confirm-note">{t(`member.${kind}Note`)}</p>
      <TextField
        label={t("member.reason")}
        value={reason}
        maxLength={REASON_MAX}
        autofocus
        onText={setReason}
      />
    </FormDialog>
  );
}

export function LeaveRoom(props: Props & { readonly store: ChatStore }): JSX.Element {
  const { room, store, onClose } = props;
  const isClosed = room.info.settings?.kind === "closed";
  return (
    <FormDialog
      title={t("leave.title", { room: store.entry(room.name)?.title ?? room.name })}
      submit={t("leave.submit")}
      isDangerous
      onSubmit={() => store.leave(room.name)}
      onClose={onClose}
    >
      <p class="confirm-note">{t(isClosed ? "leave.closedNote" : "leave.openNote")}</p>
    </FormDialog>
  );
}
