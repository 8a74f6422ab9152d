// FlushScheduler: runs deferred writes at the end of an iteration of the event loop, in a fixed
// order.
//
// One iteration handles everything that has arrived. Writing once at its end makes one batch of
// several commands, one write per member of a room, and one write of an ack together with the
// sender's own line.
//
//   flush-scheduler.1. Lanes flush first, so that the owner starts early; then feeds; then
//        connections.
//   flush-scheduler.2. A flush that is requested during this phase runs in the next iteration,
//        except for connections.
//   flush-scheduler.3. Lanes flush together, at the pace of pacing.ts. A lane that is early waits.

import type { Clock, Timer } from "#shared/ports/clock.ts";
import { LanesPace } from "../core/pacing.ts";

export interface Flushable {
  flush(): void;
}

export interface FlushableLane extends Flushable {
  /** Commands that a flush sends. */
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
