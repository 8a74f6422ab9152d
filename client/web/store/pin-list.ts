// PinList: the pinned messages of one room.
//
//   pin-list.1. It is loaded when the panel first shows it. Events change it from then on.
//   pin-list.2. At most PINS_MAX are kept, the newest ones.

import type { RoomEvent } from "#shared/protocol/events.ts";
import { applyChange, targetOf } from "#client/sdk/timeline/shown-message.ts";
import type { ShownMessage } from "#client/sdk/timeline/shown-message.ts";
import type { ChatApi } from "./chat-api.ts";

const PINS_MAX = 200;

export interface PinListOptions {
  readonly room: string;
  readonly api: Pick<ChatApi, "pins" | "message">;
  readonly changed: () => void;
}

export class PinList {
  readonly #options: PinListOptions;
  readonly #pins = new Map<number, ShownMessage>();
  #state: "none" | "loading" | "loaded" | "failed" = "none";
  #before: number | undefined;
  #hasMore = false;

  constructor(options: PinListOptions) {
    this.#options = options;
  }

  get state(): "none" | "loading" | "loaded" | "failed" {
    return this.#state;
  }
  get hasMore(): boolean {
    return this.#hasMore && this.#pins.size < PINS_MAX;
  }
  /** The newest message first. */
  get all(): readonly ShownMessage[] {
    return [...this.#pins.values()].sort((a, b) => b.seq - a.seq);
  }

  /** The first page, or the next one. */
  async load(): Promise<void> {
    if (this.#state === "loading" || (this.#state === "loaded" && !this.#hasMore)) return;
    const { api, room, changed } = this.#options;
    this.#state = "loading";
    changed();
    try {
      const { events, more, first } = await api.pins(room, this.#before);
      for (const message of events) this.#pins.set(message.seq, message);
      this.#before = first;
      this.#hasMore = more;
      this.#state = "loaded";
    } catch {
      this.#state = "failed";
    }
    changed();
  }

  receive(event: RoomEvent): void {
    if (this.#state === "none") return;
    const target = targetOf(event);
    if (target === undefined) return;
    if (event.t === "pinned" && event.on) void this.#add(target);
    else if (event.t === "pinned" || event.t === "deleted") this.#pins.delete(target);
    const known = this.#pins.get(target);
    if (known !== undefined) this.#pins.set(target, applyChange(known, event));
  }

  /** The room was recreated. */
  reset(): void {
    this.#pins.clear();
    this.#before = undefined;
    this.#hasMore = false;
    this.#state = "none";
  }

  async #add(seq: number): Promise<void> {
    const { api, room, changed } = this.#options;
    const message = await api.message(room, seq).catch(() => undefined);
    if (message === undefined || message.deleted !== undefined) return;
    this.#pins.set(seq, message);
    changed();
  }
}
