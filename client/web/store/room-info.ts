// RoomInfo: the settings of one room and the role of the user in it.
//
// Owns: the answer of the server, kept current by the events of the room. Does not own: the other
// members (MemberList), which action a role may do (room-rights.ts).
//
//   room-info.1. The answer is as of the event `head`; later events change it.
//   room-info.2. A grant of the token counts, too, so a change of the own membership asks the
//        server for the role.
//   room-info.3. The end of the user's mute is that of the answer, or of a later own event: the
//        tail of a room does not reach an older one.

import { settingsOf } from "#shared/protocol/events.ts";
import type { MemberEvent, RoomEvent, RoomSettings } from "#shared/protocol/events.ts";
import type { Role } from "#shared/protocol/roles.ts";
import type { ChatApi } from "./chat-api.ts";

export interface RoomInfoOptions {
  readonly room: string;
  readonly me: string;
  readonly api: Pick<ChatApi, "about">;
  readonly changed: () => void;
}

export class RoomInfo {
  readonly #options: RoomInfoOptions;
  #settings: RoomSettings | undefined;
  #role: Role | undefined;
  #members: number | undefined;
  #asOf = 0;
  #isLoading = false;
  #isWanted = false;
  /** The last event about the membership of the user. */
  #membership: MemberEvent | undefined;
  #mutedUntil = 0;

  constructor(options: RoomInfoOptions) {
    this.#options = options;
  }

  /** Undefined until the first answer, or the first event with settings. */
  get settings(): RoomSettings | undefined {
    return this.#settings;
  }
  /** Undefined until the first answer. */
  get role(): Role | undefined {
    return this.#role;
  }
  /** The stored members. */
  get members(): number | undefined {
    return this.#members;
  }
  get membership(): MemberEvent | undefined {
    return this.#membership;
  }
  /** The end of the user's mute; 0: none is known. */
  get mutedUntil(): number {
    return this.#mutedUntil;
  }

  load(): void {
    this.#isWanted = true;
    if (!this.#isLoading) void this.#run();
  }

  receive(event: RoomEvent): void {
    if (event.seq <= this.#asOf) return;
    if (event.t === "room") {
      this.#settings = settingsOf(event);
      this.#asOf = event.seq;
    } else if (event.t === "member" && event.user === this.#options.me) {
      this.#membership = event;
      this.#mutedUntil = event.mutedUntil ?? 0;
      const isOut = event.role === "none" && this.#settings?.kind !== "open";
      if (isOut || event.banned === true) this.#role = "none";
      else if (this.#role !== undefined) this.load(); // room-info.2
    }
  }

  /** The room was recreated. */
  reset(): void {
    this.#settings = undefined;
    this.#membership = undefined;
    this.#mutedUntil = 0;
    this.#asOf = 0;
    this.load();
  }

  async #run(): Promise<void> {
    const { api, room, changed } = this.#options;
    this.#isLoading = true;
    while (this.#isWanted) {
      this.#isWanted = false;
      const about = await api.about(room).catch(() => undefined);
      if (about === undefined) continue; // The view shows the room without them.
      const { head, role, mutedUntil = 0, members } = about;
      this.#role = role;
      this.#members = members;
      if (head >= (this.#membership?.seq ?? 0)) this.#mutedUntil = mutedUntil; // room-info.3
      if (head >= this.#asOf) {
        this.#settings = settingsOf(about);
        this.#asOf = head;
      }
      changed();
    }
    this.#isLoading = false;
  }
}
