// MemoryRoom: one room in a MemoryArchive, and what reads of the archive return of it.
//
// Owns: the stored values of one room, and the questions about them alone. Does not own: what a
// write changes (archive-memory.ts), room lists (memory-room-list.ts), the search
// (memory-search.ts).

import { keysOf } from "../kit/archived-ids.ts";
import type { SnapshotId } from "../kit/archived-ids.ts";
import { cutMembers } from "../kit/archived-members.ts";
import { countedMessages, cutSenders } from "../kit/archived-senders.ts";
import type { InviteChange } from "../kit/invite-changes.ts";
import type { Reaction } from "../kit/message-view.ts";
import type { MemberChange, SettingsChange } from "../kit/state-changes.ts";
import { SNAPSHOT_TAIL_BYTES_MAX, SNAPSHOT_TAIL_EVENTS } from "../ports/archive.ts";
import type { ArchiveEvent, Found } from "../ports/archive.ts";
import type { ReactedEvent } from "../protocol/events.ts";
import type { RoomSnapshotState, SenderTime } from "../protocol/history.ts";
import type { StoredInvite, StoredMember } from "../protocol/history.ts";
import { utf8Length } from "../protocol/ids.ts";
import type { MessageId, Millis, Seq, UserId } from "../protocol/ids.ts";
import type { ListableRoom } from "./memory-room-list.ts";

export interface StoredRoom extends ListableRoom {
  born: string;
  head: Seq;
  lastAt: Millis;
  readonly events: Map<Seq, ArchiveEvent>;
  /** keyOf(sender, id) → its sequence number. */
  readonly byId: Map<string, Seq>;
  /** The lines of sequence numbers that have no stored event. */
  readonly quarantined: Map<Seq, string>;
  settings: SettingsChange | undefined;
  readonly members: Map<UserId, MemberChange>;
  readonly invites: Map<MessageId, InviteChange>;
  /** By the number of the message: emoji → user → the newest reaction. */
  readonly reactions: Map<Seq, Map<string, Map<UserId, ReactedEvent>>>;
}

export function createRoom(): StoredRoom {
  const [events, byId, quarantined] = [new Map(), new Map(), new Map()];
  const members = new Map<UserId, MemberChange>();
  const [reads, mentions, invites] = [new Map(), new Map(), new Map()];
  const reactions = new Map();
  const state = { settings: undefined, members, invites, reactions, reads, mentions };
  return { born: "", head: 0, lastAt: 0, events, byId, quarantined, ...state };
}

export function stateOf(room: StoredRoom): RoomSnapshotState | undefined {
  const members = membersOf(room);
  if (room.settings === undefined && members.length === 0) return undefined;
  const { settings } = room.settings ?? {};
  const invites = invitesOf(room);
  return {
    ...(settings !== undefined && { settings }),
    ...cutMembers(members),
    ...(invites.length > 0 && { invites }),
  };
}

function invitesOf({ invites, lastAt }: StoredRoom): StoredInvite[] {
  return [...invites.values()]
    .flatMap(({ invite, made, used, isRevoked }): StoredInvite[] => {
      if (made === undefined || isRevoked || used >= made.uses || made.until <= lastAt) return [];
      return [[invite, made.hash, made.role, made.until, made.uses, used]];
    })
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

export function sendersOf(
  { head, lastAt, events }: StoredRoom,
  state: RoomSnapshotState | undefined,
): SenderTime[] | undefined {
  const counted = countedMessages(state?.settings, { head, lastAt });
  if (counted === undefined) return undefined;
  const newest = new Map<UserId, SenderTime>();
  for (let seq = head; seq >= counted.first; seq--) {
    const event = events.get(seq);
    if (event?.kind !== "msg" || event.at <= counted.since || newest.has(event.sender)) continue;
    newest.set(event.sender, [event.sender, event.at, seq]);
  }
  return cutSenders([...newest.values()]);
}

export function membersOf(room: StoredRoom | undefined, after = ""): StoredMember[] {
  return [...(room?.members.values() ?? [])]
    .filter(({ user, role, mutedUntil, banned }) => {
      return user > after && (role !== "none" || banned || mutedUntil > 0);
    })
    .map(({ user, role, mutedUntil, banned }): StoredMember => [user, role, mutedUntil, banned])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** In the order of the reactions that stand. */
export function reactionsOf(room: StoredRoom | undefined, seq: Seq): Reaction[] {
  const standing = [...(room?.reactions.get(seq) ?? [])].flatMap(([emoji, all]) => {
    const on = [...all.values()].filter((event) => event.on).sort((x, y) => x.seq - y.seq);
    const [oldest] = on;
    if (oldest === undefined) return [];
    return [{ at: oldest.seq, emoji, count: on.length, users: on.map(({ from }) => from) }];
  });
  return standing.sort((x, y) => x.at - y.at);
}

export function lineAt(room: StoredRoom | undefined, seq: Seq): string | undefined {
  return room?.events.get(seq)?.line ?? room?.quarantined.get(seq);
}

export function keyOf(sender: UserId, id: MessageId): string {
  return `${sender}\n${id}`;
}

export function findId(
  room: StoredRoom | undefined,
  sender: UserId,
  id: MessageId,
): Found | undefined {
  const event = room?.events.get(room.byId.get(keyOf(sender, id)) ?? 0);
  if (event !== undefined) return { seq: event.seq, at: event.at };
  for (const [seq, line] of room?.quarantined ?? []) {
    const keys = keysOf(line);
    if (keys?.id === id && keys.sender === sender) return { seq, at: keys.at };
  }
  return undefined;
}

export function idsOf(room: StoredRoom): SnapshotId[] {
  const ids = [...room.events.values()].map(({ id, sender, seq, at }): SnapshotId => [
    id,
    sender,
    seq,
    at,
  ]);
  for (const [seq, line] of room.quarantined) {
    const keys = keysOf(line);
    if (keys !== undefined) ids.push([keys.id, keys.sender, seq, keys.at]);
  }
  return ids;
}

/** The newest lines within the bounds of a tail, without a gap. */
export function tailOf({ head, events, quarantined }: StoredRoom): string[] {
  const tail: string[] = [];
  let bytes = 0;
  for (let seq = head; seq >= 1 && tail.length < SNAPSHOT_TAIL_EVENTS; seq--) {
    const line = events.get(seq)?.line ?? quarantined.get(seq);
    if (line === undefined) break;
    bytes += utf8Length(line);
    if (bytes > SNAPSHOT_TAIL_BYTES_MAX) break;
    tail.push(line);
  }
  return tail.toReversed();
}
