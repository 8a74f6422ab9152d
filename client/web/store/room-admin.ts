// RoomAdmin: what members do with a room itself: its members, settings and invites.
//
// Owns: the requests and the sentence for a refusal. Does not own: which request a role may make
// (room-rights.ts), the effect. It comes with the event.
//
//   room-admin.1. The invites in force are read from the server when they are shown; events that
//       arrive since then change them. At most INVITES_SHOWN are kept, the newest ones.
//   room-admin.2. Only this window has the links of the invites that it made: the room stores a
//       hash.

import type { RoomEvent } from "#shared/protocol/events.ts";
import type { ChatApi } from "./chat-api.ts";
import { nameOf } from "./chat-api.ts";
import type { ChatRoom, InviteTerms, Outgoing, RoomChange, Standing } from "./client-port.ts";
import { adminFailureWords, failureWords } from "./words.ts";

export type AdminTarget = Pick<ChatRoom, "setMember" | "update" | "createInvite" | "revokeInvite">;
/** A sentence for the user, or undefined when it was done. */
export type Problem = string | undefined;

export interface ShownInvite {
  readonly id: string;
  /** Who made it; undefined when this window did not receive its event. */
  readonly from: string | undefined;
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

/** As many as a room has in force. */
const INVITES_SHOWN = 100;

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

  /** Reads the invites in force. Resolves with the sentence for a refusal. */
  async loadInvites(api: Pick<ChatApi, "invites">, room: string): Promise<Problem> {
    try {
      const stored = await api.invites(room);
      const known = new Map(this.#invites);
      this.#invites.clear();
      for (const { invite: id, ...terms } of stored) {
        this.#invites.set(id, { id, from: known.get(id)?.from, ...terms, token: undefined });
      }
      this.#changed();
      return undefined;
    } catch (error) {
      return failureWords(nameOf(error));
    }
  }

  /** The known invites in force, the newest first. */
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
