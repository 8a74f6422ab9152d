// PeerPings: pings the peers of this process that may be dead, and answers their pings.
//
// Owns: the requests to peers and the subscription of this process's own. Does not own: when a peer
// is dead (kit/failure-detector.ts), which peers exist, the consequences.
//
//   peer-pings.1. `onDead` is called once for each peer that is declared dead, and never after
//        `stop`.
//   peer-pings.2. A ping without an answer for AGAIN_MS is sent a second time, and the first answer
//        of either counts. A ping that was on its way when its process was killed has no answer;
//        the bus answers the second one.

import { FailureDetector, PING_TIMEOUT_MS } from "../kit/failure-detector.ts";
import type { FailureDetectorEffect } from "../kit/failure-detector.ts";
import type { Bus, RequestOutcome, Subscription } from "../ports/bus.ts";
import type { Clock } from "../ports/clock.ts";
import type { Millis, ProcessId } from "../protocol/ids.ts";

const AGAIN_MS = 200;

export interface PeerPingsOptions {
  readonly self: ProcessId;
  /** The subject on which a peer answers: `subjects.ping` or `subjects.archivePing`. */
  readonly subjectOf: (peer: ProcessId) => string;
  readonly bus: Pick<Bus, "publish" | "subscribe" | "request">;
  readonly clock: Pick<Clock, "monotonic" | "after">;
  readonly onDead: (peer: ProcessId) => void;
}

export class PeerPings {
  readonly #options: PeerPingsOptions;
  readonly #detector = new FailureDetector();
  #subscription: Subscription | undefined;

  constructor(options: PeerPingsOptions) {
    this.#options = options;
  }

  start(): void {
    const { bus, self, subjectOf } = this.#options;
    this.#subscription = bus.subscribe(subjectOf(self), ({ reply }) => {
      if (reply !== undefined) bus.publish(reply, "pong");
    });
  }

  stop(): void {
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
  }

  /** The peer may be dead: another process reported it, or its beat is late. */
  report(peer: ProcessId): void {
    this.#perform(this.#detector.onReport(peer, this.#options.clock.monotonic()));
  }

  onBeat(peer: ProcessId, now: Millis): void {
    this.#detector.onBeat(peer, now);
  }

  /** This process was disconnected from the bus. */
  onReconnected(now: Millis): void {
    this.#detector.onReconnected(now);
  }

  #perform(effects: readonly FailureDetectorEffect[]): void {
    if (this.#subscription === undefined) return; // peer-pings.1
    const { clock, onDead } = this.#options;
    for (const effect of effects) {
      if (effect.kind === "declare-dead") onDead(effect.peer);
      else if (effect.afterMs === 0) this.#ping(effect);
      else clock.after(effect.afterMs, () => this.#ping(effect));
    }
  }

  #ping({ peer, caseNo }: Extract<FailureDetectorEffect, { kind: "ping" }>): void {
    const { clock } = this.#options;
    void this.#ask(peer).then((outcome) =>
      this.#perform(this.#detector.onPingOutcome(peer, { caseNo, outcome }, clock.monotonic())),
    );
  }

  /** peer-pings.2. Resolves within PING_TIMEOUT_MS. */
  #ask(peer: ProcessId): Promise<RequestOutcome["kind"]> {
    const { bus, clock, subjectOf } = this.#options;
    return new Promise((resolve) => {
      let open = 0;
      const ask = (timeoutMs: number): void => {
        open++;
        void bus.request(subjectOf(peer), "", { timeoutMs }).then(({ kind }) => {
          open--;
          if (kind === "timeout" && open > 0) return; // The other ping may get an answer.
          again.cancel();
          resolve(kind);
        });
      };
      const again = clock.after(AGAIN_MS, () => {
        if (this.#subscription !== undefined) ask(PING_TIMEOUT_MS - AGAIN_MS); // peer-pings.1
      });
      ask(PING_TIMEOUT_MS);
    });
  }
}
