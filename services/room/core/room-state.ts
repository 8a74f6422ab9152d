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

import { LazyMap } from "#shared/kit/lazy-map.ts";
import type { MemberEvent, RoomSettings, StateEvent } from "#shared/protocol/events.ts";
import { settingsOf } from "#shared/protocol/events.ts";
import type { RoomSnapshotState, SenderTime } from "#shared/protocol/history.ts";
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
  readonly #account: RoomMemory["account"];
  readonly #members = new LazyMap<UserId, Member>();
  readonly slow = new SlowMode();
  readonly invites = new Invites();
  /** A room without a `room` event is open. */
  #settings: RoomSettings = { kind: "open" };
  #owners = 0;
  #bans = 0;
  /** The bytes that the account has (room-state.3). */
  #counted = 0;

  constructor(account: RoomMemory["account"]) {
    this.#account = account;
  }

  get settings(): RoomSettings {
    return this.#settings;
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
    if (this.settings.slowMode === undefined) return;
    this.slow.take(message);
    this.#count();
  }

  /** The senders of a snapshot, then those of a replay. */
  loadSenders(senders: readonly SenderTime[], replayed?: SlowMode): void {
    if (this.settings.slowMode === undefined) return;
    this.slow.load(senders, replayed);
    this.#count();
  }

  load({ settings, members, invites = [] }: RoomSnapshotState): void {
    this.invites.load(invites);
    if (settings !== undefined) this.#settings = settingsOf(settings);
    for (const [user, role, mutedUntil, banned] of members) {
      this.#put(user, {
        role,
        ...(mutedUntil > 0 && { mutedUntil }),
        ...(banned && { banned }),
      });
    }
    this.#count();
  }

  apply(event: StateEvent): void {
    if (event.t === "room") {
      this.#settings = settingsOf(event);
      if (event.slowMode === undefined) this.slow.clear();
    } else if (event.t === "invite") this.invites.apply(event);
    else {
      this.#put(event.user, memberOf(event));
      this.invites.onMember(event);
    }
    this.#count();
  }

  clear(): void {
    this.#members.clear();
    this.slow.clear();
    this.invites.clear();
    this.#count();
  }

  #put(user: UserId, member: Member): void {
    const before = this.#members.get(user);
    if (before?.role === "owner") this.#owners--;
    if (before?.banned === true) this.#bans--;
    if (member.role === "owner") this.#owners++;
    if (member.banned === true) this.#bans++;
    if (isStored(member)) this.#members.set(user, member);
    else this.#members.delete(user);
  }

  #count(): void {
    const others = this.invites.size * INVITE_BYTES + this.slow.size * SENDER_BYTES;
    const bytes = this.#members.size * MEMBER_BYTES + others;
    this.#account.add("rooms", bytes - this.#counted);
    this.#counted = bytes;
  }
}

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
