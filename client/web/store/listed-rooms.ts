// ListedRooms: the rooms whose member the user is, as the server lists them.
//
// Owns: when the list is requested. Does not own: what happens between two lists (RoomEntry).
//
//   listed-rooms.1. At most one request runs. A change during it requests the list once more.
//   listed-rooms.2. The archive, from which the server lists, follows the rooms: after a change the
//        list is requested twice, at once and LAG_MS later.
//   listed-rooms.3. It holds at most LISTED_MAX rooms, the newest ones.

import type { Clock, Timer } from "#shared/ports/clock.ts";
import type { ListedRoom } from "#shared/protocol/room-list.ts";
import type { ChatClient } from "./client-port.ts";

export const LISTED_MAX = 200;
const PAGE_ROOMS = 50;
const SOON_MS = 200;
const LAG_MS = 2_500;
/** Between two lists that changes request. */
const GAP_MS = 1_000;
/** Between two lists while nothing is known to have changed. */
const STALE_MS = 45_000;

export interface RoomListOptions {
  readonly client: Pick<ChatClient, "rooms" | "state">;
  readonly clock: Clock;
  readonly loaded: (rooms: readonly ListedRoom[]) => void;
}

export class ListedRooms {
  readonly #options: RoomListOptions;
  #soon: Timer | undefined;
  #lag: Timer | undefined;
  #state: "none" | "loaded" | "failed" = "none";
  #isLoading = false;
  #isWanted = false;
  #loadedAt = -Infinity;

  constructor(options: RoomListOptions) {
    this.#options = options;
  }

  /** `failed`: the last request failed; an earlier list stays. */
  get state(): "none" | "loaded" | "failed" {
    return this.#state;
  }

  /** Something changed that the list shows (listed-rooms.2). */
  changed(): void {
    const { clock } = this.#options;
    const gap = this.#loadedAt + GAP_MS - clock.monotonic();
    this.#soon ??= clock.after(Math.max(SOON_MS, gap), () => {
      this.#soon = undefined;
      this.load();
    });
    this.#lag?.cancel();
    this.#lag = clock.after(LAG_MS, () => this.load());
  }

  /** Requests the list when it is old. */
  refresh(): void {
    if (this.#options.clock.monotonic() - this.#loadedAt >= STALE_MS) this.load();
  }

  load(): void {
    if (this.#options.client.state !== "online") return;
    this.#isWanted = true;
    if (!this.#isLoading) void this.#run();
  }

  close(): void {
    this.#soon?.cancel();
    this.#lag?.cancel();
    this.#isWanted = false;
  }

  async #run(): Promise<void> {
    const { clock, loaded } = this.#options;
    this.#isLoading = true;
    while (this.#isWanted) {
      this.#isWanted = false;
      const rooms = await this.#request();
      this.#state = rooms === undefined ? "failed" : "loaded";
      if (rooms === undefined) continue;
      this.#loadedAt = clock.monotonic();
      loaded(rooms);
    }
    this.#isLoading = false;
  }

  async #request(): Promise<readonly ListedRoom[] | undefined> {
    const found = new Map<string, ListedRoom>();
    let after: string | undefined;
    try {
      do {
        const page = await this.#options.client.rooms({
          limit: PAGE_ROOMS,
          ...(after !== undefined && { after }),
        });
        for (const room of page.rooms) if (!found.has(room.room)) found.set(room.room, room);
        after = page.next;
      } while (after !== undefined && found.size < LISTED_MAX);
    } catch {
      return undefined; // No connection; it is requested again when there is one.
    }
    return [...found.values()].slice(0, LISTED_MAX);
  }
}
