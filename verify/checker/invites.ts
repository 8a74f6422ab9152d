// Invites: judges who entered a closed room, by the room's own lines in the archive.
//
//   checker/invites.1. A user who is no member becomes one by a moderator, or by an invite: it was
//        made before, is not revoked, has not ended, gives that role, and this is its next use.
//   checker/invites.2. Only a moderator of a closed room makes or revokes an invite.
//
// It knows the protocol page and shares no code with the services. It does not know the secrets.

import { parseObject } from "#shared/kit/json.ts";
import type { JsonObject } from "#shared/kit/json.ts";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import type { Members } from "./members.ts";
import type { Fail } from "./violation.ts";

interface Invite {
  readonly role: unknown;
  readonly until: number;
  readonly uses: number;
  used: number;
  isRevoked: boolean;
}

export class CheckedInvites {
  readonly #members: Members;
  readonly #fail: Fail;
  readonly #invites = new Map<string, Invite>();
  readonly #closed = new Set<RoomId>();
  /** Users who entered. */
  entered = 0;

  constructor(members: Members, fail: Fail) {
    this.#members = members;
    this.#fail = fail;
  }

  /** Lines of the archive, each room in order, each after `members` has taken it. */
  takeArchived(text: string): void {
    const line = parseObject(text);
    const room = line?.["room"] as RoomId;
    if (line?.["t"] === "room" && line["kind"] === "closed") this.#closed.add(room);
    if (line?.["t"] === "invite") this.#onInvite(room, line);
    if (line?.["t"] === "member") this.#onMember(room, line);
  }

  /** checker/invites.2. */
  #onInvite(room: RoomId, line: JsonObject): void {
    const [seq, from] = [Number(line["seq"]), line["from"] as UserId];
    const { role, until, uses, revoked } = line;
    const right = this.#members.roleAt(room, from, seq - 1);
    if (!this.#closed.has(room) || (right !== "moderator" && right !== "owner")) {
      this.#fail("I16", `${room} ${seq}: ${from} (${right}) had no right to an invite`);
    }
    const key = `${room} ${line["invite"] as MessageId}`;
    const known = this.#invites.get(key);
    if (revoked === true) {
      if (known !== undefined) known.isRevoked = true;
      return;
    }
    const terms = { role, until: Number(until), uses: Number(uses) };
    this.#invites.set(key, { ...terms, used: 0, isRevoked: false });
  }

  /** checker/invites.1. */
  #onMember(room: RoomId, line: JsonObject): void {
    const [seq, at] = [Number(line["seq"]), Number(line["at"])];
    const { use, user, from, role } = line;
    const invite = line["invite"] as MessageId | undefined;
    if (invite === undefined) {
      const isOwn = user === from && role !== "none" && this.#closed.has(room);
      if (!isOwn || this.#members.roleAt(room, from as UserId, seq - 1) !== "none") return;
      return this.#fail("I16", `${room} ${seq}: ${String(from)} entered without an invite`);
    }
    this.entered++;
    const known = this.#invites.get(`${room} ${invite}`);
    const isOpen = known !== undefined && !known.isRevoked && at < known.until;
    const isNext = isOpen && use === known.used + 1 && known.used < known.uses;
    if (known !== undefined) known.used++;
    if (isNext && user === from && role === known.role) return;
    this.#fail("I16", `${room} ${seq}: use ${String(use)} of ${invite} is not allowed`);
  }
}
