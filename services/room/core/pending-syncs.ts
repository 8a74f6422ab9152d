// Owed syncs: gateways whose users this owner dropped, or never heard of, and that have been asked to
// announce them. The question may be lost, and nobody else would notice: who stays connected there would
// be missing in everybody's list for as long as the owner lives.
//
//   pending-syncs.1. Asked again AGAIN_MS after the first time, until a sync comes: a gateway that has nobody here
//        has nothing to announce, so it is not asked for ever.

import { RESYNC_ALL } from "#shared/protocol/commands.ts";
import type { Epoch, Millis, ProcessId } from "#shared/protocol/ids.ts";
import type { Effect } from "./effects.ts";

const AGAIN_MS: readonly Millis[] = [1_000, 3_000, 9_000];

interface Owed {
  readonly since: Millis;
  asked: number;
}

export class OwedSyncs {
  readonly #epoch: Epoch;
  readonly #owed = new Map<ProcessId, Owed>();

  constructor(epoch: Epoch) {
    this.#epoch = epoch;
  }

  /** The question, for the first time. */
  add(gateway: ProcessId, now: Millis): Effect {
    this.#owed.set(gateway, { since: now, asked: 0 });
    return this.#ask(gateway);
  }

  /** It has announced its users, or is gone. */
  settle(gateway: ProcessId): void {
    this.#owed.delete(gateway);
  }

  /** The questions that are to be asked again now (pending-syncs.1). */
  due(now: Millis): Effect[] {
    const due: Effect[] = [];
    for (const [gateway, owed] of this.#owed) {
      if (now - owed.since < (AGAIN_MS[owed.asked] ?? Infinity)) continue;
      due.push(this.#ask(gateway));
      if (++owed.asked === AGAIN_MS.length) this.#owed.delete(gateway);
    }
    return due;
  }

  #ask(gateway: ProcessId): Effect {
    return { kind: "resync", gateway, epoch: this.#epoch, lane: RESYNC_ALL };
  }
}
