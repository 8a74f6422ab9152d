// MemoryRoomList: the list of a user's rooms, the search for open rooms and read positions over the
// rooms of a MemoryArchive. It behaves like postgres-room-list.ts.

import { parseObject } from "../kit/json.ts";
import { EVERYONE } from "../kit/mentions.ts";
import type { Mention } from "../kit/mentions.ts";
import { isMember } from "../kit/state-changes.ts";
import type { MemberChange, SettingsChange } from "../kit/state-changes.ts";
import type { ArchiveEvent } from "../ports/archive.ts";
import type { Body } from "../protocol/events.ts";
import type { Millis, RoomId, Seq, UserId } from "../protocol/ids.ts";
import { FIND_ROOMS_MAX, UNREAD_EVENTS_MAX, UNREAD_MAX } from "../protocol/limits.ts";
import { cursorOf, excerptOf, readCursor } from "../protocol/room-list.ts";
import type {
  FindQuery,
  FoundRooms,
  ListedRoom,
  ReadPosition,
  RoomsPage,
  RoomsQuery,
} from "../protocol/room-list.ts";

export interface ListableRoom {
  readonly head: Seq;
  readonly lastAt: Millis;
  readonly events: ReadonlyMap<Seq, ArchiveEvent>;
  readonly settings: SettingsChange | undefined;
  /** With the line since which each user is a member in `since`. */
  readonly members: ReadonlyMap<UserId, MemberChange>;
  readonly reads: Map<UserId, Seq>;
  /** By the number of the message. */
  readonly mentions: Map<Seq, Set<UserId>>;
}

type Rooms<R extends ListableRoom> = ReadonlyMap<RoomId, R>;
/** The body of the newest edit. */
type BodyOf = (room: RoomId, seq: Seq) => Body | undefined;

export function addMention({ mentions }: ListableRoom, { seq, user }: Mention): void {
  const users = mentions.get(seq) ?? new Set();
  mentions.set(seq, users.add(user));
}

/** Returns the positions to say again (ports/room-lists.3). */
export function putReads<R extends ListableRoom>(
  rooms: Rooms<R>,
  reads: readonly ReadPosition[],
): readonly ReadPosition[] {
  return reads.filter(([id, user, seq]) => {
    const room = rooms.get(id);
    const member = room?.members.get(user);
    if (room === undefined || member === undefined || !isMember(member)) {
      return (room?.head ?? 0) < seq;
    }
    room.reads.set(user, Math.max(seq, room.reads.get(user) ?? 0));
    return false;
  });
}

export function listRooms<R extends ListableRoom>(
  rooms: Rooms<R>,
  { user, after, limit }: RoomsQuery,
  bodyOf: BodyOf,
): RoomsPage {
  const place = after === undefined ? undefined : readCursor(after);
  const behind = [...rooms]
    .flatMap(([id, room]): [RoomId, R, MemberChange][] => {
      const member = room.members.get(user);
      return member !== undefined && isMember(member) ? [[id, room, member]] : [];
    })
    .filter(([id, { lastAt }]) => {
      if (place === undefined) return true;
      return lastAt < place.at || (lastAt === place.at && id > place.room);
    })
    .sort(([a, one], [b, other]) => other.lastAt - one.lastAt || (a < b ? -1 : 1));
  const page = behind
    .slice(0, limit)
    .map(([id, room, member]) => listed(id, room, member, (seq) => bodyOf(id, seq)));
  const last = page.at(-1);
  const isCut = last !== undefined && behind.length > limit;
  return { rooms: page, ...(isCut && { next: cursorOf(last) }) };
}

function listed(
  id: RoomId,
  room: ListableRoom,
  { user, role, since }: MemberChange,
  bodyOf: (seq: Seq) => Body | undefined,
): ListedRoom {
  const { head, lastAt, settings, mentions } = room;
  const read = room.reads.get(user) ?? 0;
  const bound = head - UNREAD_EVENTS_MAX;
  const unread = messagesBehind(room, Math.max(read, since, bound)).filter(
    ({ sender }) => sender !== user,
  );
  const mine = unread.filter(({ seq }) => {
    const users = mentions.get(seq);
    return users !== undefined && (users.has(user) || users.has(EVERYONE));
  });
  const newest = messagesBehind(room, bound).at(-1);
  const { kind = "open", title } = settings?.settings ?? {};
  const event = newest && parseObject(newest.line);
  return {
    room: id,
    kind,
    ...(title !== undefined && title !== "" && { title }),
    role,
    head,
    at: lastAt,
    read,
    unread: Math.min(UNREAD_MAX, unread.length),
    mentions: Math.min(UNREAD_MAX, mine.length),
    ...(newest !== undefined && {
      last: {
        seq: newest.seq,
        from: newest.sender,
        at: newest.at,
        ...excerptOf(bodyOf(newest.seq) ?? event?.["body"], event?.["attachments"]),
      },
    }),
  };
}

/** The messages above `base` that are not deleted, ascending. */
function messagesBehind({ head, events }: ListableRoom, base: Seq): ArchiveEvent[] {
  const found: ArchiveEvent[] = [];
  for (let seq = Math.max(1, base + 1); seq <= head; seq++) {
    const event = events.get(seq);
    if (event?.kind !== "msg" || parseObject(event.line)?.["deleted"] !== undefined) continue;
    found.push(event);
  }
  return found;
}

export function findRooms<R extends ListableRoom>(
  rooms: Rooms<R>,
  { user, text, after = "" as RoomId, limit }: FindQuery,
): FoundRooms {
  const some = [...rooms]
    .filter(([id, { settings }]) => id > after && settings?.settings.kind === "open")
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, FIND_ROOMS_MAX);
  const wanted = text.toLowerCase();
  const found = some.flatMap(([room, { head, lastAt: at, settings, members }]) => {
    const { title = "", topic, archived } = settings?.settings ?? {};
    const member = members.get(user);
    const hasText = [title, room].some((name) => name.toLowerCase().includes(wanted));
    if (!hasText || archived === true || member?.banned === true) return [];
    const role = member === undefined || member.role === "none" ? "member" : member.role;
    const named = { ...(title !== "" && { title }), ...(topic !== undefined && { topic }) };
    return [{ room, ...named, role, head, at }];
  });
  const page = found.slice(0, limit);
  const next = found.length > limit ? page.at(-1)?.room : undefined;
  const until = some.length === FIND_ROOMS_MAX ? some.at(-1)?.[0] : undefined;
  const behind = next ?? until;
  return { rooms: page, ...(behind !== undefined && { next: behind }) };
}
