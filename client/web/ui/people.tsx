// People: the panel of the users of a room: who is here, the other members, the banned ones; each
// with what the user may do with them.

import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { isAtLeast } from "#shared/protocol/roles.ts";
import type { StoredMember } from "../store/chat-api.ts";
import { memberActions } from "../store/member-actions.ts";
import { mayDo } from "../store/room-rights.ts";
import type { RoomStore } from "../store/room-store.ts";
import { englishDialogs } from "../texts/english-dialogs.ts";
import { addTexts, groupDigits, t } from "../texts/texts.ts";
import { Avatar, Name } from "./avatar.tsx";
import { Icon } from "./icons.tsx";
import type { RoomDialog } from "./layout.ts";
import { PanelFrame } from "./panel-frame.tsx";
import { useNextEnd } from "./use-next-end.ts";
import "./on-demand.css";

addTexts(englishDialogs);

interface Props {
  readonly room: RoomStore;
  /** The user opened it, so it gets the focus. */
  readonly isOpened: boolean;
  readonly onDialog: (dialog: RoomDialog) => void;
  readonly onClose: () => void;
}

export function People({ room, isOpened, onDialog, onClose }: Props): JSX.Element {
  const { members, info, users, me } = room;
  useEffect(() => {
    if (room.status === "live" && members.state === "none") void members.load();
  }, [room, room.status]);
  const place = { settings: info.settings, role: info.role };
  const all = members.all;
  useNextEnd(all.map(({ mutedUntil = 0 }) => mutedUntil));
  const present = [...users].sort(inOrder(me));
  const absent = all.filter(({ user, role }) => role !== "none" && !users.has(user));
  const banned = mayDo("appoint", place) ? all.filter((member) => member.banned === true) : [];
  const others = room.here - present.length;
  const row = (user: string): JSX.Element => (
    <Person
      key={user}
      room={room}
      member={members.of(user) ?? { user, role: "none" }}
      {...{ onDialog }}
    />
  );
  return (
    <PanelFrame
      title={t("people.title")}
      onClose={onClose}
      {...(isOpened && { focusFor: room.name })}
    >
      <div class="panel-content">
        <Tools room={room} onDialog={onDialog} />
        <Head title={t("panel.here")} count={room.here} />
        <ul class="users">{present.map(row)}</ul>
        {others > 0 && (
          <p class="users-more">
            {present.length > 0
              ? t("panel.andMore", { count: others })
              : t("panel.tooMany", { count: others })}
          </p>
        )}
        {absent.length > 0 && <Head title={t("people.away")} count={absent.length} />}
        <ul class="users">
          {absent
            .map(({ user }) => user)
            .sort(inOrder(me))
            .map(row)}
        </ul>
        {banned.length > 0 && <Head title={t("people.banned")} count={banned.length} />}
        <ul class="users">{banned.map(({ user }) => row(user))}</ul>
        <Loading room={room} />
      </div>
    </PanelFrame>
  );
}

function Head({ title, count }: { readonly title: string; readonly count: number }): JSX.Element {
  return (
    <h3 class="people-head">
      {title} <span class="count">{groupDigits(count)}</span>
    </h3>
  );
}

function Tools({ room, onDialog }: Pick<Props, "room" | "onDialog">): JSX.Element | null {
  const place = { settings: room.info.settings, role: room.info.role };
  const canAdd = mayDo("appoint", place);
  const canInvite = mayDo("invite", place);
  if (!canAdd && !canInvite) return null;
  return (
    <div class="people-tools">
      {canAdd && (
        <button type="button" class="secondary" onClick={() => onDialog({ kind: "add" })}>
          <Icon name="addUser" />
          {t("people.add")}
        </button>
      )}
      {canInvite && (
        <button type="button" class="secondary" onClick={() => onDialog({ kind: "invite" })}>
          <Icon name="link" />
          {t("people.invite")}
        </button>
      )}
    </div>
  );
}

function Person(props: {
  readonly room: RoomStore;
  readonly member: StoredMember;
  readonly onDialog: (dialog: RoomDialog) => void;
}): JSX.Element {
  const { room, member, onDialog } = props;
  const { user, role, mutedUntil = 0 } = member;
  const isMe = user === room.me;
  const place = { settings: room.info.settings, role: room.info.role };
  const actions = isMe ? [] : memberActions(place, member, Date.now());
  const label = t("people.actions", { name: user });
  return (
    <li>
      <Avatar name={user} />
      <Name name={user} />
      {isMe && <span class="tag">{t("message.you")}</span>}
      {mutedUntil > Date.now() && <span class="tag">{t("people.muted")}</span>}
      {(isAtLeast(role, "moderator") || role === "reader") && (
        <span class="tag">{t(`role.${role}`)}</span>
      )}
      {actions.length > 0 && (
        <button
          type="button"
          class="quiet square person-more"
          aria-haspopup="dialog"
          aria-label={label}
          title={label}
          onClick={(event) => {
            const anchor = event.currentTarget.getBoundingClientRect();
            onDialog({ kind: "member", user, anchor });
          }}
        >
          <Icon name="more" />
        </button>
      )}
    </li>
  );
}

function Loading({ room: { members } }: { readonly room: RoomStore }): JSX.Element | null {
  if (members.state === "failed") {
    return (
      <p class="panel-note">
        {t("people.failed")}{" "}
        <button type="button" class="link" onClick={() => void members.load()}>
          {t("list.tryAgain")}
        </button>
      </p>
    );
  }
  if (!members.hasMore) return null;
  return (
    <button type="button" class="link" onClick={() => void members.load()}>
      {t("people.more")}
    </button>
  );
}

/** The user first. */
function inOrder(me: string): (a: string, b: string) => number {
  return (a, b) =>
    Number(b === me) - Number(a === me) ||
    a.localeCompare(b, "en", { numeric: true, sensitivity: "base" });
}
