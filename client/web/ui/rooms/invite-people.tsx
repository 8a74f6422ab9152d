// InvitePeople: the dialog that makes links into a closed room, and ends them.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { ShownInvite } from "../../store/room-admin.ts";
import type { RoomStore } from "../../store/room-store.ts";
import { inviteLink } from "../../store/page-links.ts";
import { dateWords, durationWords } from "../../store/words.ts";
import { t } from "../../texts/texts.ts";
import { CopyButton } from "../copy-button.tsx";
import { closeDialog, Dialog } from "../dialog.tsx";
import { useNextEnd } from "../use-next-end.ts";
import { SelectField } from "./form-dialog.tsx";

const TTLS_S = [3_600, 86_400, 604_800, 2_592_000];
const USES = [1, 5, 25, 100];
const ROLES = ["member", "reader"] as const;

interface Props {
  readonly room: RoomStore;
  readonly onClose: () => void;
}

export function InvitePeople({ room, onClose }: Props): JSX.Element {
  const [ttl, setTtl] = useState(604_800);
  const [uses, setUses] = useState(1);
  const [role, setRole] = useState<"member" | "reader">("member");
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const invites = room.admin.invites(Date.now());
  useNextEnd(invites.map(({ until }) => until));
  useEffect(() => {
    void room.loadInvites().then((failure) => setProblem((shown) => shown ?? failure));
  }, [room]);
  const make = (event: Event): void => {
    event.preventDefault();
    setBusy(true);
    void room.admin.invite({ ttl, uses, role }).then((made) => {
      setBusy(false);
      setProblem(made.ok ? undefined : made.problem);
    });
  };
  return (
    <Dialog class="confirm form-dialog" label={t("people.invite")} onClose={onClose}>
      <form onSubmit={make}>
        <h2>{t("people.invite")}</h2>
        <p class="confirm-note">{t("invite.note")}</p>
        <div class="fields">
          <SelectField
            label={t("invite.ttl")}
            value={ttl}
            options={TTLS_S.map((value) => ({ value, label: durationWords(value) }))}
            onSelect={setTtl}
          />
          <SelectField
            label={t("invite.uses")}
            value={uses}
            options={USES.map((value) => ({ value, label: t("invite.guests", { count: value }) }))}
            onSelect={setUses}
          />
          <SelectField
            label={t("people.role")}
            value={role}
            options={ROLES.map((value) => ({ value, label: t(`role.${value}`) }))}
            onSelect={setRole}
          />
        </div>
        <p class="problem" role="alert">
          {problem}
        </p>
        <button type="submit" class="primary" disabled={isBusy}>
          {t("invite.make")}
        </button>
      </form>
      {invites.length > 0 && <h3>{t("invite.list")}</h3>}
      <ul class="invites" aria-live="polite">
        {invites.map((invite) => (
          <Invite key={invite.id} room={room} invite={invite} onProblem={setProblem} />
        ))}
      </ul>
      <div class="confirm-buttons">
        <button type="button" class="secondary" onClick={closeDialog}>
          {t("message.close")}
        </button>
      </div>
    </Dialog>
  );
}

function Invite(props: {
  readonly room: RoomStore;
  readonly invite: ShownInvite;
  readonly onProblem: (problem: string | undefined) => void;
}): JSX.Element {
  const { room, invite, onProblem } = props;
  const { id, from, until, uses, used, token } = invite;
  const link = token === undefined ? undefined : inviteLink(location.origin, token);
  return (
    <li>
      {link === undefined ? (
        <p class="invite-note">
          {from === undefined ? t("invite.elsewhere") : t("invite.by", { name: from })}
        </p>
      ) : (
        <div class="invite-link">
          <input type="text" readOnly value={link} aria-label={t("invite.link")} />
          <CopyButton text={link} label={t("invite.copy")} />
        </div>
      )}
      <p class="invite-note">
        {t("invite.left", { count: uses - used })} · {t("invite.until", { date: dateWords(until) })}
        <button
          type="button"
          class="link"
          onClick={() => void room.admin.revoke(id).then(onProblem)}
        >
          {t("invite.revoke")}
        </button>
      </p>
    </li>
  );
}
