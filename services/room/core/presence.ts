// Presence: who is here, per room, as gateways told the owner.
//
// Owns: user → gateways, and the announcements that a change causes. Does not own: sessions (the
// gateway counts them), time (the caller says when a second has passed).
//
//   presence.1. A user is here while at least one gateway has them.
//   presence.2. Up to PRESENCE_NAMES_MAX users changes are announced by name at once; above it a count is
//       announced at most once a second.
//   presence.3. What a gateway announces in a sync replaces all it had announced for that room.
//   presence.4. A lane sends again what was not answered, and later commands may have been: one whose number
//        is below the newest that a gateway said about a room is old news and changes nothing.
//   presence.5. Announcements may be lost, and whoever was cut off missed some: when a room has been quiet
//       for REPEATS_S seconds after a change or a sync, everybody who is here is announced again, and
//       that is the whole truth (`all`). A client that missed somebody's leave could not learn of it
//       otherwise; nor could anybody of the users of a gateway that fell together with the owner.
//   presence.6. What it costs is counted; a user who would exceed the share of presence is not taken (room-memory.4).
// It is a hint for people, nothing is durable.

import type { ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { PRESENCE_NAMES_MAX } from "#shared/protocol/limits.ts";
import type { PresenceFrame } from "#shared/protocol/server-frames.ts";
import type { RoomMemory } from "./room-memory.ts";

/** Three times, further and further apart: a cut lasts ten seconds before it is noticed. */
const REPEATS_S: readonly number[] = [2, 8, 30];
const LAST_REPEAT_S = 30;

/** What a gateway says, and the number of the command that says it (C1 of commands.ts). */
export interface CommandOrigin {
  readonly gateway: ProcessId;
  readonly c: number;
}

interface Members {
  readonly gateways: Map<UserId, Set<ProcessId>>;
  /** The newest command of each gateway (presence.4); kept while the room is empty, until it was quiet. */
  readonly newestCommand: Map<ProcessId, number>;
  countChanged: boolean;
  /** Seconds since the last change or sync. */
  quietS: number;
}

/** A user in a room, and a room with users, as they stand in the maps. */
const USER_BYTES = 320;
const MEMBERS_BYTES = 640;

export class Presence {
  readonly #memory: RoomMemory;
  readonly #rooms = new Map<RoomId, Members>();
  /** Rooms that still have something to announce again. */
  readonly #recent = new Map<RoomId, Members>();
  #announcements: PresenceFrame[] = [];

  constructor(memory: RoomMemory) {
    this.#memory = memory;
  }

  /** Gives the memory back; it is not used afterwards. */
  clear(): void {
    for (const { gateways } of this.#rooms.values()) {
      this.#count(-MEMBERS_BYTES - gateways.size * USER_BYTES);
    }
    this.#rooms.clear();
    this.#recent.clear();
  }

  here(room: RoomId): number {
    return this.#rooms.get(room)?.gateways.size ?? 0;
  }

  /** Everybody in the room; undefined when they are too many to name. */
  users(room: RoomId): readonly UserId[] | undefined {
    const gateways = this.#rooms.get(room)?.gateways;
    if (gateways === undefined) return [];
    return gateways.size > PRESENCE_NAMES_MAX ? undefined : [...gateways.keys()];
  }

  join(room: RoomId, user: UserId, by: CommandOrigin): void {
    const members = this.#membersOf(room);
    if (isCurrent(members, by)) this.#join(room, members, user, by.gateway);
  }

  leave(room: RoomId, user: UserId, by: CommandOrigin): void {
    const members = this.#membersOf(room);
    if (isCurrent(members, by)) this.#leave(room, members, user, by.gateway);
  }

  /** A sync (A3): `users` is all that the gateway has in `room`. */
  replace(room: RoomId, users: readonly UserId[], by: CommandOrigin): void {
    const members = this.#membersOf(room);
    if (!isCurrent(members, by)) return;
    const { gateway } = by;
    const now = new Set(users);
    for (const user of members.gateways.keys()) {
      if (!now.has(user)) this.#leave(room, members, user, gateway);
    }
    for (const user of now) this.#join(room, members, user, gateway);
    this.#repeatLater(room, members);
  }

  /** A gateway fell silent: its users are gone unless another gateway has them. */
  dropGateway(gateway: ProcessId): void {
    for (const [room, members] of this.#rooms) {
      members.newestCommand.delete(gateway);
      for (const user of members.gateways.keys()) this.#leave(room, members, user, gateway);
    }
  }

  /** Once a second: the counts of large rooms that changed (A2), and what is due again (A4). */
  everySecond(): void {
    for (const [room, members] of this.#recent) {
      if (members.quietS >= LAST_REPEAT_S) {
        this.#recent.delete(room);
        if (members.gateways.size === 0) {
          this.#rooms.delete(room);
          this.#count(-MEMBERS_BYTES);
        }
        continue;
      }
      const isDue = REPEATS_S.includes(++members.quietS);
      if (isDue) this.#announcements.push(this.#fullList(room, members));
      else if (members.countChanged) {
        this.#announcements.push({ t: "presence", room, here: members.gateways.size });
      }
      members.countChanged = false;
    }
  }

  /** What is to be announced since the last call. */
  takeAnnouncements(): readonly PresenceFrame[] {
    const taken = this.#announcements;
    this.#announcements = [];
    return taken;
  }

  #join(room: RoomId, members: Members, user: UserId, gateway: ProcessId): void {
    const gateways = members.gateways.get(user);
    if (gateways !== undefined) {
      gateways.add(gateway);
      return;
    }
    if (this.#memory.isPresenceFull) return; // presence.6
    members.gateways.set(user, new Set([gateway]));
    this.#count(USER_BYTES);
    this.#changed(room, members, { join: [user] });
  }

  #leave(room: RoomId, members: Members, user: UserId, gateway: ProcessId): void {
    const gateways = members.gateways.get(user);
    if (gateways?.delete(gateway) !== true || gateways.size > 0) return;
    members.gateways.delete(user);
    this.#count(-USER_BYTES);
    this.#changed(room, members, { leave: [user] });
  }

  #membersOf(room: RoomId): Members {
    const known = this.#rooms.get(room);
    if (known !== undefined) return known;
    const members: Members = {
      gateways: new Map(),
      newestCommand: new Map(),
      countChanged: false,
      quietS: 0,
    };
    this.#rooms.set(room, members);
    this.#count(MEMBERS_BYTES);
    this.#recent.set(room, members);
    return members;
  }

  #changed(
    room: RoomId,
    members: Members,
    names: { readonly join: readonly UserId[] } | { readonly leave: readonly UserId[] },
  ): void {
    const here = members.gateways.size;
    this.#repeatLater(room, members);
    if (here > PRESENCE_NAMES_MAX) members.countChanged = true;
    else this.#announcements.push({ t: "presence", room, ...names, here });
  }

  #count(bytes: number): void {
    this.#memory.account.add("presence", bytes);
  }

  #repeatLater(room: RoomId, members: Members): void {
    members.quietS = 0;
    this.#recent.set(room, members);
  }

  #fullList(room: RoomId, { gateways }: Members): PresenceFrame {
    const here = gateways.size;
    if (here > PRESENCE_NAMES_MAX) return { t: "presence", room, here };
    return { t: "presence", room, join: [...gateways.keys()], here, all: true };
  }
}

/** presence.4. */
function isCurrent({ newestCommand }: Members, { gateway, c }: CommandOrigin): boolean {
  if (c < (newestCommand.get(gateway) ?? 0)) return false;
  newestCommand.set(gateway, c);
  return true;
}
