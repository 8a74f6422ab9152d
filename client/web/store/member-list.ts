// MemberList: the stored members of one room: who has a role, a mute or a ban.
//
// Owns: the loaded pages, kept current by the events of the room. Does not own: who is present
// (SDK), changes (RoomAdmin).
//
//   member-list.1. It is loaded when a view first shows it, page by page. Until then no event
//        changes it.
//   member-list.2. An event that arrives while a page is loaded is applied behind it.

import type { MemberEvent, RoomEvent } from "#shared/protocol/events.ts";
import type { ChatApi, StoredMember } from "./chat-api.ts";

export interface MemberListOptions {
  readonly room: string;
  readonly api: Pick<ChatApi, "members">;
  readonly changed: () => void;
}

export class MemberList {
  readonly #options: MemberListOptions;
  readonly #members = new Map<string, StoredMember>();
  #state: "none" | "loading" | "loaded" | "failed" = "none";
  #hasMore = false;
  /** The last user of the last page. */
  #end: string | undefined;
  #arrived: MemberEvent[] = [];

  constructor(options: MemberListOptions) {
    this.#options = options;
  }

  get state(): "none" | "loading" | "loaded" | "failed" {
    return this.#state;
  }
  get hasMore(): boolean {
    return this.#hasMore;
  }
  get all(): readonly StoredMember[] {
    return [...this.#members.values()];
  }

  of(user: string): StoredMember | undefined {
    return this.#members.get(user);
  }

  /** The first page, or the next one. */
  async load(): Promise<void> {
    if (this.#state === "loading") return;
    if (this.#state === "loaded" && !this.#hasMore) return;
    const { api, room, changed } = this.#options;
    this.#state = "loading";
    changed();
    try {
      const { members, more } = await api.members(room, this.#end);
      for (const member of members) this.#members.set(member.user, member);
      this.#end = members.at(-1)?.user ?? this.#end;
      this.#hasMore = more;
      this.#state = "loaded";
      for (const event of this.#arrived.splice(0)) this.#apply(event); // member-list.2
    } catch {
      this.#state = "failed";
    }
    changed();
  }

  receive(event: RoomEvent): void {
    if (event.t !== "member" || this.#state === "none") return;
    if (this.#state === "loading") this.#arrived.push(event);
    else this.#apply(event);
  }

  /** The room was recreated. */
  reset(): void {
    this.#members.clear();
    this.#arrived = [];
    this.#end = undefined;
    this.#hasMore = false;
    this.#state = "none";
  }

  #apply({ user, role, mutedUntil, banned }: MemberEvent): void {
    const isStored = role !== "none" || banned === true || (mutedUntil ?? 0) > 0;
    if (!isStored) {
      this.#members.delete(user);
      return;
    }
    this.#members.set(user, {
      user,
      role,
      ...(mutedUntil !== undefined && { mutedUntil }),
      ...(banned === true && { banned }),
    });
  }
}
