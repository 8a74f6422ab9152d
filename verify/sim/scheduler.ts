// Scheduler: virtual time. Everything that happens in a simulation is one event of the scheduler.
//
// Owns: the current time, the queue of scheduled events, the order of simultaneous events. Does not
// own: the effect of an event.
//
//   scheduler.1. Events run in the order of their times. Simultaneous events run in the order in
//                which they were scheduled.
//   scheduler.2. Between two events every promise that can settle has settled, as in a real event
//                loop: each event is one `setImmediate`, and Node runs all microtasks after it.
//                Immediates are armed in batches, because one iteration of libuv's loop costs more
//                than most events.
//   scheduler.3. `isInside` is true while an event and its microtasks run. It is false while other
//                code of the Node process runs, for example another test's sockets.
//   scheduler.4. An event that throws ends the run. Code that may throw is guarded where it is
//                called.

import type { Millis } from "#shared/protocol/ids.ts";

export interface ScheduledEvent {
  readonly time: Millis;
  readonly order: number;
  /** Undefined after it ran or was cancelled. */
  run: (() => void) | undefined;
}

const BATCH = 128;
/** Captured before the guard (determinism-guard.ts) replaces it. */
const realSetImmediate = setImmediate;

export class Scheduler {
  #now: Millis = 0;
  #order = 0;
  #events = 0;
  #isInside = false;
  readonly #heap: ScheduledEvent[] = [];

  get now(): Millis {
    return this.#now;
  }

  /** scheduler.3. */
  get isInside(): boolean {
    return this.#isInside;
  }

  /** The number of events that have run. */
  get events(): number {
    return this.#events;
  }

  at(time: Millis, run: () => void): ScheduledEvent {
    const event = { time: Math.max(time, this.#now), order: this.#order++, run };
    this.#push(event);
    return event;
  }

  after(delayMs: Millis, run: () => void): ScheduledEvent {
    return this.at(this.#now + Math.max(0, delayMs), run);
  }

  /** Runs all events up to the time `end`, or until `isDone` returns true between two events. */
  async runUntil(end: Millis, isDone: () => boolean = () => false): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    let isOver = false;
    const step = (): void => {
      if (isOver) return;
      this.#isInside = true;
      try {
        isOver = isDone() || !this.#runNext(end);
      } catch (error: unknown) {
        failure = { error }; // scheduler.4
        isOver = true;
      }
    };
    for (;;) {
      await new Promise<void>((resolve) => {
        for (let i = 1; i < BATCH; i++) realSetImmediate(step);
        realSetImmediate(() => {
          this.#isInside = false;
          resolve();
        });
      });
      if (isOver) break;
    }
    if (failure !== undefined) throw failure.error;
  }

  #runNext(end: Millis): boolean {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.time > end) {
        this.#now = Math.max(this.#now, end);
        return false;
      }
      this.#pop();
      const { run } = next;
      if (run === undefined) continue;
      this.#now = next.time;
      next.run = undefined;
      this.#events++;
      run();
      return true;
    }
  }

  #push(item: ScheduledEvent): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, item)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = item;
  }

  #pop(): void {
    const heap = this.#heap;
    const item = heap.pop();
    if (item === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      let below = heap[child];
      if (below === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, below)) {
        child++;
        below = right;
      }
      if (isBefore(item, below)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = item;
  }
}

function isBefore(a: ScheduledEvent, b: ScheduledEvent): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
