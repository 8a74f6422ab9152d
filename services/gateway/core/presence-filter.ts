// Here: what the members of one room on this gateway were told about who is here.
//
// Owners announce the whole truth again and again, because announcements may be lost on the bus (A4).
// Towards members nothing is lost, so what they know already need not be written to all of them:
// in a room of ten a repeat would cost as much as ten messages.
//
// Owns: the names and the count that every member has. Does not own: who is here (the owner knows),
// pace and sockets (ephemeral-fanout.ts).
//
//   presence-filter.1. A frame is kept from the members only if every one of them knows all that it says.
//   presence-filter.2. In doubt it is passed on: a member that invalidate a frame, or was told another list when it
//        joined, makes the next whole truth go to everybody.

import type { UserId } from "#shared/protocol/ids.ts";
import type { PresenceFrame } from "#shared/protocol/server-frames.ts";

type Update = Pick<PresenceFrame, "join" | "leave" | "here" | "all">;

export class PresenceFilter {
  /** Undefined: not everybody has the same list, or there are too many to name. */
  #names: Set<UserId> | undefined;
  /** The count that was told last, when names are not. */
  #count: number | undefined;

  /** Whether members have to be told; from then on they count as told. */
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
    // Another count than ours: an announcement was lost, here or at the owner.
    if (this.#names !== undefined && here !== this.#names.size) this.#names = undefined;
    this.#count = undefined;
    return true;
  }

  /** A member was told this list on joining; undefined: too many to name. `isFirst`: it is alone. */
  onListSent(users: readonly UserId[] | undefined, isFirst: boolean): void {
    if (isFirst) {
      this.#names = users && new Set(users);
      this.#count = undefined;
    } else if (users === undefined || !this.#has(users)) this.invalidate();
  }

  /** A member did not get what the others got (presence-filter.2). */
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
