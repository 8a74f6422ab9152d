// Turn: what is put off to the end of the current turn of the event loop, in one fixed order.
//
// One turn handles everything that had arrived. Doing the writing at its end, once, is what makes a
// batch of commands, one write per member of a room, and an acknowledgement that leaves together
// with the sender's own line:
//
//   flush-scheduler.1. First lanes (the owner can begin to work), then feeds, then what connections still hold.
//   flush-scheduler.2. What is put off while a turn ends is done in the next one, except for connections.
//   flush-scheduler.3. Lanes leave together and at the pace of pacing.ts; what comes before their time waits.

import type { Clock, Timer } from "#shared/ports/clock.ts";
import { LanesPace } from "../core/pacing.ts";

export interface Flushable {
  flush(): void;
}

export interface FlushableLane extends Flushable {
  /** Commands that a flush takes along. */
  readonly queued: number;
}

export class FlushScheduler {
  readonly #clock: Clock;
  #lanes = new Set<FlushableLane>();
  #feeds = new Set<Flushable>();
  readonly #connections = new Set<Flushable>();
  readonly #lanesPace = new LanesPace();
  #lanesTimer: Timer | undefined;
  #isScheduled = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  lane(lane: FlushableLane): void {
    this.#lanes.add(lane);
    this.#schedule();
  }

  feed(feed: Flushable): void {
    this.#feeds.add(feed);
    this.#schedule();
  }

  connection(connection: Flushable): void {
    this.#connections.add(connection);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#clock.soon(() => this.#end());
  }

  #end(): void {
    this.#isScheduled = false;
    this.#flushLanes();
    const feeds = this.#feeds;
    this.#feeds = new Set();
    for (const feed of feeds) feed.flush();
    for (const connection of this.#connections) connection.flush();
    this.#connections.clear();
  }

  #flushLanes(): void {
    if (this.#lanes.size === 0 || this.#lanesTimer !== undefined) return;
    const now = this.#clock.monotonic();
    const waitMs = this.#lanesPace.waitMs(now);
    if (waitMs > 0) {
      this.#lanesTimer = this.#clock.after(waitMs, () => {
        this.#lanesTimer = undefined;
        this.#flushLanes();
      });
      return;
    }
    const lanes = this.#lanes;
    this.#lanes = new Set();
    let commands = 0;
    for (const lane of lanes) {
      commands += lane.queued;
      lane.flush();
    }
    this.#lanesPace.left({ lanes: lanes.size, commands }, now); // flush-scheduler.3
  }
}
