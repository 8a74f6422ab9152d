// Pending syncs: syncs that this owner has requested from gateways and has not received.
//
// The owner requests a sync from a gateway whose users it dropped, or whose users it does not know.
// The request may be lost, and no other part would notice: the gateway's users would be missing
// from all member lists until the tenure ends.
//
// Owns: the requests and their repetition. Does not own: presence (presence.ts).
//
//   pending-syncs.1. The owner repeats a request REPEATS_MS after the first one, until the sync
//       arrives. A gateway without members here sends no sync, so the repetition ends.

import { RESYNC_ALL } from "#shared/protocol/results.ts";
import type { Epoch, Millis, ProcessId } from "#shared/protocol/ids.ts";
import type { Effect } from "./partition-io.ts";

const REPEATS_MS: readonly Millis[] = [1_000, 3_000, 9_000];

interface PendingSync {
  readonly since: Millis;
  asked: number;
}

export class PendingSyncs {
  readonly #epoch: Epoch;
  readonly #pending = new Map<ProcessId, PendingSync>();

  constructor(epoch: Epoch) {
    this.#epoch = epoch;
  }

  get isEmpty(): boolean {
    return this.#pending.size === 0;
  }

  /** Registers the gateway and returns the first request. */
  add(gateway: ProcessId, now: Millis): Effect {
    this.#pending.set(gateway, { since: now, asked: 0 });
    return this.#ask(gateway);
  }

  /** The gateway has sent its sync, or has timed out. */
  settle(gateway: ProcessId): void {
    this.#pending.delete(gateway);
  }

  /** The requests to repeat now (pending-syncs.1). */
  due(now: Millis): Effect[] {
    const due: Effect[] = [];
    for (const [gateway, sync] of this.#pending) {
      if (now - sync.since < (REPEATS_MS[sync.asked] ?? Infinity)) continue;
      due.push(this.#ask(gateway));
      if (++sync.asked === REPEATS_MS.length) this.#pending.delete(gateway);
    }
    return due;
  }

  #ask(gateway: ProcessId): Effect {
    return { kind: "resync", gateway, epoch: this.#epoch, lane: RESYNC_ALL };
  }
}
