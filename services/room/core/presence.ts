// Presence: who is here, per room, as gateways told the owner.
//
// Owns: user → gateways, and the announcements that a change causes. Does not own: sessions (the
// gateway counts them), time (the caller says when a second has passed).
//
//   A1. A user is here while at least one gateway has them.
//   A2. Up to PRESENCE_NAMES_MAX users changes are announced by name at once; above it a count is
//       announced at most once a second.
//   A3. What a gateway announces in a sync replaces all it had announced for that room.
// It is a hint for people: lost announcements are repeated by later ones, nothing is durable.

import type { ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { PRESENCE_NAMES_MAX } from "#shared/protocol/limits.ts";
import type { PresenceFrame } from "#shared/protocol/server-frames.ts";

interface Members {
  readonly gateways: Map<UserId, Set<ProcessId>>;
  hasNews: boolean;
}

export class Presence {
  readonly #rooms = new Map<RoomId, Members>();
  #announcements: PresenceFrame[] = [];

  here(room: RoomId): number {
    return this.#rooms.get(room)?.gateways.size ?? 0;
  }

  /** Everybody in the room; undefined when they are too many to name. */
  users(room: RoomId): readonly UserId[] | undefined {
    const gateways = this.#rooms.get(room)?.gateways;
    if (gateways === undefined) return [];
    return gateways.size > PRESENCE_NAMES_MAX ? undefined : [...gateways.keys()];
  }

  join(room: RoomId, user: UserId, gateway: ProcessId): void {
    let members = this.#rooms.get(room);
    if (members === undefined) {
      members = { gateways: new Map(), hasNews: false };
      this.#rooms.set(room, members);
    }
    const gateways = members.gateways.get(user);
    if (gateways !== undefined) {
      gateways.add(gateway);
      return;
    }
    members.gateways.set(user, new Set([gateway]));
    this.#changed(room, members, { join: [user] });
  }

  leave(room: RoomId, user: UserId, gateway: ProcessId): void {
    const members = this.#rooms.get(room);
    const gateways = members?.gateways.get(user);
    if (members === undefined || gateways === undefined) return;
    if (!gateways.delete(gateway) || gateways.size > 0) return;
    members.gateways.delete(user);
    this.#changed(room, members, { leave: [user] });
    if (members.gateways.size === 0) this.#rooms.delete(room);
  }

  /** A sync (A3): `users` is all that `gateway` has in `room`. */
  replace(room: RoomId, users: readonly UserId[], gateway: ProcessId): void {
    const now = new Set(users);
    for (const [user, gateways] of this.#rooms.get(room)?.gateways ?? []) {
      if (gateways.has(gateway) && !now.has(user)) this.leave(room, user, gateway);
    }
    for (const user of now) this.join(room, user, gateway);
  }

  /** A gateway fell silent: its users are gone unless another gateway has them. */
  dropGateway(gateway: ProcessId): void {
    for (const [room, members] of this.#rooms) {
      for (const [user, gateways] of members.gateways) {
        if (gateways.has(gateway)) this.leave(room, user, gateway);
      }
    }
  }

  /** Once a second: the counts of large rooms that changed. */
  everySecond(): void {
    for (const [room, members] of this.#rooms) {
      if (!members.hasNews) continue;
      members.hasNews = false;
      this.#announcements.push({ t: "presence", room, here: members.gateways.size });
    }
  }

  /** What is to be announced since the last call. */
  takeAnnouncements(): readonly PresenceFrame[] {
    if (this.#announcements.length === 0) return [];
    const taken = this.#announcements;
    this.#announcements = [];
    return taken;
  }

  #changed(
    room: RoomId,
    members: Members,
    names: { readonly join: readonly UserId[] } | { readonly leave: readonly UserId[] },
  ): void {
    const here = members.gateways.size;
    if (here > PRESENCE_NAMES_MAX) members.hasNews = true;
    else this.#announcements.push({ t: "presence", room, ...names, here });
  }
}
