// Invites: the invites of one room that are in force.
//
// Owns: what `invite` events and the uses in `member` events have decided. Does not own: who may
// invite (rights.ts), the form of tokens and events (shared/protocol/invites.ts).
//
//   room/invites.1. It is a fold of the room's events, also when some of them are applied twice: a
//       use has its number.
//   room/invites.2. An invite that was used up or revoked is dropped, one that has ended at the
//       next new invite. At most INVITES_MAX are in force; rights.ts refuses a further one.

import { LazyMap } from "#shared/kit/lazy-map.ts";
import type { ListedInvite } from "#shared/protocol/results.ts";
import type { InviteEvent, MemberEvent } from "#shared/protocol/events.ts";
import type { StoredInvite } from "#shared/protocol/history.ts";
import type { MessageId, Millis } from "#shared/protocol/ids.ts";
import type { InviteRole } from "#shared/protocol/invites.ts";

/** The memory of an invite. */
export const INVITE_BYTES = 384;

export interface Invite {
  readonly hash: string;
  readonly role: InviteRole;
  readonly until: Millis;
  readonly uses: number;
  readonly used: number;
}

export class Invites {
  readonly #all = new LazyMap<MessageId, Invite>();

  get size(): number {
    return this.#all.size;
  }

  /** Those that have not ended. */
  inForce(now: Millis): number {
    return [...this.#all.values()].filter(({ until }) => until > now).length;
  }

  /**
   * The invite that the secret with this hash opens now. The time of the comparison reveals at most
   * the hash, which every reader of the room has, and no secret of 128 random bits follows from it.
   */
  open(invite: MessageId, hash: string, now: Millis): Invite | undefined {
    const known = this.#all.get(invite);
    if (known === undefined || known.until <= now) return undefined;
    return hash === known.hash ? known : undefined;
  }

  apply({ invite, hash, role, until, uses, at }: InviteEvent): void {
    for (const [id, known] of this.#all) if (known.until <= at) this.#all.delete(id);
    const isNew = hash !== undefined && role !== undefined;
    if (!isNew || until === undefined || uses === undefined) this.#all.delete(invite);
    else this.#all.set(invite, { hash, role, until, uses, used: 0 });
  }

  /** room/invites.1. */
  onMember({ invite, use = 0 }: Pick<MemberEvent, "invite" | "use">): void {
    const known = invite === undefined ? undefined : this.#all.get(invite);
    if (invite === undefined || known === undefined) return;
    const used = Math.max(known.used, use);
    if (used >= known.uses) this.#all.delete(invite);
    else this.#all.set(invite, { ...known, used });
  }

  /** In the order of their making. One that has ended stays until the next new invite. */
  list(): ListedInvite[] {
    return [...this.#all].map(([invite, { role, until, uses, used }]) => ({
      invite,
      role,
      until,
      uses,
      used,
    }));
  }

  load(stored: readonly StoredInvite[]): void {
    for (const [invite, hash, role, until, uses, used] of stored) {
      this.#all.set(invite, { hash, role, until, uses, used });
    }
  }

  clear(): void {
    this.#all.clear();
  }
}
