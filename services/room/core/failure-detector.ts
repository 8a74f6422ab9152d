// FailureDetector: whether a peer that somebody misses is dead, found out by asking instead of waiting.
//
// The beat timeout is what one waits before sending for the doctor; this is knocking at the door.
// NATS knows at once when a connection is gone and says "no responders" to whoever asks there, so a
// killed process is known to be dead within two questions. A process that is only slow or paused
// still has its connection: its questions stay unanswered, and that proves nothing. Such a peer is
// left to the beat timeout.
//
//   failure-detector.1. A peer is condemned by CONFIRM_PINGS answers "no responders" in a row, never by silence:
//        delay, loss and a pause look alike from here, and a false failover costs more than a wait.
//   failure-detector.2. One case per peer at a time. A closed case is not opened again for COOLDOWN_MS, so any
//        number of voices costs a few questions a second.
//   failure-detector.3. Whoever was cut off itself believes nobody dead for RECONNECT_GRACE_MS: the others are
//        connecting again as well, and "no responders" only says that we were quicker.
//
// Rejected: condemning a peer whose answers are late. A paused peer is noticed 2 s after the pause (by
// lanes that get no answer), a fair number of questions takes another second, and by then its beats
// have been missing for about as long as the beat timeout wants.

import type { RequestOutcome } from "#shared/ports/bus.ts";
import type { Millis, ProcessId } from "#shared/protocol/ids.ts";

/** The questions that must find nobody. The second one covers a client that reconnects. */
export const CONFIRM_PINGS = 2;
/** Between two questions of a case. A client of NATS dials again within 100 to 200 ms. */
export const CONFIRM_MS = 100;
export const COOLDOWN_MS = 250;
export const RECONNECT_GRACE_MS = 1_000;
/** A question without an answer for this long ends its case. */
export const PING_TIMEOUT_MS = 1_000;

export type FailureDetectorEffect =
  /** Ask `node.<peer>.ping` after `afterMs`; tell what came of it with the same case. */
  | {
      readonly kind: "ping";
      readonly peer: ProcessId;
      readonly openedAs: number;
      readonly afterMs: number;
    }
  | { readonly kind: "declare-dead"; readonly peer: ProcessId };

interface Case {
  readonly openedAs: number;
  noResponders: number;
}

export class FailureDetector {
  readonly #cases = new Map<ProcessId, Case>();
  /** Peers whose case was closed a moment ago, and until when they are left alone. */
  readonly #coolingDown = new Map<ProcessId, Millis>();
  #ignoresReportsUntil: Millis = 0;
  #number = 0;

  /** Somebody misses `peer`. */
  onReport(peer: ProcessId, now: Millis): FailureDetectorEffect[] {
    for (const [closed, until] of this.#coolingDown) {
      if (until > now) break; // All are spared equally long, so they stand in order.
      this.#coolingDown.delete(closed);
    }
    if (now < this.#ignoresReportsUntil) return []; // failure-detector.3
    if (this.#cases.has(peer) || this.#coolingDown.has(peer)) return []; // failure-detector.2
    const openedAs = ++this.#number;
    this.#cases.set(peer, { openedAs, noResponders: 0 });
    return [{ kind: "ping", peer, openedAs, afterMs: 0 }];
  }

  onPingOutcome(
    peer: ProcessId,
    answer: { readonly openedAs: number; readonly outcome: RequestOutcome["kind"] },
    now: Millis,
  ): FailureDetectorEffect[] {
    const open = this.#cases.get(peer);
    if (open?.openedAs !== answer.openedAs) return [];
    if (answer.outcome !== "no-responders") {
      this.#close(peer, now);
      return [];
    }
    open.noResponders++;
    if (open.noResponders < CONFIRM_PINGS) {
      return [{ kind: "ping", peer, openedAs: open.openedAs, afterMs: CONFIRM_MS }];
    }
    this.#close(peer, now);
    return [{ kind: "declare-dead", peer }]; // failure-detector.1
  }

  /** A sign of life. */
  onBeat(peer: ProcessId, now: Millis): void {
    if (this.#cases.has(peer)) this.#close(peer, now);
  }

  /** Our own connection was away (failure-detector.3). */
  onReconnected(now: Millis): void {
    this.#cases.clear();
    this.#ignoresReportsUntil = now + RECONNECT_GRACE_MS;
  }

  #close(peer: ProcessId, now: Millis): void {
    this.#cases.delete(peer);
    this.#coolingDown.set(peer, now + COOLDOWN_MS);
  }
}
