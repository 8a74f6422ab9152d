// Lapse: a serving owner that could not run, or had no connection to the bus, for a time in which
// peers may have declared it dead. It answers nothing before it knows that no rival has claimed.
//
// Owns: the reads of the log that it waits for, and the lanes whose batches it did not take. Does
// not own: what the read shows (partition.ts).
//
//   lapse.1. It ends with the answer to a read that was requested after the newest pause.
//   lapse.2. At its end each gateway whose batch was not taken is asked to send everything again. A
//        gateway that is gone is forgotten, so a long outage of the log holds one lane of each live
//        gateway.

import type { CommandBatch } from "#shared/protocol/commands.ts";
import type { Epoch, Millis, ProcessId } from "#shared/protocol/ids.ts";
import type { LastOutcome } from "#shared/ports/log.ts";
import type { Effect } from "./partition-io.ts";

export class Lapse {
  #retryAt: Millis = Infinity;
  #reads = 0;
  /** The newest lane of each gateway. */
  readonly #lanes = new Map<ProcessId, number>();

  read(): Effect[] {
    this.#reads++;
    this.#retryAt = Infinity;
    return [{ kind: "read-last" }];
  }

  /**
   * Returns true when the end of the log is known, and no later read is under way (lapse.1). A read
   * without an answer is repeated at `retryAt`.
   */
  onRead(outcome: LastOutcome["kind"], retryAt: Millis): boolean {
    this.#reads--;
    if (this.#reads > 0) return false;
    if (outcome === "unknown") this.#retryAt = retryAt;
    return outcome === "ok";
  }

  onTick(now: Millis): Effect[] {
    return now < this.#retryAt ? [] : this.read();
  }

  onBatch({ gw, lane }: CommandBatch): void {
    this.#lanes.set(gw, lane);
  }

  onGatewayGone(gateway: ProcessId): void {
    this.#lanes.delete(gateway);
  }

  /** lapse.2. */
  end(epoch: Epoch): Effect[] {
    return [...this.#lanes].map(([gateway, lane]) => ({ kind: "resync", gateway, epoch, lane }));
  }
}
