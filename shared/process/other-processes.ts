// OtherProcesses: whether another process of the same service serves, according to its beats.
//
// Before a process replaces itself, another one must be there for its clients (self-healing.4).

import { LiveProcesses } from "../kit/live-processes.ts";
import type { Bus, Subscription } from "../ports/bus.ts";
import type { Clock } from "../ports/clock.ts";
import { decodeBeat, isFar, NODE_TIMEOUT_MS } from "../protocol/beat.ts";
import type { NodeKind, ProcessId } from "../protocol/ids.ts";
import { subjects } from "../protocol/subjects.ts";

export interface OtherProcessesOptions {
  readonly id: ProcessId;
  readonly kind: NodeKind;
  /** Processes of another region do not count. */
  readonly region?: string | undefined;
  readonly bus: Pick<Bus, "subscribe">;
  readonly clock: Pick<Clock, "monotonic">;
}

export class OtherProcesses {
  readonly #live = new LiveProcesses(NODE_TIMEOUT_MS);
  readonly #options: OtherProcessesOptions;
  #beats: Subscription | undefined;

  constructor(options: OtherProcessesOptions) {
    this.#options = options;
  }

  start(): void {
    const { id, kind, region, bus, clock } = this.#options;
    this.#beats = bus.subscribe(subjects.beat(kind), ({ data }) => {
      const beat = decodeBeat(new TextDecoder().decode(data));
      if (beat === undefined || beat.id === id || isFar(beat, region)) return;
      this.#live.onBeat(beat, clock.monotonic());
    });
  }

  isAnyLive(): boolean {
    this.#live.expire(this.#options.clock.monotonic());
    return this.#live.live().length > 0;
  }

  stop(): void {
    this.#beats?.unsubscribe();
  }
}
