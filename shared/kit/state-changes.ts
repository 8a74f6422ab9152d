// State changes: what a batch changes in the settings and the members of rooms.
//
// Owns: reading `room` and `member` lines, and the newest value of each room and user in a batch.
// Does not own: the stores, which keep the value with the highest number.
//
//   state-changes.1. A line that this version cannot read as a change changes nothing. The line
//        itself is archived like any other.
//   state-changes.2. The line since which a user is a member does not depend on how the lines are
//        cut into batches.

import { InviteChanges } from "./invite-changes.ts";
import type { InviteChange } from "./invite-changes.ts";
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
  /** The first line about the user in the batch … */
  readonly first: Seq;
  /**
   * … and the line since which the user is a member without a break; 0: no line of the batch began
   * it, so it is `first` unless the store has an earlier one (sinceOf).
   */
  readonly since: Seq;
}

export interface StateChanges {
  readonly settings: readonly SettingsChange[];
  readonly members: readonly MemberChange[];
  readonly invites: readonly InviteChange[];
}

/** Undefined when no event of the batch changes a state. */
export function stateChangesOf(events: readonly ArchiveEvent[]): StateChanges | undefined {
  const settings = new Map<RoomId, SettingsChange>();
  const members = new Map<string, MemberChange>();
  const invites = new InviteChanges();
  for (const { kind, room, seq, line } of events) {
    if (kind === "invite" || kind === "member") invites.take(room, line);
    if (kind === "room") {
      const change = readSettings(room, seq, line);
      if (change !== undefined && seq > (settings.get(room)?.seq ?? 0)) settings.set(room, change);
    } else if (kind === "member") {
      const change = readMember(room, seq, line);
      if (change === undefined) continue;
      const key = `${room} ${change.user}`;
      const before = members.get(key);
      if (seq > (before?.seq ?? 0)) members.set(key, before ? behind(before, change) : change);
    }
  }
  const { list } = invites;
  if (settings.size === 0 && members.size === 0 && list.length === 0) return undefined;
  return { settings: [...settings.values()], members: [...members.values()], invites: list };
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
  const isBanned = banned === true;
  const mute = mutedUntil as number;
  return { room, user, seq, role, mutedUntil: mute, banned: isBanned, first: seq, since: 0 };
}

/** `change` behind an earlier one of the same user in the batch. */
function behind(before: MemberChange, change: MemberChange): MemberChange {
  const since = isMember(before) ? before.since : change.seq;
  return { ...change, first: before.first, since };
}

/** Whether the user is in the room's list of members, so that the user's room list has it. */
export function isMember({ role, banned }: Pick<MemberChange, "role" | "banned">): boolean {
  return role !== "none" && !banned;
}

/** The line since which the user is a member; 0: the user is none. `stored`: before the batch. */
export function sinceOf(change: MemberChange, stored: MemberChange | undefined): Seq {
  if (!isMember(change)) return 0;
  if (change.since > 0) return change.since;
  return stored !== undefined && isMember(stored) ? stored.since : change.first;
}
