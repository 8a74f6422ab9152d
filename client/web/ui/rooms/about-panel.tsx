// AboutPanel: what a room is, and what the user can do with it: search, pins, jumps, settings,
// invites, notifications, leaving.

import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { mayDo } from "../../store/room-rights.ts";
import type { RoomEntry } from "../../store/room-entry.ts";
import type { RoomStore } from "../../store/room-store.ts";
import { durationWords } from "../../store/words.ts";
import { t } from "../../texts/texts.ts";
import { Icon } from "../icons.tsx";
import type { IconName } from "../icons.tsx";
import type { Layout } from "../layout.ts";
import { PanelFrame } from "../panel-frame.tsx";

interface Props {
  readonly room: RoomStore;
  readonly entry: RoomEntry;
  readonly layout: Layout;
  readonly onJump: (seq: number) => void;
  readonly onClose: () => void;
}

export function AboutPanel({ room, entry, layout, onJump, onClose }: Props): JSX.Element {
  const { settings, role } = room.info;
  const place = { settings, role };
  const { setRoomDialog, show } = layout;
  const canLeave = entry.listed !== undefined && mayDo("go", place);
  return (
    <PanelFrame title={t("about.title")} focusFor={room.name} onClose={onClose}>
      <div class="panel-content">
        <dl class="facts">
          {settings?.topic !== undefined && settings.topic !== "" && (
            <Fact name={t("about.topic")}>
              <span dir="auto">{settings.topic}</span>
            </Fact>
          )}
          <Fact name={t("about.kind")}>{t(`about.${entry.kind}`)}</Fact>
          {role !== undefined && entry.kind !== "direct" && (
            <Fact name={t("about.role")}>{t(`role.${role}`)}</Fact>
          )}
          {settings?.slowMode !== undefined && settings.slowMode > 0 && (
            <Fact name={t("settings.slowMode")}>{durationWords(settings.slowMode)}</Fact>
          )}
          {settings?.editWindow !== undefined && settings.editWindow > 0 && (
            <Fact name={t("settings.editWindow")}>{durationWords(settings.editWindow)}</Fact>
          )}
          {settings?.archived === true && (
            <Fact name={t("about.state")}>{t("about.archived")}</Fact>
          )}
        </dl>
        <ul class="about-actions">
          <Action icon="search" label={t("search.open")} act={() => show({ kind: "search" })} />
          <Action icon="pin" label={t("pins.title")} act={() => show({ kind: "pins" })} />
          {mayDo("describe", place) && (
            <Action
              icon="gear"
              label={t("settings.title")}
              act={() => setRoomDialog({ kind: "settings" })}
            />
          )}
          {mayDo("invite", place) && (
            <Action
              icon="link"
              label={t("people.invite")}
              act={() => setRoomDialog({ kind: "invite" })}
            />
          )}
          {canLeave && (
            <Action
              icon="leave"
              label={t("about.leave")}
              act={() => setRoomDialog({ kind: "leave" })}
            />
          )}
        </ul>
        <JumpToNumber room={room} onJump={onJump} />
        <JumpToDay room={room} onJump={onJump} />
      </div>
    </PanelFrame>
  );
}

function Fact(props: { readonly name: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

function Action(props: {
  readonly icon: IconName;
  readonly label: string;
  readonly act: () => void;
}): JSX.Element {
  return (
    <li>
      <button type="button" class="menu-item" onClick={props.act}>
        <Icon name={props.icon} />
        {props.label}
      </button>
    </li>
  );
}

interface JumpProps {
  readonly room: RoomStore;
  readonly onJump: (seq: number) => void;
}

function JumpToNumber({ room, onJump }: JumpProps): JSX.Element {
  const [typed, setTyped] = useState("");
  const seq = Number(typed.trim().replace(/^#/u, ""));
  const isValid = Number.isSafeInteger(seq) && seq >= 1 && seq <= room.head;
  return (
    <form
      class="field jump-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (isValid) onJump(seq);
      }}
    >
      <label for="jump-number">{t("jump.number")}</label>
      <input
        id="jump-number"
        type="text"
        inputMode="numeric"
        autocomplete="off"
        placeholder={room.head > 0 ? `1 – ${room.head}` : ""}
        value={typed}
        aria-invalid={typed !== "" && !isValid}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <button type="submit" class="secondary" disabled={!isValid}>
        {t("jump.go")}
      </button>
    </form>
  );
}

function JumpToDay({ room, onJump }: JumpProps): JSX.Element {
  const [day, setDay] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [hasFailed, setFailed] = useState(false);
  return (
    <form
      class="field jump-form"
      onSubmit={(event) => {
        event.preventDefault();
        setBusy(true);
        // Without a zone, a date with a time is one of the user's own.
        void room.findDay(new Date(`${day}T00:00:00`).getTime()).then((seq) => {
          setBusy(false);
          setFailed(seq === undefined);
          if (seq !== undefined) onJump(seq);
        });
      }}
    >
      <label for="jump-day">{t("jump.day")}</label>
      <input
        id="jump-day"
        type="date"
        value={day}
        onInput={(event) => setDay(event.currentTarget.value)}
      />
      <button type="submit" class="secondary" disabled={day === "" || isBusy}>
        {t("jump.go")}
      </button>
      <p class="problem" role="alert">
        {hasFailed ? t("jump.failed") : ""}
      </p>
    </form>
  );
}
