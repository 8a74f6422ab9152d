// LiveProcesses: which processes of one kind are live, according to their beats.
//
// Owns: the time of the last beat of each process. Does not own: time (the caller passes a
// monotonic `now`), timers, the bus, or the consequences of a change (placement belongs to the
// caller). This table is a hint. The fence provides safety, so a wrong entry costs time and never
// data.
//
//   live-processes.1. A process is live from its first `live` beat until it sends another state, is
//        removed, or is silent for longer than the timeout. A later `live` beat makes it live
//        again.
//   live-processes.2. Two tables that received the same beats list the same processes, in the same
//        (sorted) order.
//   live-processes.3. At most LIVE_PROCESSES_MAX processes are kept. When the table is full,
//        unknown processes are ignored. Ids are unique per start, so that a process in a crash loop
//        must not grow this table.
//   live-processes.4. While this process itself received nothing (paused, disconnected), silence
//        proves nothing: `refresh` restarts the timeouts.

import type { Millis, ProcessId } from "../protocol/ids.ts";
import type { Beat } from "../protocol/beat.ts";

export const LIVE_PROCESSES_MAX = 1_024;

export class LiveProcesses {
  readonly #timeoutMs: number;
  /** id → time of the last beat; insertion order is the order of last beats, oldest first. */
  readonly #lastBeats = new Map<ProcessId, Millis>();

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** The time of the beat of the process that was silent for longest; undefined without one. */
  get oldestBeatAt(): Millis | undefined {
    return this.#lastBeats.values().next().value;
  }

  /** True when this beat changed which processes are live. */
  onBeat(beat: Pick<Beat, "id" | "state">, now: Millis): boolean {
    if (beat.state !== "live") return this.#lastBeats.delete(beat.id);
    const isNew = !this.#lastBeats.has(beat.id);
    if (isNew && this.#lastBeats.size >= LIVE_PROCESSES_MAX) return false; // live-processes.3
    this.#lastBeats.delete(beat.id); // Inserted again below, so that the order stays by last beat.
    this.#lastBeats.set(beat.id, now);
    return isNew;
  }

  /** Removes the processes that were silent for too long and returns them. */
  expire(now: Millis): ProcessId[] {
    const expired: ProcessId[] = [];
    for (const [id, beatAt] of this.#lastBeats) {
      if (now - beatAt <= this.#timeoutMs) break;
      expired.push(id);
    }
    for (const id of expired) this.#lastBeats.delete(id);
    return expired;
  }

  /** The processes that were silent for longer than `ms`, longest silence first. */
  silentFor(ms: number, now: Millis): ProcessId[] {
    const silent: ProcessId[] = [];
    for (const [id, beatAt] of this.#lastBeats) {
      if (now - beatAt <= ms) break;
      silent.push(id);
    }
    return silent;
  }

  /** Treats every process as if it had sent a beat now (live-processes.4). */
  refresh(now: Millis): void {
    // The order does not change.
    for (const id of this.#lastBeats.keys()) this.#lastBeats.set(id, now);
  }

  /** Removes `id` now, because it was declared dead. Its next beat adds it again. */
  remove(id: ProcessId): boolean {
    return this.#lastBeats.delete(id);
  }

  has(id: ProcessId): boolean {
    return this.#lastBeats.has(id);
  }

  /** Sorted, so that every process lists them in the same order (live-processes.2). */
  live(): ProcessId[] {
    return [...this.#lastBeats.keys()].sort();
  }
}
