// RoomSettings: the dialog for the settings of a room. Moderators change the texts, owners the
// rest.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { TITLE_LENGTH_MAX, TOPIC_LENGTH_MAX } from "#shared/protocol/limits.ts";
import type { MemberRole } from "#shared/protocol/roles.ts";
import type { RoomChange } from "../../store/client-port.ts";
import { mayDo } from "../../store/room-rights.ts";
import type { RoomStore } from "../../store/room-store.ts";
import { durationWords } from "../../store/words.ts";
import { t } from "../../texts/texts.ts";
import { FormDialog, SelectField, TextField } from "./form-dialog.tsx";

const SLOW_MODES_S = [0, 5, 10, 30, 60, 300, 3_600];
const SEND_ROLES = ["member", "moderator", "owner"] as const satisfies readonly MemberRole[];

interface Props {
  readonly room: RoomStore;
  readonly onClose: () => void;
}

export function RoomSettings({ room, onClose }: Props): JSX.Element {
  const { settings, role } = room.info;
  const sendRole: MemberRole = settings?.sendRole ?? "member";
  const before = {
    title: settings?.title ?? "",
    topic: settings?.topic ?? "",
    slowMode: settings?.slowMode ?? 0,
    sendRole,
    archived: settings?.archived === true,
  };
  const [after, setAfter] = useState(before);
  const [start] = useState(before);
  const set = (change: Partial<typeof before>): void => setAfter({ ...after, ...change });
  const slowModes = [...new Set([...SLOW_MODES_S, start.slowMode])].sort((a, b) => a - b);
  return (
    <FormDialog
      title={t("settings.title")}
      submit={t("composer.save")}
      onSubmit={async () => {
        const change = changed(start, after);
        return Object.keys(change).length === 0 ? undefined : room.admin.update(change);
      }}
      onClose={onClose}
    >
      <TextField
        label={t("create.roomTitle")}
        value={after.title}
        maxLength={TITLE_LENGTH_MAX}
        autofocus
        onText={(title) => set({ title })}
      />
      <TextField
        label={t("create.topic")}
        value={after.topic}
        maxLength={TOPIC_LENGTH_MAX}
        onText={(topic) => set({ topic })}
      />
      {mayDo("configure", { settings, role }) && (
        <>
          <SelectField
            label={t("settings.slowMode")}
            value={after.slowMode}
            options={slowModes.map((value) => ({
              value,
              label: value === 0 ? t("settings.slowOff") : durationWords(value),
            }))}
            onSelect={(slowMode) => set({ slowMode })}
          />
          <SelectField
            label={t("settings.sendRole")}
            value={after.sendRole}
            options={SEND_ROLES.map((value) => ({ value, label: t(`settings.send.${value}`) }))}
            onSelect={(sendRole) => set({ sendRole })}
          />
          <div class="radio">
            <input
              type="checkbox"
              id="settings-archived"
              checked={after.archived}
              onChange={(event) => set({ archived: event.currentTarget.checked })}
            />
            <label for="settings-archived">{t("settings.archived")}</label>
          </div>
        </>
      )}
    </FormDialog>
  );
}

/** Only what was changed: a moderator may change the texts alone. */
function changed<Settings extends RoomChange>(before: Settings, after: Settings): RoomChange {
  const keys = Object.keys(after) as (keyof Settings)[];
  return Object.fromEntries(
    keys.filter((key) => before[key] !== after[key]).map((key) => [key, after[key]]),
  );
}
