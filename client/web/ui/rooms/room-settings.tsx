// RoomSettings: the dialog for the settings of a room. Moderators change the texts, owners the
// rest.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { TITLE_LENGTH_MAX, TOPIC_LENGTH_MAX } from "#shared/protocol/limits.ts";
import { changeOf, editWindows, formOf, SEND_ROLES, slowModes } from "../../store/room-form.ts";
import type { RoomForm } from "../../store/room-form.ts";
import { mayDo } from "../../store/room-rights.ts";
import type { RoomStore } from "../../store/room-store.ts";
import { durationWords } from "../../store/words.ts";
import { t } from "../../texts/texts.ts";
import { FormDialog, SelectField, TextField } from "./form-dialog.tsx";
import type { Option } from "./form-dialog.tsx";

interface Props {
  readonly room: RoomStore;
  readonly onClose: () => void;
}

export function RoomSettings({ room, onClose }: Props): JSX.Element {
  const { settings, role } = room.info;
  const [start] = useState(() => formOf(settings));
  const [after, setAfter] = useState(start);
  const set = (change: Partial<RoomForm>): void => setAfter({ ...after, ...change });
  return (
    <FormDialog
      title={t("settings.title")}
      submit={t("composer.save")}
      onSubmit={async () => {
        const change = changeOf(start, after);
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
            options={timeOptions(slowModes(start), t("settings.slowOff"))}
            onSelect={(slowMode) => set({ slowMode })}
          />
          <SelectField
            label={t("settings.editWindow")}
            value={after.editWindow}
            options={timeOptions(editWindows(start), t("settings.editAlways"))}
            onSelect={(editWindow) => set({ editWindow })}
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

/** `none`: what stands for 0. */
function timeOptions(seconds: readonly number[], none: string): readonly Option<number>[] {
  return seconds.map((value) => ({ value, label: value === 0 ? none : durationWords(value) }));
}
