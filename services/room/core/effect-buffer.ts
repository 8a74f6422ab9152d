// EffectBuffer: the effects of one step of a tenure, with its results grouped by gateway.
//
// Owns: the order of the effects. Replies are last, so a gateway receives an event (broadcast)
// before its ack. A step sends one reply per gateway, so a commit with a hundred sends costs one
// message.
// Does not own: the content of the effects (tenure.ts, writes.ts, queries.ts).

import type { ResultWithLines } from "#shared/protocol/results.ts";
import { retryAfterMs } from "#shared/protocol/errors.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { Epoch, ProcessId, RoomId, Seq } from "#shared/protocol/ids.ts";
import type { Effect } from "./partition-io.ts";

export class EffectBuffer {
  readonly #epoch: Epoch;
  #effects: Effect[] = [];
  #replies = new Map<ProcessId, ResultWithLines[]>();

  constructor(epoch: Epoch) {
    this.#epoch = epoch;
  }

  effect(effect: Effect): void {
    this.#effects.push(effect);
  }

  reply(gateway: ProcessId, item: ResultWithLines): void {
    const items = this.#replies.get(gateway);
    if (items === undefined) this.#replies.set(gateway, [item]);
    else items.push(item);
  }

  refuse(gateway: ProcessId, c: number, error: ErrorName): void {
    const afterMs = retryAfterMs(error); // P9
    this.reply(gateway, { result: afterMs === undefined ? { c, error } : { c, error, afterMs } });
  }

  repeatHeads(heads: Iterable<readonly [RoomId, Seq]>): void {
    for (const [room, head] of heads) this.effect({ kind: "repeat-head", room, head });
  }

  /** All effects since the last call, in the order in which the runner performs them. */
  take(): Effect[] {
    const effects = this.#effects;
    for (const [gateway, results] of this.#replies) {
      effects.push({ kind: "reply", gateway, epoch: this.#epoch, results });
    }
    this.#effects = [];
    if (this.#replies.size > 0) this.#replies = new Map();
    return effects;
  }
}
