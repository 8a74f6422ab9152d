// FailureDetector: decides by pings whether a reported peer is dead, without waiting for the beat
// timeout.
//
// NATS notices a closed connection at once and answers a ping to that process with "no responders".
// So two pings prove that a killed process is dead. A slow or paused process keeps its connection:
// its pings time out, which proves nothing. The beat timeout handles such a peer.
//
// Owns: one case per reported peer. Does not own: sending pings (process/peer-pings.ts), the
// consequences (the caller).
//
//   failure-detector.1. A peer is declared dead after CONFIRM_PINGS answers "no responders" in a
//       row, and never after a timeout. A timeout can also mean delay, loss or a pause, and a false
//       failover costs more than the wait.
//   failure-detector.2. A peer has at most one case at a time. A closed case is not opened again
//       for COOLDOWN_MS, so any number of reports costs a few pings a second.
//   failure-detector.3. After its own disconnect a process declares no peer dead for
//       RECONNECT_GRACE_MS. Its peers reconnect at the same time, and "no responders" can mean that
//       a peer has not finished.
//
// Rejected: to declare a peer dead because its answers are late. Lanes report a paused peer 2 s
// after the pause, a sufficient number of pings takes another second, and at that time the beat
// timeout has almost expired.

import type { RequestOutcome } from "../ports/bus.ts";
import type { Millis, ProcessId } from "../protocol/ids.ts";

/** The number of pings without a responder. The second one covers a client that reconnects. */
export const CONFIRM_PINGS = 2;
/** The time between two pings of a case. A NATS client reconnects within 100 to 200 ms. */
export const CONFIRM_MS = 100;
export const COOLDOWN_MS = 250;
export const RECONNECT_GRACE_MS = 1_000;
/** A ping without an answer for this long closes its case. */
export const PING_TIMEOUT_MS = 1_000;

export type FailureDetectorEffect =
  /**
   * Sends a ping to the peer after `afterMs`. The call `onPingOutcome` with the same
   * case is the answer.
   */
  | {
      readonly kind: "ping";
      readonly peer: ProcessId;
      readonly caseNo: number;
      readonly afterMs: number;
    }
  | { readonly kind: "declare-dead"; readonly peer: ProcessId };

interface Case {
  readonly caseNo: number;
  noResponders: number;
}

export class FailureDetector {
  readonly #cases = new Map<ProcessId, Case>();
  /** Peers with a recently closed case, and the end of their cooldown. */
  readonly #coolingDown = new Map<ProcessId, Millis>();
  #ignoresReportsUntil: Millis = 0;
  #number = 0;

  /** Another process reported `peer`, or its beat is late. */
  onReport(peer: ProcessId, now: Millis): FailureDetectorEffect[] {
    for (const [closed, until] of this.#coolingDown) {
      // All cooldowns have the same length, so the map is in order of their ends.
      if (until > now) break;
      this.#coolingDown.delete(closed);
    }
    if (now < this.#ignoresReportsUntil) return []; // failure-detector.3
    if (this.#cases.has(peer) || this.#coolingDown.has(peer)) return []; // failure-detector.2
    const caseNo = ++this.#number;
    this.#cases.set(peer, { caseNo, noResponders: 0 });
    return [{ kind: "ping", peer, caseNo, afterMs: 0 }];
  }

  onPingOutcome(
    peer: ProcessId,
    answer: { readonly caseNo: number; readonly outcome: RequestOutcome["kind"] },
    now: Millis,
  ): FailureDetectorEffect[] {
    const open = this.#cases.get(peer);
    if (open?.caseNo !== answer.caseNo) return [];
    if (answer.outcome !== "no-responders") {
      this.#close(peer, now);
      return [];
    }
    open.noResponders++;
    if (open.noResponders < CONFIRM_PINGS) {
      return [{ kind: "ping", peer, caseNo: open.caseNo, afterMs: CONFIRM_MS }];
    }
    this.#close(peer, now);
    return [{ kind: "declare-dead", peer }]; // failure-detector.1
  }

  /** A beat of `peer` closes its case. */
  onBeat(peer: ProcessId, now: Millis): void {
    if (this.#cases.has(peer)) this.#close(peer, now);
  }

  /** This process was disconnected from the bus (failure-detector.3). */
  onReconnected(now: Millis): void {
    this.#cases.clear();
    this.#ignoresReportsUntil = now + RECONNECT_GRACE_MS;
  }

  #close(peer: ProcessId, now: Millis): void {
    this.#cases.delete(peer);
    this.#coolingDown.set(peer, now + COOLDOWN_MS);
  }
}
