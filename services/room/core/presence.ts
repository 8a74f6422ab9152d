// Presence: the users that are present in each room, as the gateways announced them.
//
// Owns: the gateways of each present user, and the announcements of changes. Does not own: sessions
// (the gateway counts them), time (the caller reports each second). Presence is a hint for users
// and is not durable.
//
//   presence.1. A user is present while at least one gateway has them.
//   presence.2. With up to PRESENCE_NAMES_MAX users, changes are announced by name at once. Above
//       that, a count is announced at most once a second.
//   presence.3. A sync of a gateway replaces everything that the gateway announced for that room
//       before.
//   presence.4. A lane resends unanswered commands, and the owner may have answered later ones
//       already. A command with a lower number than the newest command of its gateway for that room
//       changes nothing.
//   presence.5. Announcements can be lost. After each of REPEATS_S seconds without a change or a
//       sync, the owner announces all present users of the room again, as a complete list (`all`).
//       Otherwise a client that missed a leave would never learn of it, and neither would a client
//       learn that the users of a gateway are gone when the gateway and the owner crash together.
//   presence.6. Memory is counted. A user who would exceed the share of presence is not listed
//       (room-memory.4).

import type { ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { PRESENCE_NAMES_MAX } from "#shared/protocol/limits.ts";
import type { PresenceFrame } from "#shared/protocol/server-frames.ts";
import type { RoomMemory } from "./room-memory.ts";

/** Three repeats with growing distances: a cut connection is noticed after ten seconds. */
const REPEATS_S: readonly number[] = [2, 8, 30];
const LAST_REPEAT_S = 30;

/** The gateway and the number of a command that changes presence (commands.1 of commands.ts). */
export interface CommandOrigin {
  readonly gateway: ProcessId;
  readonly c: number;
}

interface RoomPresence {
  readonly gateways: Map<UserId, Set<ProcessId>>;
  /**
   * The newest command number of each gateway (presence.4). It is kept while the room is empty,
   * until the last repeat.
   */
  readonly newestCommand: Map<ProcessId, number>;
  countChanged: boolean;
  /** Seconds since the last change or sync. */
  quietS: number;
}

/** The memory of a user in a room, and of a room with users. */
const USER_BYTES = 320;
const ROOM_BYTES = 640;

export class Presence {
  readonly #memory: RoomMemory;
  readonly #rooms = new Map<RoomId, RoomPresence>();
  /** Rooms with repeats to come. */
  readonly #recent = new Map<RoomId, RoomPresence>();
  #announcements: PresenceFrame[] = [];

  constructor(memory: RoomMemory) {
    this.#memory = memory;
  }

  /** Gives the memory back. The object is not used afterwards. */
  clear(): void {
    for (const { gateways } of this.#rooms.values()) {
      this.#count(-ROOM_BYTES - gateways.size * USER_BYTES);
    }
    this.#rooms.clear();
    this.#recent.clear();
  }

  /** No announcement is to come, unless a user comes or goes. */
  get isQuiet(): boolean {
    return this.#recent.size === 0;
  }

  here(room: RoomId): number {
    return this.#rooms.get(room)?.gateways.size ?? 0;
  }

  /** The present users of a room. Undefined above PRESENCE_NAMES_MAX. */
  users(room: RoomId): readonly UserId[] | undefined {
    const gateways = this.#rooms.get(room)?.gateways;
    if (gateways === undefined) return [];
    return gateways.size > PRESENCE_NAMES_MAX ? undefined : [...gateways.keys()];
  }

  /** False when the command is outdated and its gateway does not have the user (presence.4). */
  join(room: RoomId, user: UserId, by: CommandOrigin): boolean {
    const state = this.#stateOf(room);
    if (!isCurrent(state, by)) return state.gateways.get(user)?.has(by.gateway) === true;
    this.#join(room, state, user, by.gateway);
    return true;
  }

  leave(room: RoomId, user: UserId, by: CommandOrigin): void {
    const state = this.#stateOf(room);
    if (isCurrent(state, by)) this.#leave(room, state, user, by.gateway);
  }

  /** A sync (A3): `users` are all users of the gateway in `room`. */
  replace(room: RoomId, users: readonly UserId[], by: CommandOrigin): void {
    const state = this.#stateOf(room);
    if (!isCurrent(state, by)) return;
    const { gateway } = by;
    const now = new Set(users);
    for (const user of state.gateways.keys()) {
      if (!now.has(user)) this.#leave(room, state, user, gateway);
    }
    for (const user of now) this.#join(room, state, user, gateway);
    this.#repeatLater(room, state);
  }

  /** A gateway is gone: its users are no longer present, unless another gateway has them. */
  dropGateway(gateway: ProcessId): void {
    for (const [room, state] of this.#rooms) {
      state.newestCommand.delete(gateway);
      for (const user of state.gateways.keys()) this.#leave(room, state, user, gateway);
    }
  }

  /**
   * Once a second: announces the counts of large rooms that changed (A2) and the repeats that are
   * due (A4).
   */
  everySecond(): void {
    for (const [room, state] of this.#recent) {
      if (state.quietS >= LAST_REPEAT_S) {
        this.#recent.delete(room);
        if (state.gateways.size === 0) {
          this.#rooms.delete(room);
          this.#count(-ROOM_BYTES);
        }
        continue;
      }
      const isDue = REPEATS_S.includes(++state.quietS);
      if (isDue) this.#announcements.push(this.#fullList(room, state));
      else if (state.countChanged) {
        this.#announcements.push({ t: "presence", room, here: state.gateways.size });
      }
      state.countChanged = false;
    }
  }

  /** The announcements since the last call. */
  takeAnnouncements(): readonly PresenceFrame[] {
    const taken = this.#announcements;
    this.#announcements = [];
    return taken;
  }

  #join(room: RoomId, state: RoomPresence, user: UserId, gateway: ProcessId): void {
    const gateways = state.gateways.get(user);
    if (gateways !== undefined) {
      gateways.add(gateway);
      return;
    }
    if (this.#memory.isPresenceFull) return; // presence.6
    state.gateways.set(user, new Set([gateway]));
    this.#count(USER_BYTES);
    this.#changed(room, state, { join: [user] });
  }

  #leave(room: RoomId, state: RoomPresence, user: UserId, gateway: ProcessId): void {
    const gateways = state.gateways.get(user);
    if (gateways?.delete(gateway) !== true || gateways.size > 0) return;
    state.gateways.delete(user);
    this.#count(-USER_BYTES);
    this.#changed(room, state, { leave: [user] });
  }

  #stateOf(room: RoomId): RoomPresence {
    const known = this.#rooms.get(room);
    if (known !== undefined) return known;
    const state: RoomPresence = {
      gateways: new Map(),
      newestCommand: new Map(),
      countChanged: false,
      quietS: 0,
    };
    this.#rooms.set(room, state);
    this.#count(ROOM_BYTES);
    this.#recent.set(room, state);
    return state;
  }

  #changed(
    room: RoomId,
    state: RoomPresence,
    names: { readonly join: readonly UserId[] } | { readonly leave: readonly UserId[] },
  ): void {
    const here = state.gateways.size;
    this.#repeatLater(room, state);
    if (here > PRESENCE_NAMES_MAX) state.countChanged = true;
    else this.#announcements.push({ t: "presence", room, ...names, here });
  }

  #count(bytes: number): void {
    this.#memory.account.add("presence", bytes);
  }

  #repeatLater(room: RoomId, state: RoomPresence): void {
    state.quietS = 0;
    this.#recent.set(room, state);
  }

  #fullList(room: RoomId, { gateways }: RoomPresence): PresenceFrame {
    const here = gateways.size;
    if (here > PRESENCE_NAMES_MAX) return { t: "presence", room, here };
    return { t: "presence", room, join: [...gateways.keys()], here, all: true };
  }
}

/** presence.4. */
function isCurrent({ newestCommand }: RoomPresence, { gateway, c }: CommandOrigin): boolean {
  if (c < (newestCommand.get(gateway) ?? 0)) return false;
  newestCommand.set(gateway, c);
  return true;
}
