// Room state: the settings of one room and its stored members.
//
// Owns: what `room` and `member` events have decided. Does not own: who may cause them (rights.ts),
// sequence numbers and lines (room.ts).
//
//   room-state.1. It is a fold of the room's events: a `room` event replaces the settings, a
//       `member` event replaces everything stored of its user. So a snapshot and the events above
//       it give the same state as all events, also when some of them are applied twice.
//   room-state.2. A user without role, mute and ban is not stored. At most ROOM_MEMBERS_MAX users
//       are stored; rights.ts refuses a further one.
//   room-state.3. Its memory is counted, and is given back by `clear`.
//   room-state.4. The times of senders (slow-mode.ts) are kept while the room has a slow mode.

import type { MemberEvent, RoomSettings, StateEvent } from "#shared/protocol/events.ts";
import { settingsOf } from "#shared/protocol/events.ts";
import type { RoomSnapshotState, SenderTime, StoredMember } from "#shared/protocol/history.ts";
import type { Millis, UserId } from "#shared/protocol/ids.ts";
import type { Role, RoomKind } from "#shared/protocol/roles.ts";
import { INVITE_BYTES, Invites } from "./invites.ts";
import type { RoomMemory } from "./room-memory.ts";
import { SENDER_BYTES, SlowMode } from "./slow-mode.ts";
import type { SentMessage } from "./slow-mode.ts";

/** The memory of a stored member. */
const MEMBER_BYTES = 256;

export interface Member {
  readonly role: Role;
  readonly mutedUntil?: Millis | undefined;
  readonly banned?: true | undefined;
}

export class RoomState {
  readonly #account: RoomMemory["account"] | undefined;
  readonly #members = new Map<UserId, Member>();
  readonly slow = new SlowMode();
  readonly invites = new Invites();
  #settings: RoomSettings | undefined;
  #owners = 0;
  #bans = 0;

  constructor(account?: RoomMemory["account"]) {
    this.#account = account;
  }

  /** A room without a `room` event is open. */
  get settings(): RoomSettings {
    return this.#settings ?? OPEN;
  }

  get kind(): RoomKind {
    return this.settings.kind;
  }

  get owners(): number {
    return this.#owners;
  }

  get size(): number {
    return this.#members.size;
  }

  /** Every user may read the room. */
  get isPublic(): boolean {
    return this.kind === "open" && this.#bans === 0;
  }

  member(user: UserId): Member | undefined {
    return this.#members.get(user);
  }

  /** The stored members behind `after`, by user id. */
  page(after: UserId | undefined, limit: number): (readonly [UserId, Member])[] {
    const behind = [...this.#members].filter(([user]) => after === undefined || user > after);
    return behind.sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, limit);
  }

  /** A message of the room, as long as its sender can have to wait. */
  onMessage(message: SentMessage): void {
    if (this.settings.slowMode !== undefined) this.#countSenders(() => this.slow.take(message));
  }

  /** The senders of a snapshot, then those of a replay. */
  loadSenders(senders: readonly SenderTime[], replayed?: SlowMode): void {
    if (this.settings.slowMode === undefined) return;
    this.#countSenders(() => this.slow.load(senders, replayed));
  }

  load({ settings, members, invites = [] }: RoomSnapshotState): void {
    this.#countInvites(() => this.invites.load(invites));
    if (settings !== undefined) this.#settings = settingsOf(settings);
    for (const [user, role, mutedUntil, banned] of members) {
      this.#put(user, {
        role,
        ...(mutedUntil > 0 && { mutedUntil }),
        ...(banned && { banned }),
      });
    }
  }

  apply(event: StateEvent): void {
    if (event.t === "room") {
      this.#settings = settingsOf(event);
      if (event.slowMode === undefined) this.#countSenders(() => this.slow.clear());
    } else if (event.t === "invite") this.#countInvites(() => this.invites.apply(event));
    else {
      this.#put(event.user, memberOf(event));
      this.#countInvites(() => this.invites.onMember(event));
    }
  }

  /** The same state as a snapshot has it. */
  snapshot(): RoomSnapshotState {
    const members = this.page(undefined, Infinity).map(([user, member]): StoredMember => {
      const { role, mutedUntil = 0, banned = false } = member;
      return [user, role, mutedUntil, banned];
    });
    const invites = this.invites.snapshot();
    return {
      ...(this.#settings !== undefined && { settings: this.#settings }),
      members,
      ...(invites.length > 0 && { invites }),
    };
  }

  clear(): void {
    this.#count(-this.#members.size);
    this.#members.clear();
    this.#countSenders(() => this.slow.clear());
    this.#countInvites(() => this.invites.clear());
  }

  #put(user: UserId, member: Member): void {
    const before = this.#members.get(user);
    if (before?.role === "owner") this.#owners--;
    if (before?.banned === true) this.#bans--;
    if (member.role === "owner") this.#owners++;
    if (member.banned === true) this.#bans++;
    if (isStored(member)) this.#members.set(user, member);
    else this.#members.delete(user);
    this.#count(Number(isStored(member)) - Number(before !== undefined));
  }

  #countInvites(change: () => void): void {
    const before = this.invites.size;
    change();
    const more = this.invites.size - before;
    if (more !== 0) this.#account?.add("rooms", more * INVITE_BYTES);
  }

  #countSenders(change: () => void): void {
    const before = this.slow.size;
    change();
    const more = this.slow.size - before;
    if (more !== 0) this.#account?.add("rooms", more * SENDER_BYTES);
  }

  #count(members: number): void {
    if (members !== 0) this.#account?.add("rooms", members * MEMBER_BYTES);
  }
}

const OPEN: RoomSettings = { kind: "open" };

export function memberOf({ role, mutedUntil, banned }: MemberEvent): Member {
  return {
    role,
    ...(mutedUntil !== undefined && { mutedUntil }),
    ...(banned === true && { banned }),
  };
}

/** room-state.2. */
export function isStored({ role, mutedUntil, banned }: Member): boolean {
  return role !== "none" || mutedUntil !== undefined || banned === true;
}
