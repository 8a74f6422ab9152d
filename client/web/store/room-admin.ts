// RoomAdmin: what members do with a room itself: its members, settings and invites.
//
// Owns: the requests and the sentence for a refusal. Does not own: which request a role may make
// (room-rights.ts), the effect. It comes with the event.
//
//   room-admin.1. At most INVITES_SHOWN invites are kept, the newest ones.
//   room-admin.2. Only this window has the links of the invites that it made: the room stores a
//       hash.

import type { RoomEvent } from "#shared/protocol/events.ts";
import type { ChatRoom, InviteTerms, Outgoing, RoomChange, Standing } from "./client-port.ts";
import { adminFailureWords } from "./words.ts";

export type AdminTarget = Pick<ChatRoom, "setMember" | "update" | "createInvite" | "revokeInvite">;
/** A sentence for the user, or undefined when it was done. */
export type Problem = string | undefined;

export interface ShownInvite {
  readonly id: string;
  readonly from: string;
  /** In ms since 1970. */
  readonly until: number;
  readonly uses: number;
  readonly used: number;
  /** Of an invite that this window made. */
  readonly token: string | undefined;
}

export type MadeInvite =
  | { readonly ok: true; readonly token: string }
  | { readonly ok: false; readonly problem: string };

const INVITES_SHOWN = 20;

export class RoomAdmin {
  readonly #room: AdminTarget;
  readonly #changed: () => void;
  /** By the id of the event that made it, the newest last. */
  readonly #invites = new Map<string, ShownInvite>();
  readonly #tokens = new Map<string, string>();

  constructor(room: AdminTarget, changed: () => void) {
    this.#room = room;
    this.#changed = changed;
  }

  /** The invites in force of which this window received the event, the newest first. */
  invites(now: number): readonly ShownInvite[] {
    return [...this.#invites.values()]
      .filter(({ until, uses, used }) => until > now && used < uses)
      .map((invite) => ({ ...invite, token: this.#tokens.get(invite.id) }))
      .toReversed();
  }

  setMember(user: string, standing: Standing): Promise<Problem> {
    return this.#settle(this.#room.setMember(user, standing));
  }

  update(change: RoomChange): Promise<Problem> {
    return this.#settle(this.#room.update(change));
  }

  revoke(id: string): Promise<Problem> {
    return this.#settle(this.#room.revokeInvite(id));
  }

  async invite(terms: InviteTerms): Promise<MadeInvite> {
    const { id, token, done } = this.#room.createInvite(terms);
    this.#tokens.set(id, token);
    const outcome = await done;
    if (outcome.kind === "acked") {
      this.#changed();
      return { ok: true, token };
    }
    this.#tokens.delete(id);
    return { ok: false, problem: adminFailureWords(outcome.error) };
  }

  receive(event: RoomEvent): void {
    if (event.t === "invite") {
      const { invite: id, from, until = 0, uses = 1 } = event;
      if (event.revoked === true) this.#invites.delete(id);
      else this.#invites.set(id, { id, from, until, uses, used: 0, token: undefined });
      const [oldest] = this.#invites.keys();
      if (oldest !== undefined && this.#invites.size > INVITES_SHOWN) this.#invites.delete(oldest);
    } else if (event.t === "member" && event.invite !== undefined) {
      const invite = this.#invites.get(event.invite);
      const used = Math.max(event.use ?? 0, (invite?.used ?? 0) + 1);
      if (invite !== undefined) this.#invites.set(invite.id, { ...invite, used });
    }
  }

  async #settle({ done }: Outgoing): Promise<Problem> {
    const outcome = await done;
    return outcome.kind === "acked" ? undefined : adminFailureWords(outcome.error);
  }
}
