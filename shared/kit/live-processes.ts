// LiveProcesses: who of one kind of process is alive, as far as their beats tell.
//
// Owns: the last time each process was heard. Does not own: time (the caller passes a monotonic
// `now`), timers, the bus, or what follows from a change (placement is the caller's).
// Membership is a hint; safety is the fence's duty, so a wrong answer here costs time, never data.
//
//   live-processes.1. A process is live from its first `live` beat until it beats otherwise, is removed, or was
//       silent for longer than the timeout. A later `live` beat makes it live again.
//   live-processes.2. Two views that heard the same beats list the same members, in the same (sorted) order.
//   live-processes.3. At most PROCESSES_MAX processes are kept; beyond them, unknown ones are ignored until others
//       go. Ids are unique per start, so a crash loop elsewhere must not grow this table.
//   live-processes.4. Silence while this process was deaf itself (paused, cut off) says nothing: `refresh`.

import type { Millis, ProcessId } from "../protocol/ids.ts";
import type { Beat } from "../protocol/membership.ts";

export const PROCESSES_MAX = 1_024;

export class LiveProcesses {
  readonly #timeoutMs: number;
  /** id → when it was last heard; insertion order is order of last beat, oldest first. */
  readonly #heard = new Map<ProcessId, Millis>();

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** True when this beat changed who is live. */
  onBeat(beat: Pick<Beat, "id" | "state">, now: Millis): boolean {
    if (beat.state !== "live") return this.#heard.delete(beat.id);
    const isNew = !this.#heard.has(beat.id);
    if (isNew && this.#heard.size >= PROCESSES_MAX) return false; // live-processes.3
    this.#heard.delete(beat.id); // Re-inserted below, so that the order stays by last beat.
    this.#heard.set(beat.id, now);
    return isNew;
  }

  /** Removes those that were silent too long and returns them; empty when nothing changed. */
  expire(now: Millis): ProcessId[] {
    const gone: ProcessId[] = [];
    for (const [id, heardAt] of this.#heard) {
      if (now - heardAt <= this.#timeoutMs) break;
      gone.push(id);
    }
    for (const id of gone) this.#heard.delete(id);
    return gone;
  }

  /** Those that were silent for longer than `ms`, the longest first. */
  silentFor(ms: number, now: Millis): ProcessId[] {
    const silent: ProcessId[] = [];
    for (const [id, heardAt] of this.#heard) {
      if (now - heardAt <= ms) break;
      silent.push(id);
    }
    return silent;
  }

  /** Counts everybody as heard now (live-processes.4). */
  refresh(now: Millis): void {
    for (const id of this.#heard.keys()) this.#heard.set(id, now); // The order stays as it is.
  }

  /** Takes `id` for dead now (nobody answers for it); its next beat brings it back. */
  remove(id: ProcessId): boolean {
    return this.#heard.delete(id);
  }

  has(id: ProcessId): boolean {
    return this.#heard.has(id);
  }

  /** Sorted, so that every process lists them alike (live-processes.2). */
  live(): ProcessId[] {
    return [...this.#heard.keys()].sort();
  }
}
