// RoomRules: what a room takes from the user now. The web client and `parley chat` judge by it.
//
// Owns: the settings and the standing of the user (RoomInfo), the clock of the room, the timer for
// the end of a mute. Does not own: the table of rights (room-rights.ts), requests, words.
//
//   room-rules.1. The room judges times by its own clock. A live event has a time that this clock
//        has passed. The greatest lead of such a time over the clock of this device counts, because
//        an event can arrive late, and an imported one can be old. Before the first live event the
//        clock of this device counts.
//   room-rules.2. The view changes when the mute of the user ends. One timer waits for it.

import type { RoomEvent } from "#shared/protocol/events.ts";
import type { Clock, Timer } from "#shared/ports/clock.ts";
import type { ChatRoom, RoomStatus } from "./client-port.ts";
import { RoomInfo } from "./room-info.ts";
import type { RoomInfoOptions } from "./room-info.ts";
import { barOf, editMs } from "./room-rights.ts";
import type { RoomBar } from "./room-rights.ts";

/** A longer timer of a browser ends at once, and the end of a block is far away. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export interface RoomRulesOptions extends Omit<RoomInfoOptions, "room"> {
  readonly handle: Pick<ChatRoom, "room" | "status">;
  readonly clock: Pick<Clock, "now" | "after">;
}

export class RoomRules {
  readonly info: RoomInfo;
  readonly #options: RoomRulesOptions;
  /** How far the clock of the room is ahead (room-rules.1). */
  #lead: number | undefined;
  #muteEnd: Timer | undefined;

  constructor(options: RoomRulesOptions) {
    this.#options = options;
    const { room } = options.handle;
    this.info = new RoomInfo({ ...options, room, changed: () => this.#onInfo() });
  }

  get status(): RoomStatus {
    return this.#options.handle.status;
  }
  /** Why the user cannot write in the room now. */
  get bar(): RoomBar | undefined {
    return barOf(this, this.#now);
  }

  /** How long the author may still edit a message that was sent at this time, in ms. */
  editMs(at: number): number {
    return editMs(this.info.settings, at, this.#now);
  }

  receive(event: RoomEvent): void {
    if (this.status === "live") {
      const lead = event.at - this.#options.clock.now();
      this.#lead = Math.max(this.#lead ?? lead, lead);
    }
    this.info.receive(event);
    this.#followMute();
  }

  close(): void {
    this.#muteEnd?.cancel();
  }

  get #now(): number {
    return this.#options.clock.now() + (this.#lead ?? 0);
  }

  #onInfo(): void {
    this.#followMute();
    this.#options.changed();
  }

  /** room-rules.2. */
  #followMute(): void {
    this.#muteEnd?.cancel();
    const left = this.info.mutedUntil - this.#now;
    const onEnd = (): void => this.#onInfo();
    this.#muteEnd =
      left > 0 ? this.#options.clock.after(Math.min(left, TIMER_MS_MAX), onEnd) : undefined;
  }
}
