// Scheduler: virtual time. Everything that happens in a simulated world is one event here.
//
// Owns: the time, the queue of what is to happen, the order of what happens at one moment. Does not
// own: what happens.
//
//   scheduler.1. Events run in the order of their time; those of one moment in the order of planning.
//   scheduler.2. Between two events every promise that can settle has settled, as in a real event loop: an
//        event is one `setImmediate`, and Node empties the microtasks after each. Immediates are
//        armed in batches, for a round of libuv's loop costs more than most events.
//   scheduler.3. `isInside` is true while an event and its microtasks run, and false while this process does
//        something else (another test's sockets), which is none of the simulation's business.
//   scheduler.4. An event that throws ends the run: whoever may throw is caught where it is called.

import type { Millis } from "#shared/protocol/ids.ts";

export interface Planned {
  readonly time: Millis;
  readonly order: number;
  /** Undefined once it ran or was cancelled. */
  run: (() => void) | undefined;
}

const BATCH = 128;
/** Taken before the guard (determinism-guard.ts) replaces it. */
const immediately = setImmediate;

export class Scheduler {
  #now: Millis = 0;
  #order = 0;
  #events = 0;
  #isInside = false;
  readonly #heap: Planned[] = [];

  get now(): Millis {
    return this.#now;
  }

  /** scheduler.3. */
  get isInside(): boolean {
    return this.#isInside;
  }

  /** How many events have run. */
  get events(): number {
    return this.#events;
  }

  at(time: Millis, run: () => void): Planned {
    const planned = { time: Math.max(time, this.#now), order: this.#order++, run };
    this.#push(planned);
    return planned;
  }

  after(delayMs: Millis, run: () => void): Planned {
    return this.at(this.#now + Math.max(0, delayMs), run);
  }

  /** Runs everything that is due until `end`, or until `isDone` says so between two events. */
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
        for (let i = 1; i < BATCH; i++) immediately(step);
        immediately(() => {
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

  #push(item: Planned): void {
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

function isBefore(a: Planned, b: Planned): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
