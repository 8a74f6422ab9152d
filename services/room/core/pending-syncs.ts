// PendingSync syncs: gateways whose users this owner dropped, or never heard of, and that have been asked to
// announce them. The question may be lost, and nobody else would notice: who stays connected there would
// be missing in everybody's list for as long as the owner lives.
//
//   pending-syncs.1. Asked again REPEATS_MS after the first time, until a sync comes: a gateway that has nobody here
//        has nothing to announce, so it is not asked for ever.

import { RESYNC_ALL } from "#shared/protocol/commands.ts";
import type { Epoch, Millis, ProcessId } from "#shared/protocol/ids.ts";
import type { Effect } from "./effects.ts";

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

  /** The question, for the first time. */
  add(gateway: ProcessId, now: Millis): Effect {
    this.#pending.set(gateway, { since: now, asked: 0 });
    return this.#ask(gateway);
  }

  /** It has announced its users, or is gone. */
  settle(gateway: ProcessId): void {
    this.#pending.delete(gateway);
  }

  /** The questions that are to be asked again now (pending-syncs.1). */
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
