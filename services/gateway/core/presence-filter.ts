// PresenceFilter: drops presence frames that repeat what all members of the room here have.
//
// Owners announce the complete presence repeatedly, because the bus can lose announcements (A4). A
// connection loses nothing, so a member that has the names does not need them again: in a room of
// ten a repeat would cost as much as ten messages.
//
// Owns: the names and the count that every member has. Does not own: presence itself (the owner has
// it), pace and sockets (ephemeral-fanout.ts).
//
//   presence-filter.1. A frame is dropped only if every member has all of its content.
//   presence-filter.2. When the members' lists may differ, the frame passes: after a member missed
//        a frame, or joined with another list, the next complete list goes to all members.

import type { UserId } from "#shared/protocol/ids.ts";
import type { PresenceFrame } from "#shared/protocol/server-frames.ts";

type Update = Pick<PresenceFrame, "join" | "leave" | "here" | "all">;

export class PresenceFilter {
  /**
   * The names that every member has. Undefined: the lists differ, or there are too many to name.
   */
  #names: Set<UserId> | undefined;
  /** The last announced count, when names are not announced. */
  #count: number | undefined;

  /** Whether the frame must be written. The members then count as having its content. */
  passes({ join, leave, here, all }: Update): boolean {
    if (all === true) return this.#isNew(join ?? []);
    if (join === undefined && leave === undefined) {
      this.#names = undefined;
      const isNew = here === undefined || here !== this.#count;
      this.#count = here;
      return isNew;
    }
    for (const user of join ?? []) this.#names?.add(user);
    for (const user of leave ?? []) this.#names?.delete(user);
    // The counts differ: an announcement was lost, on the way here or on the way to the owner.
    if (this.#names !== undefined && here !== this.#names.size) this.#names = undefined;
    this.#count = undefined;
    return true;
  }

  /**
   * A member received this list on joining. Undefined: too many to name. `isFirst`: it is alone.
   */
  onListSent(users: readonly UserId[] | undefined, isFirst: boolean): void {
    if (isFirst) {
      this.#names = users && new Set(users);
      this.#count = undefined;
    } else if (users === undefined || !this.#has(users)) this.invalidate();
  }

  /** A member did not receive what the others received (presence-filter.2). */
  invalidate(): void {
    this.#names = undefined;
    this.#count = undefined;
  }

  #isNew(users: readonly UserId[]): boolean {
    if (this.#has(users)) return false;
    this.#names = new Set(users);
    this.#count = undefined;
    return true;
  }

  #has(users: readonly UserId[]): boolean {
    const names = this.#names;
    return names?.size === users.length && users.every((user) => names.has(user));
  }
}
