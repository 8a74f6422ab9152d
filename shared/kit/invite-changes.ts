// Invite changes: what a batch changes in the invites of rooms, one value for each invite.
//
// Owns: reading `invite` lines and the uses in `member` lines. Does not own: the stores.
//
//   invite-changes.1. A line that this version cannot read changes nothing.

import { parseObject } from "./json.ts";
import { isMessageId } from "../protocol/ids.ts";
import type { MessageId, Millis, RoomId } from "../protocol/ids.ts";
import { isInviteHash, isInviteRole } from "../protocol/invites.ts";
import type { InviteRole } from "../protocol/invites.ts";

export interface InviteTerms {
  readonly hash: string;
  readonly role: InviteRole;
  readonly until: Millis;
  readonly uses: number;
}

export interface InviteChange {
  readonly room: RoomId;
  readonly invite: MessageId;
  /** Undefined: an earlier batch has them. */
  readonly made: InviteTerms | undefined;
  /** The highest number of a use; 0: none. */
  readonly used: number;
  readonly isRevoked: boolean;
}

export class InviteChanges {
  readonly #all = new Map<string, InviteChange>();

  get list(): readonly InviteChange[] {
    return [...this.#all.values()];
  }

  /** A line of the kind `invite` or `member`. */
  take(room: RoomId, line: string): void {
    if (!line.includes('"invite":')) return;
    const event = parseObject(line);
    const invite = event?.["invite"];
    if (event === undefined || !isMessageId(invite)) return;
    const key = `${room} ${invite}`;
    const before = this.#all.get(key) ?? {
      room,
      invite,
      made: undefined,
      used: 0,
      isRevoked: false,
    };
    const { t, hash, role, until, uses, use, revoked } = event;
    if (t === "member") {
      if (!Number.isSafeInteger(use)) return;
      this.#all.set(key, { ...before, used: Math.max(before.used, use as number) });
    } else if (revoked === true) this.#all.set(key, { ...before, isRevoked: true });
    else if (isInviteHash(hash) && isInviteRole(role) && isWhole(until) && isWhole(uses)) {
      this.#all.set(key, { ...before, made: { hash, role, until, uses } });
    }
  }
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
