// RoomForm: the fields of the dialog for the settings of a room, and the change that they make.
//
// Owns: which settings the dialog has, and the times that it offers. Does not own: who may change
// them (room-rights.ts), the elements.
//
//   room-form.1. It has every setting that a room takes but `avatar`, which the page does not show.
//   room-form.2. A change names only what the user changed: a moderator may change the texts alone.
//   room-form.3. The offered times are those that a room takes, and the present one is among them.

import type { RoomSettings } from "#shared/protocol/events.ts";
import type { MemberRole } from "#shared/protocol/roles.ts";
import type { RoomChange } from "./client-port.ts";

export type RoomForm = Required<RoomChange>;

export const SEND_ROLES = ["member", "moderator", "owner"] as const satisfies readonly MemberRole[];
/** In seconds; 0: none. */
const SLOW_MODES_S = [0, 5, 10, 30, 60, 300, 3_600];
const HOUR_S = 3_600;
const DAY_S = 24 * HOUR_S;
/** In seconds; 0: always. */
const EDIT_WINDOWS_S = [0, 60, 300, 900, HOUR_S, DAY_S, 7 * DAY_S, 30 * DAY_S];

export function formOf(settings: RoomSettings | undefined): RoomForm {
  return {
    title: settings?.title ?? "",
    topic: settings?.topic ?? "",
    slowMode: settings?.slowMode ?? 0,
    editWindow: settings?.editWindow ?? 0,
    sendRole: settings?.sendRole ?? "member",
    archived: settings?.archived === true,
  };
}

/** room-form.2. */
export function changeOf(before: RoomForm, after: RoomForm): RoomChange {
  const keys = Object.keys(after) as (keyof RoomForm)[];
  return Object.fromEntries(
    keys.filter((key) => before[key] !== after[key]).map((key) => [key, after[key]]),
  );
}

/** room-form.3. */
export function slowModes({ slowMode }: RoomForm): readonly number[] {
  return withPresent(SLOW_MODES_S, slowMode);
}

export function editWindows({ editWindow }: RoomForm): readonly number[] {
  return withPresent(EDIT_WINDOWS_S, editWindow);
}

function withPresent(offered: readonly number[], present: number): readonly number[] {
  return [...new Set([...offered, present])].sort((a, b) => a - b);
}
