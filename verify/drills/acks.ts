// Acks: when each room got its acknowledgements, to measure how long a fault kept it waiting.
//
// Owns: the times of sends and acknowledgements of one run. Does not own: whether the answers are
// right (verify/checker).
//
//   acks.1. A room is back at the first acknowledgement of a message that was first sent after the
//        fault.

import type { MessageId, RoomId } from "#shared/protocol/ids.ts";

interface Sent {
  readonly room: RoomId;
  readonly at: number;
}

/** The used part of a client's record (verify/checker/record.ts). */
export interface SendRecord {
  readonly t: number;
  readonly op: string;
  readonly phase?: string;
  readonly room?: RoomId;
  readonly id?: MessageId;
}

export class Acks {
  readonly #open = new Map<MessageId, Sent>();
  readonly #watched = new Map<RoomId, number>();
  #since = Infinity;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Starts a measurement: at the begin of a fault, or at its heal. */
  begin(now: number): void {
    this.#since = now;
    this.#watched.clear();
  }

  /** The wait of each room that is back, in ms. */
  get back(): ReadonlyMap<RoomId, number> {
    return this.#watched;
  }

  take({ t, op, phase, room, id }: SendRecord): void {
    if (op !== "send" || room === undefined || id === undefined) return;
    if (phase === "invoke" && !this.#open.has(id)) this.#open.set(id, { room, at: t });
    if (phase !== "ok") return;
    this.#count++;
    const sent = this.#open.get(id);
    this.#open.delete(id);
    if (sent === undefined || sent.at < this.#since || this.#watched.has(room)) return; // acks.1
    this.#watched.set(room, t - this.#since);
  }
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}
