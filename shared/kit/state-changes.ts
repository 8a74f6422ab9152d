// State changes: what a batch changes in the settings and the members of rooms.
//
// Owns: reading `room` and `member` lines, and the newest value of each room and user in a batch.
// Does not own: the stores, which keep the value with the highest number.
//
//   state-changes.1. A line that this version cannot read as a change changes nothing. The line
//        itself is archived like any other.

import { parseObject } from "./json.ts";
import type { ArchiveEvent } from "../ports/archive.ts";
import { settingsOf } from "../protocol/events.ts";
import type { RoomSettings } from "../protocol/events.ts";
import { isUserId } from "../protocol/ids.ts";
import type { Millis, RoomId, Seq, UserId } from "../protocol/ids.ts";
import { isRole, isRoomKind } from "../protocol/roles.ts";
import type { Role } from "../protocol/roles.ts";

export interface SettingsChange {
  readonly room: RoomId;
  readonly seq: Seq;
  readonly settings: RoomSettings;
}

export interface MemberChange {
  readonly room: RoomId;
  readonly user: UserId;
  readonly seq: Seq;
  readonly role: Role;
  /** 0: not muted. */
  readonly mutedUntil: Millis;
  readonly banned: boolean;
}

export interface StateChanges {
  readonly settings: readonly SettingsChange[];
  readonly members: readonly MemberChange[];
}

/** Undefined when no event of the batch changes a state. */
export function stateChangesOf(events: readonly ArchiveEvent[]): StateChanges | undefined {
  const settings = new Map<RoomId, SettingsChange>();
  const members = new Map<string, MemberChange>();
  for (const { kind, room, seq, line } of events) {
    if (kind === "room") {
      const change = readSettings(room, seq, line);
      if (change !== undefined && seq > (settings.get(room)?.seq ?? 0)) settings.set(room, change);
    } else if (kind === "member") {
      const change = readMember(room, seq, line);
      if (change === undefined) continue;
      const key = `${room} ${change.user}`;
      if (seq > (members.get(key)?.seq ?? 0)) members.set(key, change);
    }
  }
  if (settings.size === 0 && members.size === 0) return undefined;
  return { settings: [...settings.values()], members: [...members.values()] };
}

function readSettings(room: RoomId, seq: Seq, line: string): SettingsChange | undefined {
  const event = parseObject(line);
  if (event === undefined || !isRoomKind(event["kind"])) return undefined;
  // Without the keys that have no value.
  const settings = JSON.parse(
    JSON.stringify(settingsOf(event as unknown as RoomSettings)),
  ) as RoomSettings;
  return { room, seq, settings };
}

function readMember(room: RoomId, seq: Seq, line: string): MemberChange | undefined {
  const event = parseObject(line);
  const { user, role, mutedUntil = 0, banned } = event ?? {};
  if (!isUserId(user) || !isRole(role) || !Number.isSafeInteger(mutedUntil)) return undefined;
  return { room, user, seq, role, mutedUntil: mutedUntil as number, banned: banned === true };
}
